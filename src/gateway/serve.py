"""Running the service under uvicorn, in one process or several."""

import os
import signal
import socket
import sys
import tempfile
from typing import Any, NoReturn

import uvicorn

from gateway.settings import ConfigurationError, Settings


def serve(settings: Settings, *, host: str, port: int, workers: int) -> None:
    """Serves until a signal ends it. Several processes read their settings from the environment again."""
    if workers == 1:
        serve_one(settings, host=host, port=port)
        return
    if settings.redis_url is None:
        raise ConfigurationError("REDIS_URL is not set: several workers need it to see each other's changes.")
    with tempfile.TemporaryDirectory(prefix="gateway-metrics-") as directory:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = directory
        uvicorn.run("gateway.app:create_app", factory=True, workers=workers, **_options(settings, host, port))


def serve_one(settings: Settings, *, host: str, port: int) -> None:
    """Serves in this process. SIGTERM ends it like Ctrl-C: everything above is left in order."""
    from gateway.app import create_app

    check_port(host, port)
    signal.signal(signal.SIGTERM, _leave)
    uvicorn.run(create_app(settings), **_options(settings, host, port))


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
        "log_config": None,
        "access_log": False,
        "server_header": False,
        "lifespan": "on",
        "timeout_graceful_shutdown": int(settings.request_deadline_seconds) + 1,
    }


def _leave(_signal: int, _frame: object) -> NoReturn:
    sys.exit(0)
