"""The examples of `docs/clients.md`: generated, compiled and run as they stand there, against a listening gateway."""

import json
import os
import re
import runpy
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from gateway.api.ids import encode_id
from gateway.api.schema import sdl
from gateway.app import create_app
from tests.changes.conftest import new_world
from tests.conftest import Client, Database
from tests.pipeline.listening import listening

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[1]
PAGE = ROOT / "docs" / "clients.md"
FILE = re.compile(r"<!-- file: (\S+) -->\n```\w+\n(.*?)```\n", re.DOTALL)
CLIENTS = ("apollo", "urql", "graphql-request")
CACHING = CLIENTS[:2]

COMPANIES = "SELECT c.id FROM companies c JOIN tenants t ON t.id = c.tenant_id WHERE t.slug = $1 AND deleted_at IS NULL"

FIRST_VISIT = {
    "apollo": ["POST hash: 404", "POST hash and text: 400", "GET hash: 404", "POST hash and text: 200"],
    "urql": ["POST hash: 404", "POST hash and text: 400", "GET hash: 404", "GET hash and text: 200"],
}
ASK_OTHERWISE = """
const [url, token] = process.argv.slice(1);
const headers = { "content-type": "application/json", authorization: `Bearer ${token}` };
const response = await fetch(url, { method: "POST", headers, body: '{"query": "{ __typename }"}' });
console.log((await response.json()).errors[0].extensions.code);
"""

tools = runpy.run_path(str(ROOT / "scripts" / "build_graphiql.py"))
node_and_npm = tools["tools_on_path"]() or tools["tools_in_wheel"]()

pytestmark = pytest.mark.skipif(node_and_npm is None, reason="no Node of version 20 or later")


@pytest.fixture(scope="module")
def node() -> str:
    """Node, with the packages of the lock file installed."""
    assert node_and_npm is not None
    node, npm = node_and_npm
    lock = FOLDER / "package-lock.json"
    installed = FOLDER / "node_modules" / ".installed.json"
    if not installed.exists() or installed.read_bytes() != lock.read_bytes():
        run([*npm, "ci", "--prefer-offline", "--loglevel=error"], FOLDER)
        shutil.copy(lock, installed)
    return str(node)


