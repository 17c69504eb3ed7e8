"""A CSV file as rows, a chunk at a time: what is in memory does not grow with the file."""

import codecs
import csv
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from gateway.commands.refusals import CommandRefusedError
from gateway.imports.mapping import FileMapping

CHUNK_BYTES = 256 * 1024
FIELD_LIMIT_CHARACTERS = 2 * 1024 * 1024
LINE_LIMIT_CHARACTERS = 8 * 1024 * 1024

Advance = Callable[[int], None]
"""Told after each chunk how many bytes it had."""


class Row(NamedTuple):
    """A row's cells, or why it has none. `line`: the line it begins on, the header being 1."""

    line: int
    cells: Sequence[str]
    fault: str | None = None


class CsvFile:
    """One file of a source. Raises CommandRefusedError where the file as a whole cannot be read."""

    def __init__(self, path: Path, file: FileMapping) -> None:
        self.path = path
        self._file = file

    def header(self) -> list[str]:
        """The names of its columns; all that the mapping reads are there, and there once."""
        for row in self._parse(lambda _bytes: None):
            if row.fault:
                raise self._refusal(f"line {row.line}: the header {row.fault}")
            names = [name.strip() for name in row.cells]
            self._check(names)
            return names
        raise self._refusal("is empty: it has not even a header")

    def rows(self, advance: Advance) -> Iterator[Row]:
        """The rows after the header; empty lines are none. A row of another length than the header has a fault."""
        rows = self._parse(advance)
        width = len(next(rows).cells)
        for row in rows:
            if row.fault is None and len(row.cells) != width:
                yield Row(row.line, row.cells, f"has {len(row.cells)} fields, the header has {width}")
            else:
                yield row

    def _check(self, names: Sequence[str]) -> None:
        for column in self._file.columns:
            if (times := names.count(column)) > 1:
                raise self._refusal(f"has the column `{column}` {times} times")
        missing = [f"`{column}`" for column in self._file.columns if column not in names]
        if missing:
            there = ", ".join(f"`{name}`" for name in names)
            raise self._refusal(f"lacks the column {' and '.join(missing)}: its header has {there[:500]}")

    def _parse(self, advance: Advance) -> Iterator[Row]:
        """All rows. After a fault, parsing goes on with the line after it."""
        csv.field_size_limit(FIELD_LIMIT_CHARACTERS)
        reader = csv.reader(self._lines(advance), delimiter=self._file.delimiter, strict=True)
        while True:
            line = reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield Row(line, (), _explain(str(error), line, reader.line_num))
                continue
            if cells:
                yield Row(line, cells)

    def _lines(self, advance: Advance) -> Iterator[str]:
        """Its lines with their ends. `csv` wants those, as they may stand within a quoted field."""
        encoding = "utf-8-sig" if codecs.lookup(self._file.encoding).name == "utf-8" else self._file.encoding
        decoder = codecs.getincrementaldecoder(encoding)()
        rest, done = "", 0
        with self.path.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                *lines, rest = (rest + self._decode(decoder, chunk, done)).split("\n")
                for line in lines:
                    yield line + "\n"
                done += len(lines)
                if len(rest) > LINE_LIMIT_CHARACTERS:
                    raise self._refusal(f"line {done + 1} has no end: it is no CSV, or its lines end in CR alone")
                advance(len(chunk))
            rest += self._decode(decoder, b"", done)
        if rest:
            yield rest

    def _decode(self, decoder: codecs.IncrementalDecoder, chunk: bytes, done: int) -> str:
        try:
            return decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            line = done + 1 + bytes(error.object[: error.start]).count(b"\n")
            byte = error.object[error.start]
            raise self._refusal(
                f"line {line}: byte 0x{byte:02X} is not {self._file.encoding}: set `encoding` in the mapping"
            ) from None

    def _refusal(self, what: str) -> CommandRefusedError:
        return CommandRefusedError(
            f"{self._file.path} {what}." if what[:4] != "line" else f"{self._file.path}, {what}."
        )


def _explain(error: str, first: int, last: int) -> str:
    """Python's words for a row that is no CSV, in those of its author."""
    where = "" if last <= first else f" (lines {first} to {last})"
    if "field larger than field limit" in error:
        return f"has a field of more than {FIELD_LIMIT_CHARACTERS} characters, or a quote that is not closed{where}"
    if "unexpected end of data" in error:
        return f"has a quote that is not closed{where}"
    if "new-line character" in error:
        return f"has a CR outside quotes{where}: lines have to end in LF or CRLF"
    if "expected after" in error:
        return f"has something after a closing quote{where}: quotes within a field are doubled"
    return f"is no CSV: {error}{where}"
