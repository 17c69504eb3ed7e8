from collections.abc import Iterator

import pytest

from tests.identity.support import KeyServer, public_jwk, serve_keys


@pytest.fixture
def key_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[KeyServer]:
    """A server whose set holds one key of each algorithm: `rsa`, `ec` and `ed`."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with serve_keys(public_jwk("RS256", "rsa"), public_jwk("ES256", "ec"), public_jwk("EdDSA", "ed")) as server:
        yield server
