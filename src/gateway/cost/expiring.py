"""What is known until a moment. To find what has expired takes no longer the more is known."""

from heapq import heappop, heappush
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Expiring(Generic[Value]):
    """Values by key, each until a moment."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[Value, int]] = {}
        self._order: list[tuple[int, str]] = []

    def __contains__(self, key: str) -> bool:
        return key in self._known

    def __len__(self) -> int:
        return len(self._known)

    def add(self, key: str, value: Value, until: int) -> None:
        self._known[key] = (value, until)
        heappush(self._order, (until, key))

    def take(self, key: str) -> Value | None:
        """The value, which is not known any more then; None where there is none."""
        known = self._known.pop(key, None)
        return None if known is None else known[0]

    def expire(self, now: int) -> list[Value]:
        """Those whose moment has come, which are not known any more then."""
        if not self._order or self._order[0][0] > now:
            return []
        gone = []
        while self._order and self._order[0][0] <= now:
            until, key = heappop(self._order)
            # One that was taken, and perhaps added again, has its own moment.
            if self._known.get(key, (None, None))[1] == until:
                gone.append(self._known.pop(key)[0])
        return gone
