"""GraphiQL in a real browser with the network cut."""

import json
from pathlib import Path

from tests.browser.conftest import Visit


def test_graphiql_completes_a_field_and_runs_its_default_query_with_the_network_cut(
    visit: Visit, gateway_url: str, tmp_path: Path
) -> None:
    seen = visit("graphiql.mjs")
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
