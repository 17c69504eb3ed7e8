"""From what a request names to a document's text: Apollo's automatic persisted queries, and trusted documents."""

import re
from collections.abc import Mapping
from typing import Any

from gateway.documents.shared import SharedTexts
from gateway.documents.texts import LARGEST_TEXT_CHARACTERS, KeptTexts, digest
from gateway.documents.trusted import TrustedDocuments
from gateway.errors import (
    BadRequestError,
    DocumentNotTrustedError,
    PersistedQueryMismatchError,
    PersistedQueryNotFoundError,
)
from gateway.observe import Observer

HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)


def named_hash(document_id: str | None, extensions: Mapping[str, Any] | None) -> str | None:
    """The SHA-256 by which a request names its document; None where it names none. Raises BAD_REQUEST.

    `extensions.persistedQuery` is Apollo's protocol, `documentId` that of the GraphQL-over-HTTP draft on persisted
    documents: `sha256:` and the hash, or, as many clients send it, the hash alone.
    """
    named = [
        _checked(document_id and document_id.removeprefix("sha256:"), "`documentId`"),
        _checked(_apollos((extensions or {}).get("persistedQuery")), "`extensions.persistedQuery.sha256Hash`"),
    ]
    hashes = {hash_ for hash_ in named if hash_ is not None}
    if len(hashes) > 1:
        raise BadRequestError("`documentId` and `extensions.persistedQuery` name different documents: send one.")
    return next(iter(hashes), None)


def _apollos(named: Any) -> Any:
    if named is None:
        return None
    if not isinstance(named, Mapping) or named.get("version") != 1:
        raise BadRequestError("`extensions.persistedQuery` must be an object whose `version` is 1.")
    return named.get("sha256Hash", "")


def _checked(hash_: Any, where: str) -> str | None:
    """Upper-case digits are refused: a hash that is written in two ways would name two documents to a cache."""
    if hash_ is None or (isinstance(hash_, str) and HASH.fullmatch(hash_)):
        return hash_
    raise BadRequestError(f"{where} must be a SHA-256 of 64 hexadecimal digits, letters in lower case.")


class PersistedDocuments:
    """Looks for a text in the process, the trusted directory and Redis, in this order.

    `only_trusted`: whatever the directory does not hold is refused, whether its text or its hash is sent. The process
    then keeps nothing else, and Redis, where other gateways may keep what they like, is not asked.
    """

    def __init__(
        self,
        kept: KeptTexts,
        observer: Observer,
        *,
        trusted: TrustedDocuments | None = None,
        shared: SharedTexts | None = None,
        only_trusted: bool = False,
    ) -> None:
        self._kept = kept
        self._observer = observer
        self._trusted = trusted
        self._shared = None if only_trusted else shared
        self.only_trusted = only_trusted

    async def text(self, query: str | None, hash_: str | None) -> str:
        """The text of a document that is sent, named or both.

        Raises PERSISTED_QUERY_MISMATCH, PERSISTED_QUERY_NOT_FOUND or DOCUMENT_NOT_TRUSTED.
        """
        if query is not None and (hash_ is not None or self.only_trusted):
            own = digest(query)
            if hash_ not in {None, own}:
                raise PersistedQueryMismatchError
            hash_ = own
        if query is not None and not self.only_trusted:
            return query
        if hash_ is None:
            raise BadRequestError
        found, text = await self._find(hash_)
        self._observer.persisted(found)
        if text is not None:
            return text
        if self.only_trusted:
            raise DocumentNotTrustedError
        raise PersistedQueryNotFoundError("PersistedQueryNotFound")

    async def keep(self, hash_: str, text: str) -> None:
        """Keeps a text that was sent with its hash, for those who will name it. It has to be of a valid document."""
        if self.only_trusted or len(text) > LARGEST_TEXT_CHARACTERS:
            return
        self._kept.keep(hash_, text)
        if self._shared:
            await self._shared.keep(hash_, text)

    async def _find(self, hash_: str) -> tuple[str, str | None]:
        """Where the text was found, and the text."""
        if self.only_trusted and (self._trusted is None or hash_ not in self._trusted):
            return "nowhere", None
        if (text := self._kept.get(hash_)) is not None:
            return "process", text
        found = "nowhere"
        if self._trusted and (text := self._trusted.get(hash_)) is not None:
            found = "directory"
        elif self._shared and (text := await self._shared.get(hash_)) is not None:
            found = "redis"
        if text is not None and len(text) <= LARGEST_TEXT_CHARACTERS:
            self._kept.keep(hash_, text)
        return found, text
