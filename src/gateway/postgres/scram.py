"""Passwords as the verifiers that PostgreSQL stores, so that no password is ever part of a statement."""

import hashlib
import hmac
import os
import re
import unicodedata
from base64 import b64decode, b64encode

ITERATIONS = 4096
SALT_BYTES = 16


def scram_verifier(password: str, *, salt: bytes | None = None, iterations: int = ITERATIONS) -> str:
    """The verifier of RFC 5803, `SCRAM-SHA-256$iterations:salt$stored key:server key`."""
    salt = salt or os.urandom(SALT_BYTES)
    normalized = unicodedata.normalize("NFKC", password).encode()
    salted = hashlib.pbkdf2_hmac("sha256", normalized, salt, iterations)
    stored_key = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server_key = hmac.digest(salted, b"Server Key", "sha256")
    encoded = [b64encode(part).decode() for part in (salt, stored_key, server_key)]
    return f"SCRAM-SHA-256${iterations}:{encoded[0]}${encoded[1]}:{encoded[2]}"


def verifies(verifier: str | None, password: str) -> bool:
    """Whether `verifier` was made from `password`."""
    parts = re.match(r"SCRAM-SHA-256\$(\d+):([^$]+)\$", verifier or "")
    if parts is None:
        return False
    return verifier == scram_verifier(password, salt=b64decode(parts[2]), iterations=int(parts[1]))
