"""Runs a documented operation through a gateway, and gives its answer and its statements as texts to keep."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.postgres.transactions import Named, ReadTransaction
from loaders.tenants import Moment
from tests.conftest import Client

FOLDER = Path(__file__).parent

CLOCK_FIELDS = {"asOf": "(the moment)", "averageAgeDays": "(days until today)"}
DAYS_SINCE = re.compile(r"(Days since the last contact: )\d+")

CLAUSE = re.compile(r" (?=(?:FROM|WHERE|GROUP BY|ORDER BY|CROSS JOIN|LEFT JOIN|UNION ALL|AND)\b)")


@dataclass(frozen=True)
class Operation:
    """One operation of this folder: `NAME.graphql`, and `NAME.variables.json` where it has variables."""

    name: str

    @property
    def query(self) -> str:
        return self._path("graphql").read_text(encoding="utf-8")

    @property
    def variables(self) -> dict[str, Any]:
        path = self._path("variables.json")
        variables: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        return variables

    def kept(self, kind: str) -> str:
        """What stands beside it: `result.json` or `sql`; empty where nothing does."""
        path = self._path(kind)
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def keep(self, kind: str, text: str) -> None:
        self._path(kind).write_text(text, encoding="utf-8")

    def _path(self, kind: str) -> Path:
        return FOLDER / f"{self.name}.{kind}"


OPERATIONS = [Operation(path.stem) for path in sorted(FOLDER.glob("*.graphql"))]


def recorded(issued: list[Named]) -> type[ReadTransaction[Moment]]:
    """A read transaction that also notes each statement, in the order in which they are issued."""

    class Recorded(ReadTransaction[Moment]):
        async def _run(self, statement: Named, arguments: Sequence[object]) -> Sequence[Sequence[Any]]:
            issued.append(statement)
            return await super()._run(statement, arguments)

    return Recorded


async def perform(operation: Operation, client: Client, issued: list[Named]) -> dict[str, str]:
    """The texts `result.json` and `sql` of an operation; `issued`: as given to `recorded`."""
    issued.clear()
    response = await client.post(operation.query, operation.variables)
    return {"result.json": result_text(response.json()), "sql": statements_text(issued)}


def result_text(answer: Any) -> str:
    return json.dumps(without_clock(answer), indent=2, ensure_ascii=False) + "\n"


def without_clock(value: Any) -> Any:
    """The answer with what the present day decides replaced by what it is."""
    if isinstance(value, dict):
        return {name: CLOCK_FIELDS.get(name, without_clock(entry)) for name, entry in value.items()}
    if isinstance(value, list):
        return [without_clock(entry) for entry in value]
    return DAYS_SINCE.sub(r"\1(until today)", value) if isinstance(value, str) else value


def statements_text(issued: Sequence[Named]) -> str:
    """Each statement under its name; one that was composed on one line is broken before its clauses."""
    return "\n".join(f"-- name: {statement.name}\n{_broken(statement.sql)};\n" for statement in issued)


def _broken(sql: str) -> str:
    return sql if "\n" in sql else CLAUSE.sub("\n  ", sql)
