"""Opaque cursors: a row's place in one ordering of one list under one filter, and of no other."""

import base64
import binascii
import hashlib

import orjson

from gateway.errors import CursorInvalidError
from loaders.keyset import PageRequest, Position

CHECK_BYTES = 9


def scope_of(tenant_id: int, list_name: str, request: PageRequest) -> bytes:
    """What a cursor is bound to: a digest of tenant, list, ordering and filter."""
    bound = [tenant_id, list_name, request.ordering, request.descending, request.filters]
    return hashlib.blake2b(orjson.dumps(bound, default=str), digest_size=16).digest()


def write_cursor(scope: bytes, position: Position) -> str:
    """The cursor of a row, URL-safe and without padding."""
    payload = orjson.dumps([*position])
    return _encoded(_check(scope, payload) + payload)


def read_cursor(scope: bytes, cursor: str, argument: str) -> Position:
    """The place that a cursor names. Raises CURSOR_INVALID for one that is altered, cut off or of another list."""
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        raw = base64.b64decode(padded, altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        raise _invalid(argument) from None
    check, payload = raw[:CHECK_BYTES], raw[CHECK_BYTES:]
    # One spelling only: a decoder overlooks the last bits of the last character, and padding that is there already.
    if check != _check(scope, payload) or _encoded(raw) != cursor:
        raise _invalid(argument)
    return _position(payload, argument)


def _position(payload: bytes, argument: str) -> Position:
    """The check holds for whoever knows how it is made, so what it covers is looked at too."""
    try:
        value, key = orjson.loads(payload)
    except (ValueError, TypeError):
        raise _invalid(argument) from None
    if type(key) is not int or not 0 < key < 2**63 or not isinstance(value, str | None):
        raise _invalid(argument)
    return Position(value, key)


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _check(scope: bytes, payload: bytes) -> bytes:
    return hashlib.blake2b(payload, key=scope, digest_size=CHECK_BYTES).digest()


def _invalid(argument: str) -> CursorInvalidError:
    return CursorInvalidError(extensions={"path": [argument]})
