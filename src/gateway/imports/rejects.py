"""The list of what was not imported, as a CSV file."""

import csv
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from gateway.commands.refusals import CommandRefusedError
from gateway.imports.plan import Fault

HEADER = ("file", "line", "column", "reason", "value")
VALUE_LIMIT_CHARACTERS = 200


class Rejects:
    """Written as faults are found; without a fault there is no file, not even one of an earlier run."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._open = ExitStack()
        self._write = self._begin

    def __enter__(self) -> Self:
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            raise self._refusal(error) from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def add(self, file: str, line: int, fault: Fault) -> None:
        """One fault of the row that begins on this line."""
        value = fault.value.replace("\0", "\N{SYMBOL FOR NULL}")
        if len(value) > VALUE_LIMIT_CHARACTERS:
            value = value[:VALUE_LIMIT_CHARACTERS] + "…"
        self._write((file, str(line), fault.column, fault.reason, value))

    def _begin(self, row: tuple[str, ...]) -> None:
        try:
            file = self._open.enter_context(self.path.open("w", encoding="utf-8", newline=""))
        except OSError as error:
            raise self._refusal(error) from None
        self._write = csv.writer(file, lineterminator="\n").writerow
        self._write(HEADER)
        self._write(row)

    def _refusal(self, error: OSError) -> CommandRefusedError:
        return CommandRefusedError(
            f"The rejects cannot be written to {self.path} ({error.strerror}): use --rejects FILE."
        )
