"""What goes by the tenant's day is kept until midnight there, and no longer."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import orjson
import pytest
from redis.asyncio import Redis

from gateway.api.ids import encode_id
from gateway.cache.entries import Entry, unpacked
from tests.cache.conftest import Open, Shop
from tests.pipeline.acme import until
from tests.world import TOKYO, World

LONGER_THAN_A_DAY_SECONDS = 200_000
GO_BY_THE_DAY = {
    "dashboard": "{ answer: dashboard { asOf } }",
    "dashboard of a period": "{ answer: dashboard(period: {preset: LAST_7_DAYS}) { asOf } }",
    "pipelineStats": "{ answer: pipelineStats { asOf } }",
    "companyAnalytics": "{ answer: companyAnalytics(companyId: $company) { asOf } }",
    "dealAggregates": "{ answer: dealAggregates(groupBy: [STAGE]) { asOf } }",
}
"""Each by a query that shows the moment it was read at."""


@pytest.mark.parametrize("field", GO_BY_THE_DAY)
async def test_what_goes_by_the_day_is_kept_until_the_tenants_midnight(
    shop: Shop, opened: Open, redis: Redis, redis_url: str, field: str
) -> None:
    world = await World.create(shop.world.owner, f"tokyo-{list(GO_BY_THE_DAY).index(field)}", TOKYO)
    await world.deal("2026-01-05T10:00", amount="1")
    company = encode_id("Company", await world.company("Acme"))
    client = await opened("viewer", world.slug, redis_url=redis_url, cache_max_age_seconds=LONGER_THAN_A_DAY_SECONDS)
    query = GO_BY_THE_DAY[field].replace("$company", f'"{company}"')
    await shop.keeps(client, query)
    entry = await kept(redis)
    answer = orjson.loads(entry.data)["answer"]
    read_at = datetime.fromisoformat((answer[0] if isinstance(answer, list) else answer)["asOf"])
    local = read_at.astimezone(ZoneInfo(TOKYO))
    midnight = (local + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    assert entry.good_until - entry.read_at == pytest.approx((midnight - read_at).total_seconds(), abs=0.001)


async def test_what_goes_by_no_day_is_kept_beyond_it(shop: Shop, opened: Open, redis: Redis, redis_url: str) -> None:
    client = await opened(redis_url=redis_url, cache_max_age_seconds=LONGER_THAN_A_DAY_SECONDS)
    await shop.keeps(client, "{ deals(first: 1) { nodes { createdAt } } }")
    entry = await kept(redis)
    assert entry.good_until - entry.read_at == pytest.approx(LONGER_THAN_A_DAY_SECONDS)


async def test_after_midnight_another_day_is_told_of(shop: Shop, opened: Open) -> None:
    """In a place where it strikes in a few seconds."""
    world = await World.create(shop.world.owner, "midnight")
    await world.owner.execute("UPDATE tenants SET time_zone = $2 WHERE id = $1", world.tenant_id, midnight_in(4))
    await world.task("clock_timestamp() - interval '1 hour'")
    client, query = await opened("viewer", world.slug), "{ dashboard { overview { tasks { dueToday } } } }"
    await shop.keeps(client, query)

    async def due_today() -> int:
        return int((await client.data(query))["dashboard"]["overview"]["tasks"]["dueToday"])

    async def is_over() -> bool:
        return await due_today() == 0

    assert await due_today() == 1
    await until(is_over)


def midnight_in(seconds: int) -> str:
    """A time zone, as PostgreSQL spells one by its distance east of Greenwich."""
    now, day = datetime.now(UTC), timedelta(days=1)
    return f"<here>-{(day - timedelta(hours=now.hour, minutes=now.minute, seconds=now.second + seconds)) % day}"


async def kept(redis: Redis) -> Entry:
    """The one answer that is kept."""
    names: list[bytes] = []

    async def is_there() -> bool:
        names.extend([name async for name in redis.scan_iter("gateway:*:answer:*")])
        return bool(names)

    await until(is_there)
    value = await redis.get(names[0])
    entry = unpacked(value, bytes.fromhex(names[0].decode().rpartition(":")[2])) if isinstance(value, bytes) else None
    assert entry is not None
    return entry
