"""What the gateway tells its operators: typed events become Prometheus metrics and structured log lines."""

import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.multiprocess import MultiProcessCollector

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

# Operation names are the callers' words: past this many distinct ones they are counted together,
# so that nobody can fill the metrics with invented names.
OPERATION_NAME_LIMIT = 200
OTHER_OPERATION = "(other)"


class Stopwatch:
    """Seconds spent in each stage of one request, in the order the stages began."""

    def __init__(self) -> None:
        self.started = time.perf_counter()
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        begun = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - begun

    def total_seconds(self) -> float:
        return time.perf_counter() - self.started


class RequestFinished(NamedTuple):
    """`outcome`: `ok`, or the code of the first error. `statements`: how many the request issued."""

    request_id: str
    operation: str | None
    kind: str | None
    tenant: str | None
    outcome: str
    status: int
    seconds: float
    stages: dict[str, float]
    statements: int
    cache: str
    requested_points: int
    paid_points: int


@dataclass(frozen=True, slots=True)
class StatementFinished:
    name: str
    seconds: float
    rows: int


@dataclass(frozen=True, slots=True)
class RollupFolded:
    """`deltas`: how many were moved into what is pending."""

    rollup: str
    deltas: int
    seconds: float


@dataclass(frozen=True, slots=True)
class RollupRefreshed:
    rollup: str
    groups: int
    seconds: float


@dataclass(frozen=True, slots=True)
class RollupAudited:
    """`groups` were compared with the truth, `differing` of them were wrong."""

    rollup: str
    groups: int
    differing: int


def process_registry() -> tuple[CollectorRegistry, CollectorRegistry]:
    """Where this process counts, and what a scrape shows: with several processes, the sum of all of them."""
    own = CollectorRegistry()
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return own, own
    shared = CollectorRegistry()
    collect: Any = MultiProcessCollector
    collect(shared)
    return own, shared


