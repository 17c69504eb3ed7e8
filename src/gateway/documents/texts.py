"""The texts of documents by their hash, in this process: bounded in bytes, the least recently used leave first."""

import sys
from collections import OrderedDict
from hashlib import sha256

LARGEST_TEXT_CHARACTERS = 32_768
"""A longer text is kept nowhere: its client sends it each time."""
ENTRY_BYTES = 300
"""What the hash and the entry itself take, about."""


def digest(text: str) -> str:
    """The SHA-256 of a text in UTF-8, in lower-case hexadecimal digits."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


class KeptTexts:
    """A hash gives the same string object each time, by which parsed documents are found without hashing it anew."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._texts: OrderedDict[str, str] = OrderedDict()
        self.kept_bytes = 0

    def get(self, hash_: str) -> str | None:
        text = self._texts.get(hash_)
        if text is not None:
            self._texts.move_to_end(hash_)
        return text

    def keep(self, hash_: str, text: str) -> None:
        """`hash_` is the text's digest: whoever calls has made sure of it."""
        if hash_ not in self._texts:
            self._texts[hash_] = text
            self.kept_bytes += _bytes(text)
        self._texts.move_to_end(hash_)
        while self.kept_bytes > self._limit_bytes:
            self.kept_bytes -= _bytes(self._texts.popitem(last=False)[1])


def _bytes(text: str) -> int:
    return sys.getsizeof(text) + ENTRY_BYTES
