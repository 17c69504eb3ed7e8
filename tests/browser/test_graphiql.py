"""GraphiQL in a real browser with the network cut, against a running gateway in demo mode.

`gateway_url` is its base URL without a final slash; `/graphql` there gives a browser GraphiQL, signed in.
"""

import json
import runpy
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on the PATH")


@pytest.fixture
def seen(gateway_url: str, tmp_path: Path) -> dict[str, Any]:
    """What a visitor saw; the screenshot is in `tmp_path`."""
    build = runpy.run_path(str(ROOT / "scripts" / "build_graphiql.py"))
    build["main"]()
    node, _npm = build["node_and_npm"]()
    driver = str(Path(__file__).with_name("graphiql.mjs"))
    arguments = [
        str(CHROMIUM),
        f"{gateway_url}/graphql",
        str(tmp_path / "profile"),
        str(tmp_path / "graphiql.png"),
    ]
    visit = subprocess.run(
        [node, driver, *arguments],
        cwd=build["FOLDER"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert visit.returncode == 0, visit.stderr + visit.stdout
    report: dict[str, Any] = json.loads(visit.stdout)
    return report


def test_graphiql_completes_a_field_and_runs_its_default_query_with_the_network_cut(
    seen: dict[str, Any], gateway_url: str, tmp_path: Path
) -> None:
    assert seen["problems"] == []  # no console error or warning, no uncaught exception, no policy violation
    assert [url for url in seen["urls"] if not url.startswith((f"{gateway_url}/", "data:"))] == []
    config = seen["config"]
    assert (seen["introspectionStatus"], seen["title"]) == (200, config["title"])
    assert "".join(config["defaultQuery"].split()).startswith("".join(seen["query"].split()))
    assert json.loads(seen["headers"]) == {"Authorization": f"Bearer {config['token']}"}
    assert set(seen["answer"]) - {"extensions"} == {"data"}
    assert seen["result"].startswith('{\n  "data": {')
    assert "query: Query" in seen["documentation"]
    assert seen["history"].startswith("History\nClear\n")
    assert "pipelineStats" in seen["suggestions"]
    assert seen["prettified"] == "query Mine {\n  __typename\n}"
    assert config["token"] not in seen["storage"]
    assert seen["refused"] == "Error fetching schema"  # once the visitor's own, wrong token replaced the first
    assert (tmp_path / "graphiql.png").stat().st_size > 10_000
