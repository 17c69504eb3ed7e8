"""The audits of the GraphQL-over-HTTP specification, by the suite of its reference implementation, on a real port."""

import asyncio
import json
import runpy
import subprocess
from pathlib import Path
from typing import Any

import pytest

from gateway.app import create_app
from tests.conftest import Database
from tests.pipeline.listening import listening

AUDITS = Path(__file__).with_name("audits")
BUILD = runpy.run_path(str(Path(__file__).parents[2] / "scripts" / "build_graphiql.py"))
NODE = BUILD["tools_on_path"]() or BUILD["tools_in_wheel"]()

pytestmark = pytest.mark.skipif(NODE is None, reason="no Node 20 or later with npm")


def run(command: list[str]) -> str:
    finished = subprocess.run(command, cwd=AUDITS, capture_output=True, text=True, timeout=120, check=False)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout


@pytest.fixture(scope="module")
async def results(demo: Database) -> list[dict[str, Any]]:
    """Every audit: its name, its status and the reason of a failure."""
    node, npm = NODE
    if not (AUDITS / "node_modules" / "graphql-http").is_dir():
        run([*npm, "ci", "--prefer-offline", "--loglevel=error"])
    token = await demo.token("aurora")
    with listening(create_app(demo.settings())) as url:
        printed = await asyncio.to_thread(run, [node, "audit.mjs", f"{url}/graphql", token])
    audits: list[dict[str, Any]] = json.loads(printed)
    return audits


async def test_every_audit_passes(results: list[dict[str, Any]]) -> None:
    assert [audit for audit in results if audit["status"] != "ok"] == []


async def test_the_suite_is_whole(results: list[dict[str, Any]]) -> None:
    demands = [audit["name"].partition(" ")[0] for audit in results]
    assert {name: demands.count(name) for name in set(demands)} == {"MUST": 13, "SHOULD": 20, "MAY": 27}


async def test_the_lock_file_names_no_registry() -> None:
    lock = (AUDITS / "package-lock.json").read_text()
    assert '"resolved"' not in lock
    assert '"integrity"' in lock
