"""Who is asked for cached dashboards, and how."""

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from benchmarks.hits_page import BARE, GET, PEERS, SEVERAL, UNCHANGED, UNPRICED
from benchmarks.machine import on_core
from benchmarks.measure import GATEWAY
from benchmarks.queries import Tenant, bodies, get_requests, headers
from benchmarks.servers import HOST, Server, constant, gateway, peer, respond
from gateway.settings import Settings
from tests.servers import redis_server

SERVER_CORE = 0
HIT, MISS = "x-cache: HIT", "x-cache: MISS"
FILL_SECONDS = 30.0
REDIS_PATIENCE_SECONDS = "5"


class NotAHitError(Exception):
    """An answer that was measured as a hit was none: says whose."""


@contextmanager
def contenders(settings: Settings, logs: Path) -> Iterator[tuple[dict[str, Server], str]]:
    """Who is asked, in this order, and the address of the Redis that the gateway of several has."""
    serve = partial(gateway, settings, cached=True, log_level="warning")  # the peers log nothing
    with ExitStack() as stack:
        with on_core(SERVER_CORE):
            redis_url = stack.enter_context(redis_server(logs))
            ours = replace(stack.enter_context(serve(logs / "gateway.log")), marked=HIT)
            unpriced = stack.enter_context(serve(logs / "unpriced.log", cost_mode="off"))
            several = stack.enter_context(
                serve(logs / "several.log", redis_url=redis_url, redis_timeout_seconds=REDIS_PATIENCE_SECONDS)
            )
            servers = {
                GATEWAY: ours,
                GET: replace(ours, asking=get_requests),
                UNCHANGED: replace(ours, asking=unchanged_requests, status=304),
                UNPRICED: replace(unpriced, marked=HIT),
                SEVERAL: replace(several, marked=HIT),
            }
            for name in PEERS:
                servers[name] = stack.enter_context(peer(name, settings, logs / f"{name}.log"))
            servers[BARE] = stack.enter_context(constant(logs / "bare.log"))
        yield servers, redis_url


def kept(tenants: list[Tenant], server: Server) -> list[bytes]:
    """The bodies of each tenant's dashboard, once a gateway answers from its cache. Raises NotAHitError."""
    return [_kept(tenant, server.port)[1] for tenant in tenants]


def unchanged_requests(operation: str, tenants: list[Tenant], port: int) -> list[str]:
    """An `Asking` by GET, of those who have the answer already: with the ETags of this moment."""
    return get_requests(operation, tenants, port, {tenant.id: _kept(tenant, port)[0]["ETag"] for tenant in tenants})


def _kept(tenant: Tenant, port: int) -> tuple[Mapping[str, str], bytes]:
    (body,) = bodies("dashboard", tenant)
    deadline = time.monotonic() + FILL_SECONDS
    while time.monotonic() < deadline:
        found = respond(f"http://{HOST}:{port}/graphql", headers(tenant), body.encode())
        if found[0]["X-Cache"] == "HIT":
            return found
        time.sleep(0.05)  # a gateway of several trusts its Redis after half a second
    raise NotAHitError(f"the gateway on port {port} keeps no dashboard of {tenant.slug}")
