"""How lists hold up: a page deep in a long list beside its first one, and a list nested under every entry of a page.

Through HTTP against a gateway in a process of its own. Both pages are asked for in turns, so that what else the machine
does slows both alike.
"""

import asyncio
import http.client
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

from benchmarks.data import empty_database
from benchmarks.measure import STATEMENTS
from benchmarks.servers import HOST, Server, gateway, get
from gateway.commands.add_member import NewMember, add_member
from gateway.commands.create_tenant import NewTenant, create_tenant
from gateway.settings import Settings
from gateway.tokens import issue_token

COMPANIES = 100_000
PAGE_SIZE = 100
DEEP_PAGE = 900
REPEATS = 200
COMPANIES_WITH_DEALS, DEALS_EACH = 500, 20

PAGE = """
query ($first: Int!, $after: String) {
  companies(first: $first, after: $after) { edges { node { id name industry employees } } pageInfo { endCursor } }
}
"""
NESTED = """
{ companies(first: 50) { nodes { id name deals(first: 5) { nodes { id name amount owner { name } } } } } }
"""

INSERT_COMPANIES = """
INSERT INTO companies (tenant_id, owner_id, name, industry, employees)
SELECT $1, $2, 'Company ' || md5(n::text), 'Industry ' || n % 20, n % 900 FROM generate_series(1, $3::int) AS n
"""
INSERT_DEALS = """
INSERT INTO deals (tenant_id, pipeline_id, stage_id, owner_id, company_id, name, amount, created_at)
SELECT $1, s.pipeline_id, s.id, $2, c.id, 'Deal ' || n, n * 100, timestamptz '2024-01-01 12:00Z' + n * interval '1 day'
  FROM (SELECT id FROM companies WHERE tenant_id = $1 ORDER BY name, id LIMIT $3) AS c,
       generate_series(1, $4::int) AS n, stages s
 WHERE s.tenant_id = $1 AND s.position = 1
"""


@dataclass(frozen=True)
class ListFigures:
    """Medians of many requests, in milliseconds; `nested_statements`: of one request."""

    companies: int
    first_page_ms: float
    deep_page_ms: float
    nested_ms: float
    nested_statements: float

    @property
    def ratio(self) -> float:
        """Time of the deep page, in those of the first one."""
        return self.deep_page_ms / self.first_page_ms

    def sentences(self) -> list[str]:
        return [
            (
                f"Of {self.companies:,} companies in pages of {PAGE_SIZE}: page 1 {self.first_page_ms:.2f} ms, "
                f"page {DEEP_PAGE} {self.deep_page_ms:.2f} ms, ratio {self.ratio:.2f}."
            ),
            (
                f"50 companies, each with its 5 latest deals and their owners: {self.nested_ms:.1f} ms, "
                f"{self.nested_statements:g} statements."
            ),
        ]


class Caller:
    """One keep-alive connection of a member to a gateway."""

    def __init__(self, server: Server, token: str) -> None:
        self._connection = http.client.HTTPConnection(HOST, server.port, timeout=60)
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def ask(self, query: str, variables: Mapping[str, object] | None = None) -> tuple[dict[str, Any], float]:
        """The answer's data, and the milliseconds it took. Raises RuntimeError for errors."""
        body = json.dumps({"query": query, "variables": variables or {}}).encode()
        begun = time.perf_counter()
        self._connection.request("POST", "/graphql", body, self._headers)
        content = self._connection.getresponse().read()
        milliseconds = (time.perf_counter() - begun) * 1000
        answer = json.loads(content)
        if "errors" in answer:
            raise RuntimeError(f"an error instead of a page: {answer['errors']}")
        return answer["data"], milliseconds

    def rest(self) -> None:
        """Closes the connection, which the server would after some idle seconds; the next request opens another."""
        self._connection.close()

    def page(self, after: str | None) -> tuple[dict[str, Any], float]:
        data, milliseconds = self.ask(PAGE, {"first": PAGE_SIZE, "after": after})
        return data["companies"], milliseconds


async def measure(settings: Settings, log: Path, *, companies: int = COMPANIES) -> ListFigures:
    """Figures of a new tenant on a migrated database; the settings must hold addresses of the owner and the gateway."""
    slug = await _fill(settings.require("migration_database_url"), companies)
    token = (await issue_token(settings, slug, email=None, role="viewer")).token
    with gateway(settings, log) as server:
        return await asyncio.to_thread(_measure, server, Caller(server, token), companies)


def _measure(server: Server, caller: Caller, companies: int) -> ListFigures:
    cursors = list(_walk(caller, companies))
    deep = cursors[min(DEEP_PAGE, len(cursors)) - 2]
    first_ms, deep_ms = _in_turns(lambda: caller.page(None)[1], lambda: caller.page(deep)[1])
    before = _statements(server)
    (nested_ms,) = _in_turns(lambda: caller.ask(NESTED)[1])
    return ListFigures(companies, first_ms, deep_ms, nested_ms, (_statements(server) - before) / REPEATS)


def _walk(caller: Caller, companies: int) -> Iterator[str | None]:
    """The end cursor of each page, by paging through the list. Raises RuntimeError unless each company came once."""
    seen: list[str] = []
    cursor: str | None = None
    while len(seen) < companies:
        page, _ = caller.page(cursor)
        cursor = page["pageInfo"]["endCursor"]
        seen += [edge["node"]["id"] for edge in page["edges"]]
        yield cursor
    if len(set(seen)) != companies:
        raise RuntimeError("paging showed a company twice")


def _in_turns(*requests: Callable[[], float]) -> list[float]:
    """The median of each request's milliseconds."""
    times = [[request() for request in requests] for _ in range(REPEATS)]
    return [statistics.median(of_one) for of_one in zip(*times, strict=True)]


def _statements(server: Server) -> float:
    lines = get(f"http://{HOST}:{server.port}/metrics").decode().splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(STATEMENTS))


async def _fill(owner_dsn: str, companies: int) -> str:
    """The slug of a new tenant with so many companies, some of them with deals."""
    slug = f"lists-{time.time_ns()}"
    owner = await asyncpg.connect(owner_dsn)
    try:
        tenant_id = await create_tenant(owner, NewTenant(slug, slug, "enterprise"))
        member_id = await add_member(owner, NewMember(slug, "viewer@lists.example", "Viewer", "viewer"))
        await owner.execute(INSERT_COMPANIES, tenant_id, member_id, companies, timeout=600)
        await owner.execute(INSERT_DEALS, tenant_id, member_id, COMPANIES_WITH_DEALS, DEALS_EACH, timeout=600)
        await owner.execute("ANALYZE companies, deals")
    finally:
        await owner.close()
    return slug


async def measure_alone(companies: int = COMPANIES) -> ListFigures:
    """On an embedded PostgreSQL of its own."""
    with tempfile.TemporaryDirectory() as directory:
        async with empty_database(Path(directory), "lists") as settings:
            return await measure(settings, Path(directory) / "gateway.log", companies=companies)


def main(arguments: Sequence[str]) -> None:
    """`python -m benchmarks.lists [COMPANIES]`."""
    figures = asyncio.run(measure_alone(int(arguments[0]) if arguments else COMPANIES))
    print("\n".join(figures.sentences()))


if __name__ == "__main__":
    main(sys.argv[1:])
