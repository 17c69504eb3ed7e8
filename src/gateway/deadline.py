"""One deadline a request: every wait within it gets what is left."""

import time
from dataclasses import dataclass

from gateway.errors import DeadlineExceededError


@dataclass(frozen=True, slots=True, order=True)
class Deadline:
    """`at_seconds` is on the monotonic clock."""

    at_seconds: float

    @classmethod
    def after(cls, seconds: float) -> "Deadline":
        return cls(time.monotonic() + seconds)

    def earlier(self, seconds: float) -> "Deadline":
        return Deadline(self.at_seconds - seconds)

    def left_seconds(self) -> float:
        """What is left, above zero. Raises DEADLINE_EXCEEDED when nothing is."""
        left = self.at_seconds - time.monotonic()
        if left <= 0:
            raise DeadlineExceededError()
        return left
