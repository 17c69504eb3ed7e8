"""What is wrong with an input: all of it at once, each with its path."""

from collections.abc import Sequence

from gateway.api.ids import key_of
from gateway.errors import BadUserInputError

MOST_TOLD = 50

Path = Sequence[str | int]


class Problems:
    """Collects what is wrong. What is read of a wrong value is never used: `check` raises before."""

    def __init__(self) -> None:
        self._found: list[tuple[Path, str]] = []

    def add(self, path: Path, message: str) -> None:
        self._found.append((path, message))

    def key(self, type_name: str, global_id: str, path: Path) -> int:
        """The key of an id that must be of one type; 0 for what is none."""
        try:
            return key_of(type_name, global_id, _name(path))
        except BadUserInputError as error:
            self.add(path, error.message)
            return 0

    def text(self, value: str | None, path: Path, most: int) -> None:
        """A text is None or has 1 to `most` characters that can be stored."""
        if value is not None and not (1 <= len(value) <= most and value.strip()):
            self.add(path, f"`{path[-1]}` has from 1 to {most} characters, not all of them blank; it has {len(value)}.")
        if value is not None and _is_unstorable(value):
            self.add(path, f"`{path[-1]}` holds a character that cannot be stored, such as NUL. Leave it out.")

    def check(self) -> None:
        """Raises BAD_USER_INPUT with every problem; `path` is the first one's."""
        if not self._found:
            return
        (path, message), count = self._found[0], len(self._found)
        told = [{"path": list(path), "message": message} for path, message in self._found[:MOST_TOLD]]
        raise BadUserInputError(
            message if count == 1 else f"{message} ({count} values are not allowed: see `extensions.problems`.)",
            extensions={"path": list(path), "problems": told},
        )


def _name(path: Path) -> str:
    """The last name of a path, for a message: an entry of a list has none of its own."""
    return next(part for part in reversed(path) if isinstance(part, str))


def _is_unstorable(value: str) -> bool:
    return "\0" in value or any("\ud800" <= character <= "\udfff" for character in value)
