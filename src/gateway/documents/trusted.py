"""The directory of trusted documents: files `<SHA-256 of the text>.graphql`, added and removed while gateways run."""

import os
import re
import secrets
import time
from collections.abc import Mapping
from pathlib import Path

from gateway.documents.texts import digest

NAME = re.compile(r"([0-9a-f]{64})\.graphql", re.ASCII)
BELIEVED_SECONDS = 1.0
"""So long the list of names is believed: a hash that is not there costs no look at the disk each time."""
GRAIN_SECONDS = 2.0
"""A directory that changed so lately may change again without its time of change telling."""


class TrustedDocuments:
    """What the directory holds, as it was a second ago at most. A directory that cannot be read holds nothing."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._hashes: frozenset[str] = frozenset()
        self._believed_until = 0.0
        self._changed: float | None = None

    def __contains__(self, hash_: str) -> bool:
        if time.monotonic() >= self._believed_until:
            self._look()
            self._believed_until = time.monotonic() + BELIEVED_SECONDS
        return hash_ in self._hashes

    def _look(self) -> None:
        """Lists the directory, if it has changed since: listing a thousand files takes a millisecond or more."""
        try:
            changed = self.directory.stat().st_mtime
        except OSError:
            changed = None
        if changed is None or changed != self._changed:
            settled = changed is not None and time.time() - changed > GRAIN_SECONDS
            self._changed = changed if settled else None
            self._hashes = frozenset(self.hashes())

    def hashes(self) -> list[str]:
        """The hashes that files are named by, in order."""
        try:
            names = os.listdir(self.directory)
        except OSError:
            return []
        return sorted(found[1] for name in names if (found := NAME.fullmatch(name)))

    def get(self, hash_: str) -> str | None:
        """The text; None where there is none, or its file holds another than its name says."""
        return self.read(hash_) if hash_ in self else None

    def read(self, hash_: str) -> str | None:
        try:
            text = self._file(hash_).read_bytes().decode("utf-8", "replace")
        except OSError:
            return None
        return text if digest(text) == hash_ else None

    def add(self, texts: Mapping[str, str]) -> int:
        """Writes texts by hash, all or none of them; gives how many are new. Raises OSError.

        Each is whole before it gets its name, so that no gateway reads half of one.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        new = {hash_: text for hash_, text in texts.items() if self.read(hash_) is None}
        drafts = {hash_: self.directory / f".{secrets.token_hex(8)}" for hash_ in new}
        named: list[Path] = []
        try:
            for hash_, draft in drafts.items():
                draft.write_bytes(new[hash_].encode())
            for hash_, draft in drafts.items():
                named.append(draft.replace(self._file(hash_)))
        except OSError:
            for file in named:
                file.unlink()
            raise
        finally:
            for draft in drafts.values():
                draft.unlink(missing_ok=True)
        return len(new)

    def _file(self, hash_: str) -> Path:
        return self.directory / f"{hash_}.graphql"
