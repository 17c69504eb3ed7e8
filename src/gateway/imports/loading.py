"""A mapping from its TOML file. Every mistake is one sentence with its place."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from gateway.commands.refusals import CommandRefusedError
from gateway.imports.mapping import FileMapping, Mapping, PipelineMapping
from gateway.imports.plan import Plan, make_plan

SHIPPED = Path(__file__).parent / "mappings"

WORDS = {"extra_forbidden": "there is no such key", "missing": "is missing"}
"""What pydantic's types of error mean to the author of a mapping; others are told in pydantic's own words."""


@dataclass(frozen=True)
class Import:
    """A mapping that has been checked: what is imported, file by file."""

    name: str
    pipelines: Sequence[PipelineMapping]
    plans: Sequence[Plan]


def load_mapping(name_or_file: str) -> Import:
    """The mapping of a name that ships with the gateway, or of a file. Raises CommandRefusedError."""
    path = _find(name_or_file)
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
        mapping = Mapping.model_validate(tables)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CommandRefusedError(f"Mapping {path.name} is no TOML: {error}.") from None
    except ValidationError as error:
        faults = [_sentence(path, tables, fault["loc"], fault["type"], fault["msg"]) for fault in error.errors()]
        raise CommandRefusedError("\n".join(dict.fromkeys(faults))) from None
    return Import(path.stem, mapping.pipelines, [_plan(path, n, file) for n, file in enumerate(mapping.files)])


def shipped_names() -> list[str]:
    """Names of the mappings that come with the gateway."""
    return sorted(path.stem for path in SHIPPED.glob("*.toml"))


def _find(name_or_file: str) -> Path:
    if name_or_file in shipped_names():
        return SHIPPED / f"{name_or_file}.toml"
    path = Path(name_or_file)
    if not path.is_file():
        raise CommandRefusedError(
            f"There is no mapping `{name_or_file}`: name one of {', '.join(shipped_names())}, or a TOML file."
        )
    return path


def _plan(path: Path, number: int, file: FileMapping) -> Plan:
    try:
        return make_plan(file)
    except ValueError as error:
        raise CommandRefusedError(f"Mapping {path.name}, file {number + 1} ({file.path}): {error}.") from None


def _sentence(path: Path, tables: dict[str, Any], place: tuple[int | str, ...], kind: str, message: str) -> str:
    """Pydantic's fault as a sentence: the entry is named by what it is, the key by its path within."""
    where, keys = [f"Mapping {path.name}"], list(place)
    if len(keys) > 1 and isinstance(keys[1], int):
        table, number = str(keys.pop(0)), int(keys.pop(0))
        entry = tables[table][number]
        named = entry.get("path" if table == "files" else "name") if isinstance(entry, dict) else None
        where.append(f"{table.removesuffix('s')} {number + 1}" + (f" ({named})" if named else ""))
    words = WORDS.get(kind, message.removeprefix("Value error, "))
    key = ".".join(str(key) for key in keys)
    return f"{', '.join(where)}: {f'{key}: ' if key else ''}{words[0].lower()}{words[1:]}."
