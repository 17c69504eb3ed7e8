"""Measuring: alternating rounds of load on both servers, and what is told of them."""

import asyncio
import json
import re
import statistics
import sys
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field

from benchmarks.generator import Job, Load
from benchmarks.queries import Tenant
from benchmarks.servers import HOST, Server, get

GATEWAY, PLAIN = "gateway", "plain"
MIX, LARGEST = "mix", "largest"
CPU_SECONDS = "cpu_seconds"
REQUESTS, STATEMENTS, SQL_SECONDS = (
    "gateway_requests_total",
    "gateway_statement_seconds_count",
    "gateway_statement_seconds_sum",
)
EXECUTE_SECONDS = 'gateway_stage_seconds_sum{stage="execute"}'
EXECUTIONS = 'gateway_stage_seconds_count{stage="execute"}'
COUNTER = re.compile(r"^(\w+)(\{.*\})? (\S+)$", re.MULTILINE)


@dataclass(frozen=True)
class Pace:
    """How long is measured: rounds of each server, in turns."""

    rounds: int
    warmup_seconds: float
    seconds: float


@dataclass(frozen=True)
class Question:
    """`tenants`: `mix` or `largest`."""

    operation: str
    tenants: str
    connections: int

    def __str__(self) -> str:
        return f"{self.operation}, {self.tenants}, {self.connections} connections"


@dataclass(frozen=True)
class Cell:
    """What one server made of one question. Rates are requests a second, the median of `rounds`; times are ms.

    `cpu_ms`: CPU time of the server's own process for a request, PostgreSQL's aside: what a busy machine does not blur.
    `stages`: mean times of the gateway's stages; `statements`: of one request, on average; `sql_share`: of the stage
    `execute`, waited for statements.
    """

    question: Question
    server: str
    rate: float
    rounds: list[float]
    requests: int
    errors: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    mean_ms: float
    cpu_ms: float
    stages: dict[str, float] = field(default_factory=dict)
    statements: float | None = None
    sql_share: float | None = None


async def run_load(job: Job) -> Load:
    """What the load generator saw, in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.generator"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate(json.dumps(asdict(job)).encode())
    if process.returncode:
        raise RuntimeError("the load generator failed")
    return Load(**json.loads(output))


async def compare(
    question: Question, tenants: list[Tenant], servers: Mapping[str, Server], pace: Pace, tell: Callable[[], None]
) -> list[Cell]:
    """A cell for each server, asked in its own way; `tell` is called after each round of each. Rounds begin with one
    server after the other: who comes first after a pause is slower."""
    asking = tenants if question.tenants == MIX else tenants[:1]
    loads: defaultdict[str, list[Load]] = defaultdict(list)
    counted: defaultdict[str, defaultdict[str, float]] = defaultdict(lambda: defaultdict(float))
    order = list(servers)
    for _ in range(pace.rounds):
        for name in order:
            server = servers[name]
            requests = server.asking(question.operation, asking, server.port)
            job = Job(
                *(HOST, server.port, requests, question.connections, pace.warmup_seconds, pace.seconds),
                status=server.status,
                marked=server.marked,
            )
            before = _counters(server)
            loads[name].append(await run_load(job))
            for counter, value in _counters(server).items():
                counted[name][counter] += value - before.get(counter, 0.0)
            tell()
        order.append(order.pop(0))
    return [_cell(question, name, loads[name], counted[name]) for name in servers]


def percentile(values: list[float], share: float) -> float:
    """The value below which that share of `values` lies; not a number without values."""
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)] if ordered else float("nan")


def _cell(question: Question, server: str, loads: list[Load], counted: Mapping[str, float]) -> Cell:
    times = [milliseconds for load in loads for milliseconds in load.milliseconds]
    rounds = [load.completed / load.seconds if load.seconds else 0.0 for load in loads]
    stages: defaultdict[str, list[float]] = defaultdict(list)
    for load in loads:
        for stage, milliseconds in load.stage_milliseconds.items():
            stages[stage] += milliseconds
    requests = sum(load.answered for load in loads)
    reported, executing = counted.get(REQUESTS), counted.get(EXECUTE_SECONDS)
    return Cell(
        question=question,
        server=server,
        rate=statistics.median(rounds),
        rounds=rounds,
        requests=len(times),
        errors=sum(load.errors for load in loads),
        p50_ms=percentile(times, 0.50),
        p95_ms=percentile(times, 0.95),
        p99_ms=percentile(times, 0.99),
        mean_ms=statistics.fmean(times) if times else float("nan"),
        cpu_ms=counted[CPU_SECONDS] * 1000 / requests if requests else float("nan"),
        stages={stage: statistics.fmean(values) for stage, values in stages.items()},
        statements=counted[STATEMENTS] / reported if reported else None,
        sql_share=counted[SQL_SECONDS] / executing if executing else None,
    )


def _counters(server: Server) -> dict[str, float]:
    """The process's CPU time, and a gateway's own counters, summed over their labels."""
    totals = {CPU_SECONDS: server.cpu_seconds()}
    if server.counts:
        totals |= metrics(server)
    return totals


def metrics(server: Server) -> dict[str, float]:
    """A gateway's counters, each alone and summed over its labels."""
    totals: defaultdict[str, float] = defaultdict(float)
    for name, labels, value in COUNTER.findall(get(f"http://{HOST}:{server.port}/metrics").decode()):
        totals[name] += float(value)
        totals[name + labels] = float(value)
    return totals
