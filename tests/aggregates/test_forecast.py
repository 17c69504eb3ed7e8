"""`pipelineStats.forecast` against the oracle, and against the fields that it must agree with."""

from collections import Counter
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from gateway.api.ids import encode_id
from gateway.app import create_app
from tests.aggregates.conftest import Room
from tests.aggregates.oracle import forecast
from tests.api.periods import DAY, argument
from tests.api.test_statements import Counted
from tests.conftest import Client, Database, serving
from tests.lists.room import NORTH
from tests.lists.rows import Rows

pytestmark = pytest.mark.same_lines

Json = dict[str, Any]
UNITS = ("DAY", "WEEK", "MONTH", "QUARTER")
PERIODS = (
    None,
    (date(2024, 3, 1), date(2024, 6, 1)),
    (date(2024, 4, 3), date(2024, 4, 18)),
    (date(2024, 3, 30), date(2024, 3, 31)),
    (date(2031, 1, 1), date(2031, 2, 1)),
)
APRIL = [date(2024, 4, 1) + days * DAY for days in range(30)]
QUERY = """query ($pipeline: ID, $owner: ID, $period: PeriodInput, $unit: Interval!) {
  pipelineStats(pipelineId: $pipeline, ownerId: $owner, period: $period) {
    asOf forecast(interval: $unit) { start deals value weightedValue } } }"""


async def check(client: Any, rows: Rows, pipeline: int, owner: int | None, unit: str, days: Any) -> list[Json]:
    """The answer, compared with the oracle's of the same day."""
    variables = {"pipeline": encode_id("Pipeline", pipeline), "owner": owner and encode_id("Member", owner)}
    stats = (await client.data(QUERY, **variables, period=argument(days), unit=unit))["pipelineStats"]
    today = rows.day(datetime.fromisoformat(stats["asOf"]))
    assert today is not None
    assert stats["forecast"] == forecast(rows, pipeline, unit.lower(), today, owner=owner, days=days)
    points: list[Json] = stats["forecast"]
    return points


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("days", PERIODS, ids=str)
async def test_open_deals_by_expected_close(room: Room, unit: str, days: Any) -> None:
    for pipeline in (1, 2):
        for owner in (None, *room.rows.tables["members"]):
            await check(room.client, room.rows, pipeline, owner, unit, days)


@pytest.mark.parametrize("unit", UNITS)
async def test_the_last_day_of_a_period_is_not_in_it(room: Room, unit: str) -> None:
    points = [forecast(room.rows, 1, "day", day, days=(day, day + DAY)) for day in APRIL]
    ends = [day for day, (point,) in zip(APRIL, points, strict=True) if point["deals"]]
    assert ends
    for end in ends:
        await check(room.client, room.rows, 1, None, unit, (end - 10 * DAY, end))


@pytest.mark.parametrize("unit", UNITS)
async def test_the_demos_coming_months(demo: Database, aurora: Client, unit: str) -> None:
    async with demo.as_owner() as owner:
        rows = await Rows.read(owner, "aurora")
    pipeline = next(key for key, row in rows.tables["pipelines"].items() if row["is_default"])
    seller = rows.alive("deals")[0]["owner_id"]
    points = await check(aurora, rows, pipeline, None, unit, None)
    assert len(points) == 12
    assert sum(point["deals"] for point in points) > 0
    await check(aurora, rows, pipeline, seller, unit, None)
    await check(aurora, rows, pipeline, None, unit, (date(2024, 1, 17), date(2033, 12, 31)))


async def test_a_month_by_default(room: Room) -> None:
    answer = await room.client.data(
        "{ pipelineStats { default: forecast { start } month: forecast(interval: MONTH) { start } } }"
    )
    assert answer["pipelineStats"]["default"] == answer["pipelineStats"]["month"]
    assert len(answer["pipelineStats"]["default"]) == 12


async def test_a_forecast_is_the_open_deals_of_those_days_grouped(room: Room) -> None:
    days = (date(2024, 3, 1), date(2024, 6, 1))
    wanted = {"expectedClose": {"from": "2024-03-01", "to": "2024-06-01"}, "outcomes": ["OPEN"]}
    points = await check(room.client, room.rows, 1, None, "WEEK", days)
    query = "query ($f: DealFilter) { dealAggregates(groupBy: [PIPELINE], filter: $f) { count value } }"
    (group,) = (await room.client.data(query, f={**wanted, "pipelineIds": [encode_id("Pipeline", 1)]}))[
        "dealAggregates"
    ]
    assert sum(point["deals"] for point in points) == group["count"] > 5
    assert sum(Decimal(point["value"]) for point in points) == Decimal(group["value"])


@pytest.mark.parametrize("last", ["9999-12-31", "9999-12-30"])
async def test_a_forecast_to_the_end_of_the_calendar_ends(room: Room, last: str) -> None:
    for unit in UNITS[1:]:
        period = {"range": {"from": "9998-12-01", "to": last}}
        stats = (await room.client.data(QUERY, period=period, unit=unit))["pipelineStats"]
        assert stats["forecast"][-1]["start"] <= last


async def test_totals_agree_with_those_of_the_pipeline(room: Room) -> None:
    for pipeline in (1, 2):
        by_outcome = """query ($id: ID, $f: DealFilter) {
          pipelineStats(pipelineId: $id) { deals { open won lost pipelineValue wonValue lostValue winRate
            averageDealSize averageCycleDays } stages { stage { id } deals value } }
          outcomes: dealAggregates(groupBy: [PIPELINE], filter: $f) {
            won lost wonValue winRate averageDealSize averageCycleDays }
          stages: dealAggregates(groupBy: [STAGE], filter: $f) { keys { stage { id } } count value } }"""
        key = encode_id("Pipeline", pipeline)
        answer = await room.client.data(by_outcome, id=key, f={"pipelineIds": [key]})
        (group,) = answer["outcomes"]
        assert group == {name: answer["pipelineStats"]["deals"][name] for name in group}
        by_stage = {row["keys"]["stage"]["id"]: (row["count"], row["value"]) for row in answer["stages"]}
        assert by_stage == {
            row["stage"]["id"]: (row["deals"], row["value"])
            for row in answer["pipelineStats"]["stages"]
            if row["deals"]
        }


FULL = """{ pipelineStats {
  asOf pipeline { name isDefault stages { name } }
  deals { total open won lost pipelineValue weightedValue wonValue lostValue winRate averageDealSize averageCycleDays }
  stages { stage { name } deals value weightedValue share averageAgeDays entered left
    conversionToNext medianDaysInStage }
  trend { start created won lost wonValue } forecast { start deals value weightedValue } } }"""


async def test_full_pipeline_stats_with_their_forecast_take_five_statements(room: Room) -> None:
    async with serving(create_app(room.database.settings()), None) as gateway:
        issued = await Counted(gateway).issued(FULL, token=await room.database.token(NORTH))
    assert issued == Counter(["moment", "deal_board", "stage_passages", "deal_trend", "deal_forecast"])
