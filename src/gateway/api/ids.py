"""Opaque global ids: which type, which record. They name a record, they grant nothing."""

import base64
import binascii

from gateway.errors import BadUserInputError

LARGEST_KEY = 2**63 - 1
LONGEST_ID_CHARACTERS = 100


def encode_id(type_name: str, key: int) -> str:
    """The global id of a record, URL-safe and without padding."""
    return base64.urlsafe_b64encode(f"{type_name}:{key}".encode()).rstrip(b"=").decode()


def decode_id(global_id: str) -> tuple[str, int]:
    """Type and key of a global id. Raises BAD_USER_INPUT for anything that is not one."""
    if len(global_id) > LONGEST_ID_CHARACTERS:
        raise _not_an_id()
    try:
        padded = global_id.encode("ascii") + b"=" * (-len(global_id) % 4)
        type_name, _, key = base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii").partition(":")
    except (ValueError, binascii.Error):
        raise _not_an_id() from None
    if not (type_name.isalpha() and key.isdigit() and len(key) <= 19 and 0 < int(key) <= LARGEST_KEY):
        raise _not_an_id()
    return type_name, int(key)


def key_of(type_name: str, global_id: str, argument: str) -> int:
    """The key of an id that must be of one type. Raises BAD_USER_INPUT with the argument's name."""
    found, key = _decode_argument(global_id, argument)
    if found != type_name:
        raise BadUserInputError(
            f"`{argument}` is the id of a {found}; the id of a {type_name} is wanted.", extensions={"path": [argument]}
        )
    return key


def optional_key_of(type_name: str, global_id: str | None, argument: str) -> int | None:
    """As `key_of`, None for an argument that is null or absent."""
    return None if global_id is None else key_of(type_name, global_id, argument)


def _decode_argument(global_id: str, argument: str) -> tuple[str, int]:
    try:
        return decode_id(global_id)
    except BadUserInputError as error:
        raise BadUserInputError(
            f"`{argument}` is not an id: {error.message}", extensions={"path": [argument]}
        ) from None


def _not_an_id() -> BadUserInputError:
    return BadUserInputError("Ids are opaque: send one exactly as an earlier answer gave it.")
