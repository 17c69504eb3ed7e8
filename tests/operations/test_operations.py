"""Documented operations: beside each query stand its result on fixed data and the statements that it issued.

They are compared, never rewritten, unless a person asks: `pytest tests/operations --rewrite-operations`.
"""

import os
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway import app
from gateway.postgres.embedded import EmbeddedPostgres
from gateway.postgres.transactions import Named
from gateway.web.default_query import DEFAULT_QUERY
from tests import world
from tests.conftest import Client, fresh_database, serving
from tests.operations.conftest import OPTION
from tests.operations.recording import FOLDER, OPERATIONS, Operation, perform, recorded

FIXED_PERIOD = 'range: { from: "2024-01-01", to: "2024-07-01" }'


@dataclass(frozen=True)
class Recorder:
    """A viewer of the fixed data, and the statements that the gateway issued for the last operation."""

    client: Client
    issued: list[Named]

    async def texts(self, operation: Operation) -> dict[str, str]:
        return await perform(operation, self.client, self.issued)


@pytest.fixture(scope="module")
async def recorder(postgres: EmbeddedPostgres, template: str) -> AsyncIterator[Recorder]:
    database = await fresh_database(postgres, template)
    async with database.as_owner() as owner:
        await owner.execute((FOLDER / "world.sql").read_text(encoding="utf-8"))
        await owner.execute("SELECT setval('tenants_id_seq', 1)")
        await world.tokyo(owner)  # a neighbour, of whom nothing may be seen
    issued: list[Named] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(app, "ReadTransaction", recorded(issued))
        async with serving(app.create_app(database.settings()), await database.token("meadow")) as client:
            yield Recorder(client, issued)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
async def test_an_operation_answers_and_reads_as_recorded(
    recorder: Recorder, operation: Operation, request: pytest.FixtureRequest
) -> None:
    texts = await recorder.texts(operation)
    assert '"errors"' not in texts["result.json"]
    if request.config.getoption(OPTION, default=False):
        for kind, text in texts.items():
            operation.keep(kind, text)
    assert texts == {kind: operation.kept(kind) for kind in texts}


async def test_a_second_run_gives_the_same_texts(recorder: Recorder) -> None:
    dashboard = Operation("dashboard")
    assert await recorder.texts(dashboard) == await recorder.texts(dashboard)


def test_the_dashboard_recorded_is_the_one_that_graphiql_opens_with() -> None:
    assert Operation("dashboard").query == DEFAULT_QUERY.replace("preset: LAST_90_DAYS", FIXED_PERIOD)


def test_nothing_is_kept_without_its_operation() -> None:
    kinds = (".graphql", ".variables.json", ".result.json", ".sql")
    kept = {path.name.partition(".")[0] for path in FOLDER.iterdir() if path.name.endswith(kinds)}
    assert kept - {"world"} == {operation.name for operation in OPERATIONS}


def test_in_ci_nothing_is_rewritten() -> None:
    before = {path.name: path.read_bytes() for path in FOLDER.iterdir() if path.is_file()}
    command = [sys.executable, "-m", "pytest", str(FOLDER), OPTION, "-p", "no:cacheprovider"]
    run = subprocess.run(
        command,
        env={**os.environ, "CI": "1"},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == pytest.ExitCode.USAGE_ERROR, run.stdout
    assert "never rewritten" in run.stderr
    assert {path.name: path.read_bytes() for path in FOLDER.iterdir() if path.is_file()} == before
