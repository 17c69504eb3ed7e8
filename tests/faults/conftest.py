"""A PostgreSQL that may be killed."""

from collections.abc import Iterator

import pytest

from gateway.postgres.embedded import EmbeddedPostgres
from tests.servers import postgres_server


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedPostgres]:
    """A server of a module's own, to be killed: what it had committed is there when it is back."""
    with postgres_server(durable=True) as server:
        yield server
