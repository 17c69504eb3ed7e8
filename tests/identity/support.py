"""What the tests of identity share: a clock to turn, real keys, and a real server of key sets."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import get_default_algorithms

from gateway.terms import Bucket, Terms

TERMS = Terms(
    Bucket(400_000, 20_000),
    most_points=100_000,
    deadline_seconds=60,
    page_size=100,
    bulk_size=1000,
    concurrency=16,
)
"""Those of the largest plan."""
SECRET = "a secret of the tests, long enough for HS256"
NOW = 1_800_000_000.0
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey

RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
ED_KEY = ed25519.Ed25519PrivateKey.generate()
PRIVATE_KEYS: dict[str, PrivateKey] = {"RS256": RSA_KEY, "ES256": EC_KEY, "EdDSA": ED_KEY}


@dataclass
class Clock:
    """A clock that moves when it is told to."""

    now: float = NOW

    def __call__(self) -> float:
        return self.now


def payload(**changes: object) -> dict[str, Any]:
    """A payload that holds at NOW; a change to None leaves the claim out."""
    claims = {"tenant": "acme", "sub": "ann@acme.test", "iat": NOW - 60, "exp": NOW + 600, **changes}
    return {name: value for name, value in claims.items() if value is not None}


def hs256(secret: str = SECRET, **changes: object) -> str:
    """Signed whatever the claims are: `jwt.encode` would refuse some of those a hostile issuer writes."""
    return jwt.PyJWS().encode(json.dumps(payload(**changes)).encode(), secret, algorithm="HS256")


def signed_by(algorithm: str, key_id: str | None, key: PrivateKey | None = None, **changes: object) -> str:
    headers = {} if key_id is None else {"kid": key_id}
    return jwt.encode(payload(**changes), key or PRIVATE_KEYS[algorithm], algorithm=algorithm, headers=headers)


def public_jwk(algorithm: str, key_id: str | None, key: PrivateKey | None = None) -> dict[str, Any]:
    public_key = (key or PRIVATE_KEYS[algorithm]).public_key()
    entry = dict(get_default_algorithms()[algorithm].to_jwk(public_key, as_dict=True))
    return {**entry, "alg": algorithm} if key_id is None else {**entry, "alg": algorithm, "kid": key_id}


@dataclass
class KeyServer:
    """An HTTP server of one key set, which can be changed, broken and held back while it runs."""

    url: str = ""
    body: bytes = b""
    status: int = 200
    fetches: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    open_gate: threading.Event = field(default_factory=threading.Event)

    def publish(self, *entries: object) -> None:
        self.body = json.dumps({"keys": entries}).encode()


@contextmanager
def serve_keys(*entries: object) -> Iterator[KeyServer]:
    served = KeyServer()
    served.open_gate.set()
    served.publish(*entries)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.fetches += 1
            served.open_gate.wait(10)
            self.send_response(served.status)
            for name, value in served.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(served.body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        served.url = f"http://127.0.0.1:{server.server_port}/keys"
        try:
            yield served
        finally:
            served.open_gate.set()
            server.shutdown()
            thread.join()
