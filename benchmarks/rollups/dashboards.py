"""Whole dashboards over HTTP, nothing cached: over databases of different sizes in turns, and for many users."""

import json
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from benchmarks.generator import Job
from benchmarks.measure import Pace, percentile, run_load
from benchmarks.queries import Tenant, find_tenants, request
from benchmarks.rollups.subject import Subject
from benchmarks.servers import HOST, Server, gateway
from gateway.web.default_query import DEFAULT_QUERY

SCANNING = ("conversionToNext", "medianDaysInStage", "withDeals")
"""Fields that no sum answers: distinct deals, a median, companies that have any."""

USERS = 100
PAUSE_SECONDS = 1.0


def without_scans(query: str) -> str:
    for field in SCANNING:
        assert f" {field}" in query
        query = query.replace(f" {field}", "")
    return query


QUERIES = {"dashboard": DEFAULT_QUERY, "without the fields that scan": without_scans(DEFAULT_QUERY)}
MIX, LARGEST = "mix", "largest"


@dataclass(frozen=True)
class Dashboard:
    """p50 of one connection's requests. `query`: of QUERIES; `tenants`: `mix` or `largest`."""

    deals: int
    query: str
    tenants: str
    p50_ms: float
    errors: int


@dataclass(frozen=True)
class Users:
    """Users who pause a second after each answer, on one gateway process. `query`: of QUERIES."""

    query: str
    users: int
    pause_seconds: float
    requests: int
    errors: int
    p50_ms: float
    p95_ms: float
    p99_ms: float

    @property
    def error_share(self) -> float:
        return self.errors / max(self.requests, 1)


async def ask_in_turns(subjects: Sequence[Subject], pace: Pace) -> list[Dashboard]:
    """Each query by the mix and by the largest tenant, of each database."""
    times: defaultdict[tuple[str, str, int], list[float]] = defaultdict(list)
    errors: defaultdict[tuple[str, str, int], int] = defaultdict(int)
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as logs, ExitStack() as stack:
        sides = [
            (subject.deals, _serve(stack, subject, Path(logs)), await find_tenants(subject.settings))
            for subject in subjects
        ]
        for _ in range(pace.rounds):
            for query, text in QUERIES.items():
                for tenants in (MIX, LARGEST):
                    for deals, server, found in sides:
                        requests = _requests(text, found if tenants == MIX else found[:1], server)
                        load = await run_load(Job(HOST, server.port, requests, 1, pace.warmup_seconds, pace.seconds))
                        times[query, tenants, deals] += load.milliseconds
                        errors[query, tenants, deals] += load.errors
    return [
        Dashboard(deals, query, tenants, percentile(found, 0.5), errors[query, tenants, deals])
        for (query, tenants, deals), found in times.items()
    ]


async def serve_users(subject: Subject, seconds: float) -> list[Users]:
    """A hundred users of the mix of tenants, each asking once more a second after the last answer; for each query."""
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as logs, ExitStack() as stack:
        server = _serve(stack, subject, Path(logs))
        tenants = await find_tenants(subject.settings)
        return [
            await _serve_users(query, _requests(text, tenants, server), server, seconds)
            for query, text in QUERIES.items()
        ]


async def _serve_users(query: str, requests: list[str], server: Server, seconds: float) -> Users:
    load = await run_load(Job(HOST, server.port, requests, USERS, 2 * PAUSE_SECONDS, seconds, PAUSE_SECONDS))
    middle, most, nearly_all = (percentile(load.milliseconds, share) for share in (0.5, 0.95, 0.99))
    return Users(query, USERS, PAUSE_SECONDS, load.completed, load.errors, middle, most, nearly_all)


def _serve(stack: ExitStack, subject: Subject, logs: Path) -> Server:
    return stack.enter_context(gateway(subject.settings, logs / f"gateway-{subject.deals}.log"))


def _requests(query: str, tenants: Sequence[Tenant], server: Server) -> list[str]:
    body = json.dumps({"query": query})
    return [request(tenant, body, server.port) for tenant in tenants]
