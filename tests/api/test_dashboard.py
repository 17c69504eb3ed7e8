"""The dashboard end to end: through HTTP, on the demo's data."""

import pytest

from gateway.web.default_query import DEFAULT_QUERY
from tests.conftest import Client


async def test_the_suggested_query_answers_a_whole_dashboard(aurora: Client) -> None:
    dashboard = (await aurora.data(DEFAULT_QUERY))["dashboard"]
    deals = dashboard["overview"]["deals"]
    stages = [stage for stage in dashboard["overview"]["pipeline"] if stage["stage"]["kind"] == "OPEN"]
    assert deals["open"] == sum(stage["deals"] for stage in stages) > 0
    assert sum(stage["share"] for stage in stages) == pytest.approx(1)
