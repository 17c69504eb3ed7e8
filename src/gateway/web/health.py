"""Whether this process lives, whether it can serve, and its metrics."""

from collections.abc import Awaitable, Callable, Mapping

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import CollectorRegistry
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

NO_STORE = {"Cache-Control": "no-store"}

Check = Callable[[], Awaitable[str | None]]
"""None when all is well, else what is wrong in a sentence."""


async def live(_request: Request) -> Response:
    """200 while the process answers at all."""
    return JSONResponse({"status": "live"}, headers=NO_STORE)


def readiness(checks: Mapping[str, Check]) -> Callable[[Request], Awaitable[Response]]:
    """200 when every check passes, else 503 with what is wrong: a balancer then sends requests elsewhere."""

    async def ready(_request: Request) -> Response:
        found = {name: await check() for name, check in checks.items()}
        faults = {name: fault for name, fault in found.items() if fault}
        body = {"status": "unready" if faults else "ready", "checks": {n: f or "ok" for n, f in found.items()}}
        return JSONResponse(body, 503 if faults else 200, headers=NO_STORE)

    return ready


def metrics(registry: CollectorRegistry, refresh: Callable[[], None]) -> Callable[[Request], Awaitable[Response]]:
    """Metrics in Prometheus' text format; `refresh` brings gauges up to date first."""

    async def scrape(_request: Request) -> Response:
        refresh()
        return Response(generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST, **NO_STORE})

    return scrape
