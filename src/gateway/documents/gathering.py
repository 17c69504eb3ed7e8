"""Documents as front ends hold them: files of GraphQL, and the manifests that their tools write."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.documents.library import Documents
from gateway.documents.texts import digest
from gateway.errors import GatewayError, GraphQLDocumentError

DOCUMENT_SUFFIXES = frozenset({".graphql", ".gql"})
APOLLO_FORMAT = "apollo-persisted-query-manifest"
DIGEST = re.compile(r"[0-9a-fA-F]{32,128}", re.ASCII)
"""A key of a plain manifest: the digest of a text, by whichever function."""


@dataclass(frozen=True, slots=True)
class Found:
    """A document. `place`: its file, and in a manifest its name. `hash`: what the manifest calls it."""

    place: str
    text: str
    hash: str | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """`place`: a file, and the line and column in the document where they are known."""

    place: str
    message: str


def gather(path: Path) -> Iterator[Found | Fault]:
    """The documents of a file, or of a directory and all below it, in order of their files.

    A JSON file in a directory that is no manifest is passed over; one that is named itself is a fault.
    """
    if path.is_file():
        yield from _read(path, path.name) or [Fault(path.name, "This is neither a document nor a manifest of them.")]
        return
    for file in sorted(path.rglob("*")):
        if file.is_file():
            yield from _read(file, str(file.relative_to(path)))


def check(found: Found, documents: Documents[None]) -> list[Fault]:
    """What is wrong with a document: its hash, its syntax, its fields, its size. Empty when it can be run."""
    if found.hash not in {None, digest(found.text)}:
        told = "The manifest's id is not the SHA-256 of the text: have the tool that writes it use SHA-256."
        return [Fault(found.place, told)]
    try:
        documents.get(found.text)
    except GraphQLDocumentError as error:
        return [_located(found.place, cause.formatted) for cause in error.causes]
    except GatewayError as error:
        return [Fault(found.place, error.message)]
    return []


def _located(place: str, cause: Mapping[str, Any]) -> Fault:
    at = "".join(f":{each['line']}:{each['column']}" for each in cause.get("locations", ())[:1])
    return Fault(place + at, cause["message"])


def _read(file: Path, place: str) -> list[Found | Fault]:
    suffix = file.suffix.lower()
    if suffix not in DOCUMENT_SUFFIXES | {".json"}:
        return []
    try:
        text = file.read_bytes().decode()
        return [Found(place, text)] if suffix in DOCUMENT_SUFFIXES else _manifest(json.loads(text), place)
    except ValueError as error:
        return [Fault(place, f"It is not UTF-8: {error}.")] if suffix in DOCUMENT_SUFFIXES else []
    except OSError as error:
        return [Fault(place, f"It cannot be read: {error.strerror}.")]


def _manifest(content: Any, place: str) -> list[Found | Fault]:
    """Apollo's manifest, or an object of texts by their hash, as Relay and GraphQL Code Generator write it."""
    if not isinstance(content, dict):
        return []
    if content.get("format") == APOLLO_FORMAT:
        return [_operation(operation, place) for operation in content.get("operations", ())]
    if not content or not all(DIGEST.fullmatch(key) and isinstance(text, str) for key, text in content.items()):
        return []
    return [Found(f"{place}: {key}", text, key) for key, text in content.items()]


def _operation(operation: Any, place: str) -> Found | Fault:
    if not isinstance(operation, dict) or not all(isinstance(operation.get(name), str) for name in ("id", "body")):
        return Fault(place, "An operation of the manifest lacks its `id` or its `body`.")
    return Found(f"{place}: {operation.get('name') or operation['id']}", operation["body"], operation["id"])
