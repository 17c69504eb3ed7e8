"""What the plain server's resolvers are given: the pool, the tenant, and one set of dataloaders a request."""

import base64
from collections.abc import Awaitable, Callable
from datetime import date
from functools import cached_property
from typing import Any, TypeAlias

import asyncpg
import strawberry
from strawberry.dataloader import DataLoader
from strawberry.types.info import Info as StrawberryInfo

from benchmarks.plain import sql


class Context:
    """One request. Every read takes a connection from the pool for one statement."""

    def __init__(self, pool: asyncpg.Pool, tenant_id: int) -> None:
        self._pool = pool
        self._tenant_id = tenant_id

    async def fetch(self, statement: str, *arguments: object) -> list[asyncpg.Record]:
        return list(await self._pool.fetch(statement, self._tenant_id, *arguments))

    async def fetch_row(self, statement: str, *arguments: object) -> Any:
        return await self._pool.fetchrow(statement, self._tenant_id, *arguments)

    async def today(self) -> date:
        """The tenant's local day."""
        (row,) = await self.fetch(sql.CALENDAR)
        day: date = row["today"]
        return day

    @cached_property
    def member(self) -> DataLoader[int, Any]:
        return DataLoader(load_fn=self._by_id(sql.MEMBERS_BY_ID))

    @cached_property
    def company(self) -> DataLoader[int, Any]:
        return DataLoader(load_fn=self._by_id(sql.COMPANIES_BY_ID))

    @cached_property
    def deal(self) -> DataLoader[int, Any]:
        return DataLoader(load_fn=self._by_id(sql.DEALS_BY_ID))

    def _by_id(self, statement: str) -> Callable[[list[int]], Awaitable[list[Any]]]:
        async def load(keys: list[int]) -> list[Any]:
            found = {row["id"]: row for row in await self.fetch(statement, keys)}
            return [found.get(key) for key in keys]

        return load


Info: TypeAlias = StrawberryInfo[Context, None]


def global_id(kind: str, key: int) -> strawberry.ID:
    return strawberry.ID(base64.urlsafe_b64encode(f"{kind}:{key}".encode()).rstrip(b"=").decode())


def key_of(identifier: str) -> int:
    padded = identifier + "=" * (-len(identifier) % 4)
    return int(base64.urlsafe_b64decode(padded).split(b":")[1])
