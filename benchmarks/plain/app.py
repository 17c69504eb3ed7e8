"""The plain server as an ASGI application.

DATABASE_URL: its database; PLAIN_POOL_SIZE: its connections; PLAIN_CACHES=off: without caches of documents.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import asyncpg
import orjson
import strawberry
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.extensions import ParserCache, ValidationCache
from strawberry.schema.config import StrawberryConfig

from benchmarks.plain import sql
from benchmarks.plain.context import Context, Info, key_of
from benchmarks.plain.periods import PeriodInput, days_of
from benchmarks.plain.records import Company
from benchmarks.plain.reports import CompanyAnalytics, Dashboard, Pipeline, PipelineStats, shown

TENANT_HEADER = "x-tenant-id"


@strawberry.type
class Query:
    @strawberry.field
    async def dashboard(self, info: Info, period: PeriodInput | None = None) -> Dashboard:
        today = await info.context.today()
        days = days_of(period, today)
        return Dashboard(days=days, today=today, as_of=datetime.now(UTC), period=shown(days))

    @strawberry.field
    async def pipeline_stats(
        self, info: Info, pipeline_id: strawberry.ID | None = None, period: PeriodInput | None = None
    ) -> PipelineStats | None:
        key = None if pipeline_id is None else key_of(pipeline_id)
        row = await info.context.fetch_row(sql.PIPELINE, key)
        if row is None:
            return None
        today = await info.context.today()
        days = days_of(period, today)
        return PipelineStats(days=days, today=today, as_of=datetime.now(UTC), pipeline=Pipeline.of(row))

    @strawberry.field
    async def company_analytics(
        self, info: Info, company_id: strawberry.ID, period: PeriodInput | None = None
    ) -> CompanyAnalytics | None:
        key = key_of(company_id)
        company = await Company.load(info, key)
        if company is None:
            return None
        today = await info.context.today()
        days = days_of(period, today)
        return CompanyAnalytics(days=days, today=today, key=key, as_of=datetime.now(UTC), company=company)


def plain_decimal(value: Decimal) -> str:
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


class Endpoint(GraphQL[Context, None]):
    """Strawberry's own endpoint; each request gets new loaders on the shared pool."""

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Context:  # noqa: ARG002
        return Context(request.app.state.pool, int(request.headers[TENANT_HEADER]))

    def encode_json(self, data: object) -> bytes:
        return orjson.dumps(data)


def create_app() -> Starlette:
    decimal: Any = strawberry.scalar(name="Decimal", serialize=plain_decimal, parse_value=Decimal)
    # As Strawberry's documentation suggests: no document is parsed or validated twice.
    caches = [ParserCache, ValidationCache]
    extensions = [] if os.environ.get("PLAIN_CACHES") == "off" else caches
    schema = strawberry.Schema(Query, extensions=extensions, config=StrawberryConfig(scalar_map={Decimal: decimal}))
    return Starlette(routes=[Route("/graphql", Endpoint(schema, graphql_ide=None))], lifespan=_lifespan)


@asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    size = int(os.environ.get("PLAIN_POOL_SIZE", "10"))
    # Statements leave nothing behind on a connection, so the pool need not spend a round trip on resetting it.
    async with asyncpg.create_pool(
        os.environ["DATABASE_URL"],
        min_size=size,
        max_size=size,
        reset=_nothing_to_reset,
        server_settings={"jit": "off"},
    ) as pool:
        app.state.pool = pool
        yield


async def _nothing_to_reset(_connection: asyncpg.Connection) -> None:
    return None