class Observer:
    """Takes events, keeps the process's metrics, writes its log."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self.log = structlog.get_logger("gateway")
        self.answered_at = float("-inf")
        """When the database last answered a statement, by the monotonic clock."""
        self._operations: set[str] = set()
        self._series: dict[tuple[str, str, str], tuple[Counter, Counter, Histogram]] = {}
        self._stage_series: dict[str, Histogram] = {}
        self._requests = Counter(
            "gateway_requests_total", "Requests by operation and outcome.", ["operation", "outcome"], registry=registry
        )
        self._stages = Histogram(
            "gateway_stage_seconds",
            "Time spent in a stage of a request.",
            ["stage"],
            buckets=SECONDS,
            registry=registry,
        )
        self._request_seconds = Histogram(
            "gateway_request_seconds", "Time of whole requests.", ["operation"], buckets=SECONDS, registry=registry
        )
        self._statements = Histogram(
            "gateway_statement_seconds", "Time of SQL statements.", ["statement"], buckets=SECONDS, registry=registry
        )
        self._pool = Gauge(
            "gateway_pool_connections",
            "Database connections of the pool by state.",
            ["state"],
            registry=registry,
            multiprocess_mode="livesum",
        )
        self._waiting = Gauge(
            "gateway_pool_waiting",
            "Requests that wait for their turn at a database connection.",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self._waits = Histogram(
            "gateway_pool_wait_seconds",
            "Time that requests waited for their turn at a database connection.",
            buckets=SECONDS,
            registry=registry,
        )
        self._refusals = Counter(
            "gateway_pool_refusals_total", "Requests whose turn did not come, by error.", ["code"], registry=registry
        )
        self._persisted = Counter(
            "gateway_persisted_documents_total",
            "Documents that requests named by hash, by where their text was found.",
            ["found"],
            registry=registry,
        )
        self._redis_faults = Counter(
            "gateway_redis_faults_total",
            "Uses of Redis that failed or took too long, by what it was used for.",
            ["use"],
            registry=registry,
        )

        self._points = Counter(
            "gateway_cost_points_total",
            "Points of operations that were executed: requested before, paid after.",
            ["kind"],
            registry=registry,
        )
        self._paused = Counter(
            "gateway_refusals_paused_total",
            "Refusals told with a pause, since their tenant had been refused many times within the second.",
            registry=registry,
        )
        self._over_budget = Counter(
            "gateway_cost_over_budget_total",
            "Operations that did not fit into their tenant's budget, by mode: refused where it is enforce.",
            ["mode"],
            registry=registry,
        )
        self._cached = Counter(
            "gateway_cache_requests_total", "Requests by what the response cache did.", ["status"], registry=registry
        )
        self._cache_bytes = Gauge(
            "gateway_cache_bytes", "Memory of kept answers.", registry=registry, multiprocess_mode="livesum"
        )
        self._cache_entries = Gauge(
            "gateway_cache_entries", "Kept answers.", registry=registry, multiprocess_mode="livesum"
        )
        self._echoes = Histogram(
            "gateway_listener_lag_seconds",
            "Time from sending a notice to hearing it.",
            buckets=SECONDS,
            registry=registry,
        )
        self._folded = Counter("gateway_rollup_deltas_folded_total", "Deltas folded.", ["rollup"], registry=registry)
        self._rollup_seconds = Histogram(
            "gateway_rollup_seconds",
            "Time of folds and refreshes.",
            ["rollup", "work"],
            buckets=SECONDS,
            registry=registry,
        )
        self._differing = Counter(
            "gateway_rollup_groups_differing_total",
            "Groups whose live sums were not the truth when they were audited. Anything but 0 is a defect.",
            ["rollup"],
            registry=registry,
        )

    def request(self, event: RequestFinished) -> None:
        requests, cached, request_seconds = self._series_of(event)
        requests.inc()
        cached.inc()
        request_seconds.observe(event.seconds)
        for stage, seconds in event.stages.items():
            self._series_of_stage(stage).observe(seconds)
        if self._logs_requests:
            self._log_request(event)

    @cached_property
    def _logs_requests(self) -> bool:
        return bool(self.log.is_enabled_for(logging.INFO))

    def _log_request(self, event: RequestFinished) -> None:
        self.log.info(
            "request",
            request_id=event.request_id,
            operation=event.operation,
            kind=event.kind,
            tenant=event.tenant,
            outcome=event.outcome,
            status=event.status,
            duration_ms=_ms(event.seconds),
            statements=event.statements,
            cache=event.cache,
            requested_points=event.requested_points,
            paid_points=event.paid_points,
        )

    def over_budget(self, mode: str) -> None:
        """An operation was refused, or would have been."""
        self._over_budget.labels(mode).inc()

    def refusal_paused(self) -> None:
        """A tenant was refused so often within a second that it is told with a pause."""
        self._paused.inc()

    def paid(self, requested: int, paid: int) -> None:
        """Of an operation that was executed, in points."""
        self._points.labels("requested").inc(requested)
        self._points.labels("paid").inc(paid)

    def statement(self, event: StatementFinished) -> None:
        self.answered_at = time.monotonic()
        self._statements.labels(event.name).observe(event.seconds)

    def folded(self, event: RollupFolded) -> None:
        self._folded.labels(event.rollup).inc(event.deltas)
        self._rollup_seconds.labels(event.rollup, "fold").observe(event.seconds)
        self.log.debug("rollup folded", rollup=event.rollup, deltas=event.deltas, duration_ms=_ms(event.seconds))

    def refreshed(self, event: RollupRefreshed) -> None:
        self._rollup_seconds.labels(event.rollup, "refresh").observe(event.seconds)
        self.log.info("rollup refreshed", rollup=event.rollup, groups=event.groups, duration_ms=_ms(event.seconds))

    def audited(self, event: RollupAudited) -> None:
        """Counts also when nothing differs, so that the metric is there to be watched."""
        self._differing.labels(event.rollup).inc(event.differing)

    def pool(self, *, busy: int, idle: int, waiting: int) -> None:
        self._pool.labels("busy").set(busy)
        self._pool.labels("idle").set(idle)
        self._waiting.set(waiting)

    def place_taken(self, waited_seconds: float) -> None:
        self._waits.observe(waited_seconds)

    def place_refused(self, code: str) -> None:
        self._refusals.labels(code).inc()

    def cache(self, *, entries: int, size_bytes: int) -> None:
        self._cache_entries.set(entries)
        self._cache_bytes.set(size_bytes)

    def echo(self, seconds: float) -> None:
        """A notice that this process sent to itself came back."""
        self._echoes.observe(seconds)

    def persisted(self, found: str) -> None:
        self._persisted.labels(found).inc()

    def redis_fault(self, use: str, error: BaseException) -> None:
        """Redis is a help that may be missing: whoever meets a fault goes on without it."""
        self._redis_faults.labels(use).inc()
        self.log.debug("redis failed", use=use, error=str(error) or type(error).__name__)

    def fault(self, message: str, *, error: BaseException, **context: Any) -> None:
        """An error that is ours: its trace goes to the log, never to the caller."""
        self.log.error(message, exc_info=error, **context)

    def _series_of(self, event: RequestFinished) -> tuple[Counter, Counter, Histogram]:
        """Where requests like this are counted. Finding that takes the library longer than counting."""
        operation = self._bounded(event.operation)
        key = (operation, event.outcome, event.cache)
        found = self._series.get(key)
        if found is None:
            found = self._series[key] = (
                self._requests.labels(operation, event.outcome),
                self._cached.labels(event.cache),
                self._request_seconds.labels(operation),
            )
        return found

    def _series_of_stage(self, stage: str) -> Histogram:
        found = self._stage_series.get(stage)
        if found is None:
            found = self._stage_series[stage] = self._stages.labels(stage)
        return found

    def _bounded(self, operation: str | None) -> str:
        name = operation or "(anonymous)"
        if name not in self._operations:
            if len(self._operations) >= OPERATION_NAME_LIMIT:
                return OTHER_OPERATION
            self._operations.add(name)
        return name


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 2)


def configure_logging(level: str, log_format: str) -> None:
    """Structured lines on standard error, from us and from the libraries that log through `logging`."""
    renderer: Any = (
        structlog.processors.JSONRenderer() if log_format == "json" else structlog.dev.ConsoleRenderer(colors=False)
    )
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
