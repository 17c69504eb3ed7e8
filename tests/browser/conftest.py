"""GraphiQL in a real browser, and its parts in Node.

`gateway_url` is the base URL of a running gateway in demo mode, without a final slash; `/graphql` there gives a browser
GraphiQL, signed in.
"""

import json
import runpy
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

Visit = Callable[..., dict[str, Any]]
"""(name of a driver, base URL = gateway_url) to what its visitor saw; screenshots are in `tmp_path`."""
Run = Callable[..., Any]
"""(statements of a module, *what it finds in `given`) to what it gave to `tell`."""


@pytest.fixture(scope="session")
def build() -> dict[str, Any]:
    """What builds GraphiQL's assets, once it did."""
    build = runpy.run_path(str(ROOT / "scripts" / "build_graphiql.py"))
    build["main"]()
    return build


@pytest.fixture
def visit(build: dict[str, Any], gateway_url: str, tmp_path: Path) -> Visit:
    if CHROMIUM is None:
        pytest.skip("no chromium on the PATH")

    def visit(driver: str, url: str = gateway_url) -> dict[str, Any]:
        page, profile, screenshot = f"{url}/graphql", tmp_path / "profile", tmp_path / "graphiql.png"
        seen = node(build, str(Path(__file__).with_name(driver)), CHROMIUM, page, str(profile), str(screenshot))
        assert isinstance(seen, dict)
        return seen

    return visit


@pytest.fixture
def run(build: dict[str, Any]) -> Run:
    """Runs JavaScript beside the sources of the page's prices."""

    def run(module: str, *given: Any) -> Any:
        begin = f"const given = {json.dumps(given)}; const tell = (it) => console.log(JSON.stringify(it));\n"
        sources = (build["FOLDER"] / "src" / "cost").as_uri()
        return node(build, "--input-type=module", "--eval", begin + module.replace('from "./', f'from "{sources}/'))

    return run


def node(build: dict[str, Any], *arguments: str) -> Any:
    """What Node wrote, as JSON."""
    node, _npm = build["node_and_npm"]()
    ran = subprocess.run(
        [node, *arguments], cwd=build["FOLDER"], capture_output=True, text=True, timeout=120, check=False
    )
    assert ran.returncode == 0, ran.stderr + ran.stdout
    return json.loads(ran.stdout)
