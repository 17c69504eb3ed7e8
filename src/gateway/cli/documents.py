"""Commands about trusted documents: those that a gateway runs when it runs no others."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from gateway.cli.shared import err, one_sentence, out
from gateway.commands.refusals import CommandRefusedError
from gateway.documents.gathering import Fault, Found, check, gather
from gateway.documents.library import Documents
from gateway.documents.limits import Limits
from gateway.documents.texts import digest
from gateway.documents.trusted import TrustedDocuments
from gateway.progress import bar
from gateway.settings import Settings, load_settings


def add(
    source: Annotated[
        Path, typer.Argument(exists=True, help="Directory of .graphql and .gql files and manifests, or one of them.")
    ],
    to: Annotated[Path | None, typer.Option(help="Directory to add to; TRUSTED_DOCUMENTS without one.")] = None,
) -> None:
    """Add documents to the trusted ones, each exactly as it stands: all of them, or none when one has a fault.

    Manifests are those of Apollo and of Relay or GraphQL Code Generator, with SHA-256.
    """
    with one_sentence():
        settings = load_settings()
        trusted = _trusted(settings, to)
        found, faults = _gathered(source)
        faults += _checked(found, settings)
        _refuse(faults)
        if not found:
            raise CommandRefusedError(f"There is no document in {source}.")
        texts = {digest(each.text): each.text for each in found}
        new = _added(trusted, texts)
        out.print(f"Documents trusted in {escape(str(trusted.directory))}: {len(texts)}, of which new: {new}.")


def list_(
    at: Annotated[Path | None, typer.Option("--in", help="Directory; TRUSTED_DOCUMENTS without one.")] = None,
) -> None:
    """Show the trusted documents: hash and operations. Exits with 1 when one cannot be run by this version."""
    with one_sentence():
        settings = load_settings()
        trusted, documents = _trusted(settings, at), _documents(settings)
        faults = [fault for hash_ in trusted.hashes() for fault in _listed(trusted, hash_, documents)]
        _refuse(faults)


def _trusted(settings: Settings, directory: Path | None) -> TrustedDocuments:
    chosen = directory or settings.trusted_documents
    if chosen is None:
        raise CommandRefusedError("Name the directory of trusted documents, here or in TRUSTED_DOCUMENTS.")
    return TrustedDocuments(chosen)


def _documents(settings: Settings) -> Documents[None]:
    from gateway.api.schema import graphql_schema

    return Documents(graphql_schema(), Limits.of(settings), size=1, prepare=lambda _document, _operation: None)


def _gathered(source: Path) -> tuple[list[Found], list[Fault]]:
    entries = list(gather(source))
    return (
        [each for each in entries if isinstance(each, Found)],
        [each for each in entries if isinstance(each, Fault)],
    )


def _checked(found: Sequence[Found], settings: Settings) -> list[Fault]:
    documents = _documents(settings)
    with bar(out) as progress:
        return [fault for each in progress.track(found, description="Checking") for fault in check(each, documents)]


def _added(trusted: TrustedDocuments, texts: Mapping[str, str]) -> int:
    """How many of the texts were new."""
    try:
        return trusted.add(texts)
    except OSError as error:
        told = f"{trusted.directory} cannot be written: {error.strerror}. Nothing was added."
        raise CommandRefusedError(told) from None


def _refuse(faults: list[Fault]) -> None:
    for fault in faults:
        err.print(f"[red]{escape(fault.place)}[/]: {escape(fault.message)}")
    if faults:
        raise typer.Exit(1)


def _listed(trusted: TrustedDocuments, hash_: str, documents: Documents[None]) -> Iterator[Fault]:
    """Prints a document, and gives what is wrong with it."""
    text = trusted.read(hash_)
    if text is None:
        yield Fault(f"{hash_}.graphql", "The file holds another text than its name says: add the document again.")
        return
    if faults := check(Found(f"{hash_}.graphql", text), documents):
        yield from faults
        return
    operations = documents.get(text).operations.values()
    named = ", ".join(f"{operation.kind} {operation.name or '(anonymous)'}" for operation in operations)
    out.print(f"{hash_}  {escape(named)}")
