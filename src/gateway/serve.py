"""Running the service under uvicorn, in one process or several."""

import gc
import os
import signal
import socket
import tempfile
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import uvicorn

from gateway.settings import ConfigurationError, Settings

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from gateway.app import Beside

OBJECTS_BETWEEN_COLLECTIONS = 10_000
PROTOCOL = "gateway.web.protocol:HitsProtocol"
"""By name: whoever only starts other processes need not import it."""


def serve(settings: Settings, *, host: str, port: int, workers: int) -> None:
    """Serves until a signal ends it. Several processes read their settings from the environment again."""
    if workers == 1:
        serve_one(settings, host=host, port=port)
    else:
        _serve_many(settings, host=host, port=port, workers=workers)


def serve_one(
    settings: Settings,
    *,
    host: str,
    port: int,
    ready: Callable[[], None] | None = None,
    beside: "Beside | None" = None,
) -> None:
    """Serves in this process, with `beside` running along; calls `ready` when requests are accepted.

    SIGTERM ends it like Ctrl-C: everything above is left in order.
    """
    from gateway.app import create_app

    check_port(host, port)
    app = create_app(settings, beside=beside)
    collect_seldom()
    server = _Server(uvicorn.Config(app, **_options(settings, host, port)), ready)
    leave_on_sigterm()
    with suppress(KeyboardInterrupt):
        server.run()


def leave_on_sigterm() -> None:
    """From here on SIGTERM is a Ctrl-C, which asyncio turns into a cancellation: what was started is stopped."""
    # A shell that starts a command in the background has it ignore Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))


def _serve_many(settings: Settings, *, host: str, port: int, workers: int) -> None:
    from gateway.app import token_config, trusted_documents
    from gateway.observe import configure_logging

    # What is wrong is said here, once: a worker that cannot start would be started again and again.
    if settings.redis_url is None:
        raise ConfigurationError("REDIS_URL is not set: several workers need it to see each other's changes.")
    settings.require("database_url")
    token_config(settings)
    trusted_documents(settings)
    check_port(host, port)
    configure_logging(settings.log_level, settings.log_format)
    with tempfile.TemporaryDirectory(prefix="gateway-metrics-") as directory:
        # In the workers' environment before they import prometheus_client, which reads it then.
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = directory
        uvicorn.run("gateway.serve:worker_app", factory=True, workers=workers, **_options(settings, host, port))


def worker_app() -> "Starlette":
    """The application of one process of several, which reads its settings from the environment."""
    from gateway.app import create_app

    app = create_app()
    collect_seldom()
    return app


def collect_seldom() -> None:
    """What is loaded by now stays: the collector need not look through it again, nor after every few hundred objects.

    An answer makes thousands of objects, which reference counts free; few are in cycles.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, ready: Callable[[], None] | None) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and self._ready:
            self._ready()


def check_port(host: str, port: int) -> None:
    """Raises ConfigurationError when the port cannot be listened on."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ConfigurationError(
                f"Cannot listen on {host}:{port} ({error.strerror}): choose another port with --port."
            ) from None


def _options(settings: Settings, host: str, port: int) -> dict[str, Any]:
    return {
        "host": host,
        "port": port,
        "http": PROTOCOL,
        "log_config": None,
        "access_log": False,
        "server_header": False,
        "lifespan": "on",
        "timeout_graceful_shutdown": int(settings.request_deadline_seconds) + 1,
    }
