"""Writes what stands in docs/ from the code: run by `make docs`; a test fails when the two differ."""

from collections.abc import Iterator
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

import typer
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from gateway.cli import app
from gateway.settings import Settings

DOCS = Path(__file__).resolve().parents[1] / "docs"

SETTINGS_PAGE = """\
# Settings

The gateway reads its settings once, from the environment, when a command starts; nothing changes them afterwards.
`gateway doctor` checks them, and the database with them. A value that is missing or wrong is named in one sentence,
with exit code 1. Values of type *secret* are never printed, neither in logs nor in errors.

This page is written by `make docs` from `src/gateway/settings.py` and `src/gateway/cli/`.

## Environment

| variable | type | default | meaning |
|---|---|---|---|
{settings}

`serve` and `demo` need no other variable. With several workers, `serve` sets `PROMETHEUS_MULTIPROC_DIR` itself, so
that `/metrics` shows the sum over all of them; its directory is removed at the end.

## Flags

A flag wins over the variable that is named beside it.

| command | flag | default | overrides | meaning |
|---|---|---|---|---|
{flags}
"""

OVERRIDES = {("token", "--lifetime-seconds"): "ACCESS_TOKEN_LIFETIME_SECONDS"}
LIMITS = {"ge": "at least {}", "gt": "more than {}", "le": "at most {}", "min_length": "at least {} characters"}


def settings_page() -> str:
    """The text of docs/settings.md."""
    settings = "\n".join(_setting(name, field) for name, field in Settings.model_fields.items())
    return SETTINGS_PAGE.format(settings=settings, flags="\n".join(_flags(typer.main.get_command(app), "")))


def _setting(name: str, field: FieldInfo) -> str:
    return _row(f"`{name.upper()}`", _type(field), _default(field.default), field.description)


def _type(field: FieldInfo) -> str:
    limits = [
        text.format(f"{bound:,}".replace(",", " "))
        for limit in field.metadata
        for attribute, text in LIMITS.items()
        if (bound := getattr(limit, attribute, None)) is not None
    ]
    return ", ".join([_kind(field.annotation), *limits])


def _kind(annotation: Any) -> str:
    if get_origin(annotation) in {Union, UnionType}:
        return _kind(get_args(annotation)[0])
    if hasattr(annotation, "__metadata__"):
        return _kind(get_args(annotation)[0])
    if get_origin(annotation) is Literal:
        return " or ".join(f"`{choice}`" for choice in get_args(annotation))
    if get_origin(annotation) is tuple:
        return "list"
    return {SecretStr: "secret", int: "integer", float: "number", bool: "`true` or `false`"}.get(annotation, "text")


def _default(value: object) -> str:
    if value is None or value == ():
        return "none"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _flags(command: Any, path: str) -> Iterator[str]:
    for name, child in getattr(command, "commands", {}).items():
        yield from _flags(child, f"{path} {name}".strip())
    for option in command.params if path else ():
        if option.param_type_name == "option":
            overridden = OVERRIDES.get((path, option.opts[0]))
            default = "required" if option.required else _default(_plain(option.default))
            yield _row(
                f"`{path}`", f"`{option.opts[0]}`", default, f"`{overridden}`" if overridden else "", option.help
            )


def _plain(default: object) -> object:
    return getattr(default, "value", default)


def _row(*cells: str | None) -> str:
    return "| " + " | ".join((cell or "").replace("|", "\\|") for cell in cells) + " |"


if __name__ == "__main__":
    (DOCS / "settings.md").write_text(settings_page(), encoding="utf-8")
