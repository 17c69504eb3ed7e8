"""The demo's tenants, each with a caller and with the rows that its answers must follow from."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from gateway.api.ids import encode_id
from gateway.app import create_app
from gateway.postgres.embedded import EmbeddedPostgres
from tests import world
from tests.api.facts import Facts
from tests.api.periods import Period, argument
from tests.api.questions import COMPANY_ANALYTICS, DASHBOARD, PIPELINE_STATS
from tests.conftest import Client, Database, fresh_database, serving
from tests.oracle import Oracle

Json = dict[str, Any]

SMALL = ("tokyo", "york", "office", "fresh", "bare")


@dataclass(frozen=True)
class Tenant:
    """A tenant of which both the gateway and the oracle can be asked. Keys are the database's."""

    client: Client
    facts: Facts

    async def dashboard(self, owner: int | None, period: Period) -> tuple[Json, Json]:
        """The gateway's answer, and the oracle's for the same moment."""
        variables = {"owner": owner and encode_id("Member", owner), "period": argument(period)}
        answer = (await self.client.data(DASHBOARD, **variables))["dashboard"]
        oracle = Oracle(self.facts, answer.pop("asOf"))
        return answer, oracle.dashboard(owner, period)

    async def pipeline_stats(self, pipeline: int | None, owner: int | None, period: Period) -> tuple[Json, Json | None]:
        variables = {
            "pipeline": pipeline and encode_id("Pipeline", pipeline),
            "owner": owner and encode_id("Member", owner),
            "period": argument(period),
        }
        answer = (await self.client.data(PIPELINE_STATS, **variables))["pipelineStats"]
        oracle = Oracle(self.facts, answer.pop("asOf"))
        return answer, oracle.pipeline_stats(pipeline, owner, period)

    async def company_analytics(self, company: int, period: Period) -> tuple[Json, Json | None]:
        variables = {"company": encode_id("Company", company), "period": argument(period)}
        answer = (await self.client.data(COMPANY_ANALYTICS, **variables))["companyAnalytics"]
        oracle = Oracle(self.facts, answer.pop("asOf"))
        return answer, oracle.company_analytics(company, period)

    async def query(self, text: str, **variables: Any) -> Json:
        return await self.client.data(text, **variables)


async def tenant_of(database: Database, gateway: Client, slug: str) -> Tenant:
    """A tenant of a database, asked as a viewer through a gateway that runs already."""
    async with database.as_owner() as owner:
        facts = await Facts.read(owner, slug)
    return Tenant(Client(gateway.app, gateway.http, await database.token(slug)), facts)


@pytest.fixture(scope="session")
async def tenants(demo: Database, aurora: Client) -> Mapping[str, Tenant]:
    """The demo's tenants by slug, in three time zones."""
    return {slug: await tenant_of(demo, aurora, slug) for slug in ("aurora", "birch", "cobalt")}


@pytest.fixture(scope="session")
async def small(postgres: EmbeddedPostgres, template: str) -> AsyncIterator[Mapping[str, Tenant]]:
    """Tenants made by hand, for reading: three of `tests.world`, `fresh` (no records), `bare` (not even a pipeline)."""
    database = await fresh_database(postgres, template)
    async with database.as_owner() as owner:
        await world.tokyo(owner)
        await world.new_york(owner)
        await world.office(owner)
        await world.World.create(owner, "fresh")
        bare = await world.World.create(owner, "bare")
        await owner.execute("DELETE FROM stages WHERE tenant_id = $1", bare.tenant_id)
        await owner.execute("DELETE FROM pipelines WHERE tenant_id = $1", bare.tenant_id)
    async with serving(create_app(database.settings()), None) as gateway:
        yield {slug: await tenant_of(database, gateway, slug) for slug in SMALL}
