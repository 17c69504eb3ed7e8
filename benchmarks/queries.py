"""What is asked: three operations, by a mix of tenants or by the largest one."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlencode

import asyncpg

from benchmarks.generator import EACH_TIME
from benchmarks.plain.app import TENANT_HEADER
from benchmarks.plain.context import global_id
from gateway.settings import Settings
from gateway.tokens import issue_token
from gateway.web.default_query import DEFAULT_QUERY

DEALS = """
total open won lost pipelineValue weightedValue wonValue lostValue winRate averageDealSize averageCycleDays
"""

PIPELINE_STATS = f"""
query PipelineStats {{
  pipelineStats(period: {{ preset: LAST_90_DAYS }}) {{
    asOf
    pipeline {{ id name isDefault stages {{ id name position probability kind }} }}
    deals {{ {DEALS} }}
    stages {{
      stage {{ id name position probability kind }}
      deals value weightedValue share averageAgeDays entered left conversionToNext medianDaysInStage
    }}
    trend(interval: WEEK) {{ start created won lost wonValue }}
  }}
}}
"""

COMPANY_ANALYTICS = f"""
query CompanyAnalytics($companyId: ID!) {{
  companyAnalytics(companyId: $companyId) {{
    asOf
    company {{
      id name industry region website employees createdAt updatedAt owner {{ id name email role team }}
    }}
    deals {{ {DEALS} }}
    activities {{ total today week byKind {{ kind count }} }}
    engagement {{ score health components {{ name points maxPoints explanation }} }}
    lastContactAt
    trend(interval: MONTH) {{ start created won lost wonValue }}
  }}
}}
"""

OPERATIONS = {"dashboard": DEFAULT_QUERY, "pipelineStats": PIPELINE_STATS, "companyAnalytics": COMPANY_ANALYTICS}

# Of a hundred tenants, the largest has 150 times the deals of the smallest; these ranks are spread over all of them.
RANKS = (1, 2, 3, 5, 8, 13, 21, 34, 55, 89)
COMPANIES_PER_TENANT = 5

NO_ETAGS: Mapping[int, str] = {}

TENANTS = "SELECT id, slug FROM tenants ORDER BY id"
COMPANIES = """
SELECT id FROM companies WHERE tenant_id = $1 AND deleted_at IS NULL ORDER BY id LIMIT $2
"""


@dataclass(frozen=True)
class Tenant:
    """Who asks. `token`: for the gateway; `id`: what the plain server is told; `companies`: global ids."""

    id: int
    slug: str
    token: str
    companies: tuple[str, ...]


Asking = Callable[[str, list[Tenant], int], list[str]]
"""Whole HTTP requests for an operation, to a port; tenants take turns."""


async def find_tenants(settings: Settings, ranks: Sequence[int] = RANKS) -> list[Tenant]:
    """The tenants that ask, the largest first: those of the ranks by size that there are."""
    connection = await asyncpg.connect(settings.require("migration_database_url"))
    try:
        rows = await connection.fetch(TENANTS)
        return [await _tenant(connection, settings, rows[rank - 1]) for rank in ranks if rank <= len(rows)]
    finally:
        await connection.close()


def bodies(operation: str, tenant: Tenant, *, anew: bool = False) -> list[str]:
    """The bodies of a tenant's requests for an operation. `anew`: with a variable that differs each time."""
    query, more = OPERATIONS[operation], {"anew": EACH_TIME} if anew else {}
    companies = [{"companyId": company} for company in tenant.companies] if operation == "companyAnalytics" else [{}]
    asked = {"query": _asking_anew(query) if anew else query}
    return [json.dumps(asked | ({"variables": given} if (given := own | more) else {})) for own in companies]


def _asking_anew(query: str) -> str:
    """The same, and the name of a type that there is not: no answer to it can be kept already, nothing more is read."""
    head, brace, rest = query.partition(" {")
    declared = f"{head[:-1]}, $anew: String!)" if head.endswith(")") else f"{head}($anew: String!)"
    return f"{declared}{brace}\n  __type(name: $anew) {{ name }}{rest}"


def headers(tenant: Tenant) -> dict[str, str]:
    """Headers that satisfy both servers, so that both get the same bytes."""
    return {
        "Content-Type": "application/json",
        "Authorization": f"Bearer {tenant.token}",
        TENANT_HEADER: str(tenant.id),
    }


def http_requests(operation: str, tenants: list[Tenant], port: int, *, anew: bool = False) -> list[str]:
    """An `Asking` by POST."""
    by_tenant = [[request(tenant, body, port) for body in bodies(operation, tenant, anew=anew)] for tenant in tenants]
    return [request for turn in zip(*by_tenant, strict=True) for request in turn]


anew_requests: Asking = partial(http_requests, anew=True)
"""By POST, of answers that no cache can have."""


def get_requests(operation: str, tenants: list[Tenant], port: int, etags: Mapping[int, str] = NO_ETAGS) -> list[str]:
    """An `Asking` by GET, of what needs no variables. `etags`: of the answers that tenants have, by their id."""
    target = "/graphql?" + urlencode({"query": OPERATIONS[operation]})
    had = {tenant.id: {"If-None-Match": etags[tenant.id]} if etags else {} for tenant in tenants}
    return [_head("GET", target, port, headers(tenant) | had[tenant.id]) for tenant in tenants]


def request(tenant: Tenant, body: str, port: int) -> str:
    """One whole HTTP request by POST."""
    fields = {**headers(tenant), "Content-Length": str(len(body.encode()))}
    return _head("POST", "/graphql", port, fields) + body


def _head(method: str, target: str, port: int, fields: Mapping[str, str]) -> str:
    lines = "".join(f"{name}: {value}\r\n" for name, value in {"Host": f"127.0.0.1:{port}", **fields}.items())
    return f"{method} {target} HTTP/1.1\r\n{lines}\r\n"


async def _tenant(connection: Any, settings: Settings, row: Any) -> Tenant:
    companies = await connection.fetch(COMPANIES, row["id"], COMPANIES_PER_TENANT)
    token = (await issue_token(settings, row["slug"], email=None, role="viewer")).token
    ids = tuple(str(global_id("Company", company["id"])) for company in companies)
    return Tenant(row["id"], row["slug"], token, ids)