@pytest.fixture(scope="module")
def examples(node: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page's files, with what is generated and compiled from them."""
    folder = tmp_path_factory.mktemp("clients")
    for name in ("package.json", "tsconfig.json", "drive.mjs", "drag.mjs", "persisted.mjs"):
        shutil.copy(FOLDER / name, folder)
    (folder / "node_modules").symlink_to(FOLDER / "node_modules", target_is_directory=True)
    (folder / "schema.graphql").write_text(sdl(), encoding="utf-8")
    for name, text in files():
        (folder / name).write_text(text, encoding="utf-8")
    run([node, script("@graphql-codegen/cli"), "--config", "codegen.yml"], folder)
    run([node, script("typescript", "tsc")], folder)
    return folder


@pytest.mark.parametrize("client", CLIENTS)
async def test_an_example_reads_a_dashboard_every_company_once_and_errors_by_code(
    client: str, node: str, examples: Path, gateway_url: str, demo: Database, aurora: Client
) -> None:
    modules = [str(examples / "built" / f"{name}.js") for name in (client, "remedy")]
    token = await demo.token("aurora")
    seen = json.loads(run([node, str(examples / "drive.mjs"), *modules, f"{gateway_url}/graphql", token], examples))
    async with demo.as_owner() as owner:
        companies = [encode_id("Company", row["id"]) for row in await owner.fetch(COMPANIES, "aurora")]
    assert len(companies) > 90
    assert sorted(seen["companies"]) == sorted(companies)
    assert without_clock(seen["dashboard"]) == without_clock(await dashboard(aurora))
    assert seen["tooMany"] == ["BAD_USER_INPUT"]
    assert (seen["unauthenticated"], seen["remedies"]) == (["TOKEN_MALFORMED"], ["sign in"])


@pytest.mark.parametrize("client", CACHING)
async def test_an_example_moves_what_can_be_moved_once_shows_it_and_undoes_it(
    client: str, node: str, examples: Path, database: Database
) -> None:
    async with database.as_owner() as owner:
        world = await new_world(owner, "acme")
        keys = [await world.deal("2026-01-05T10:00", owner="rep", amount="100") for _ in range(3)]
        deals = [encode_id("Deal", key) for key in keys]
        stage = encode_id("Stage", await owner.fetchval("SELECT id FROM stages WHERE name = 'Won'"))
    versions = (1, 1, 7)
    changes = [
        {"dealId": deal, "stageId": stage, "expectedVersion": version}
        for deal, version in zip(deals, versions, strict=True)
    ]
    token = await database.token("acme", "manager")
    with listening(create_app(database.settings())) as url:
        command = [node, str(examples / "drag.mjs"), str(examples / "built" / f"{client}.js"), f"{url}/graphql", token]
        seen = json.loads(run([*command, json.dumps(changes)], examples))
    assert seen["moved"] == {"UPDATED": deals[:2], "CONFLICT": deals[2:]}
    assert (seen["codes"], seen["replayed"]) == (["VERSION_DIFFERS"], [False, True])
    assert seen["reused"] == ["IDEMPOTENCY_KEY_REUSED"]
    assert seen["undone"] == {"UPDATED": deals[:2]}
    assert seen["boards"] == [
        dict(zip(deals, [["Lead", 1], ["Lead", 1], ["Lead", 1]], strict=True)),
        dict(zip(deals, [["Won", 2], ["Won", 2], ["Lead", 1]], strict=True)),
        dict(zip(deals, [["Lead", 3], ["Lead", 3], ["Lead", 1]], strict=True)),
    ]


@pytest.mark.parametrize("client", CACHING)
async def test_an_example_sends_a_document_once_and_names_it_from_then_on(
    client: str, node: str, examples: Path, demo: Database, aurora: Client, redis_url: str
) -> None:
    token = await demo.token("aurora", "manager")
    with listening(create_app(demo.settings(redis_url=redis_url))) as url:
        first, second = visits(client, node, examples, url, token)
    assert first["sent"] == FIRST_VISIT[client]
    assert second["sent"] == ["POST hash: 400", "GET hash: 200"]
    for visit in (first, second):
        assert visit["undo"] == ["BAD_USER_INPUT"]
        assert without_clock(visit["dashboard"]) == without_clock(await dashboard(aurora))


@pytest.mark.parametrize("client", CACHING)
async def test_an_example_is_all_that_a_gateway_of_its_trusted_documents_runs(
    client: str, node: str, examples: Path, demo: Database, aurora: Client
) -> None:
    path = f"{Path(node).parent}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    run(["sh", "-e", "trust.sh"], examples, {**os.environ, "PATH": path})
    token, trusted = await demo.token("aurora", "manager"), examples / "trusted"
    with listening(create_app(demo.settings(documents_mode="trusted", trusted_documents=trusted))) as url:
        first, second = visits(client, node, examples, url, token)
        other = run([node, "-e", ASK_OTHERWISE, f"{url}/graphql", token], examples)
    assert first["sent"] == second["sent"] == ["POST hash: 400", "GET hash: 200"]
    assert first["undo"] == ["BAD_USER_INPUT"]
    assert without_clock(first["dashboard"]) == without_clock(await dashboard(aurora))
    assert other == "DOCUMENT_NOT_TRUSTED\n"


def visits(client: str, node: str, examples: Path, url: str, token: str) -> list[dict[str, Any]]:
    module = str(examples / "built" / f"persisted-{client}.js")
    found: list[dict[str, Any]] = json.loads(
        run([node, str(examples / "persisted.mjs"), module, f"{url}/graphql", token], examples)
    )
    return found


def test_the_generated_types_refuse_what_the_schema_does_not_have(node: str, examples: Path) -> None:
    wrong = examples / "wrong.ts"
    wrong.write_text(
        'import type { CompaniesQueryVariables, DashboardQuery } from "./generated.js";\n'
        'export const variables: CompaniesQueryVariables = { first: "ten" };\n'
        'export const value: DashboardQuery["dashboard"]["overview"]["deals"]["wonValue"] = 12.5;\n'
    )
    try:
        command = [node, script("typescript", "tsc"), "--noEmit"]
        told = subprocess.run(command, cwd=examples, capture_output=True, text=True, check=False)
    finally:
        wrong.unlink()
    assert re.findall(r"^wrong\.ts\((\d+),.* error (\w+):", told.stdout, re.MULTILINE) == [
        ("2", "TS2322"),
        ("3", "TS2322"),
    ]


def test_every_block_of_code_on_the_page_is_a_file_that_is_tried() -> None:
    page = PAGE.read_text(encoding="utf-8")
    names = [name for name, _ in files()]
    assert page.count("```") == 2 * len(names)
    assert set(names) == {
        *("codegen.yml", "operations.graphql", "remedy.ts", "sha256.ts", "manifest.ts", "trust.sh"),
        *(f"{client}.ts" for client in CLIENTS),
        *(f"persisted-{client}.ts" for client in CACHING),
    }


def files() -> Iterator[tuple[str, str]]:
    for found in FILE.finditer(PAGE.read_text(encoding="utf-8")):
        yield found[1], found[2]


def script(package: str, name: str | None = None) -> str:
    """The script behind a package's command."""
    folder = FOLDER / "node_modules" / package
    commands = json.loads((folder / "package.json").read_text())["bin"]
    return str(folder / (commands[name] if name else next(iter(commands.values()))))


def run(command: list[str], folder: Path, environment: Mapping[str, str] | None = None) -> str:
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


async def dashboard(client: Client) -> dict[str, Any]:
    query = dict(files())["operations.graphql"].partition("query Companies")[0]
    answer: dict[str, Any] = (await client.data(query, period={"preset": "LAST_90_DAYS"}))["dashboard"]
    return answer


def without_clock(value: Any) -> Any:
    """Without the moment, and without the names of types that a cache asks for."""
    if isinstance(value, dict):
        return {name: without_clock(entry) for name, entry in value.items() if name not in {"asOf", "__typename"}}
    return [without_clock(entry) for entry in value] if isinstance(value, list) else value
