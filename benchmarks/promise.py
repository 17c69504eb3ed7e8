"""Whether answers keep what the response cache promises: which values of a counter an answer may show."""

from collections.abc import Sequence
from dataclasses import dataclass

HEARD_SECONDS = 0.5
"""So long may a change that no gateway made go unheard."""


@dataclass(frozen=True)
class Write:
    """One step of a counter, from before its commit to after it. `acknowledged`: by a gateway, not by PostgreSQL."""

    begun: float
    done: float
    acknowledged: bool

    def seen_from(self) -> float:
        """Whoever asks from then on has to see it."""
        return self.done if self.acknowledged else self.done + HEARD_SECONDS


@dataclass(frozen=True)
class Seen:
    """How many steps an answer showed, when it was asked for and when it was there."""

    steps: int
    asked: float
    answered: float


def broken(writes: Sequence[Write], answers: Sequence[Seen]) -> list[str]:
    """What is wrong with each answer that is outside the promise. `writes`: all of the counter, in order. In seconds of
    one clock.
    """
    return [wrong for answer in answers if (wrong := _wrong(writes, answer))]


def _wrong(writes: Sequence[Write], answer: Seen) -> str | None:
    owed = max((step for step, write in enumerate(writes, 1) if write.seen_from() <= answer.asked), default=0)
    most = sum(write.begun <= answer.answered for write in writes)
    if owed <= answer.steps <= most:
        return None
    return f"showed {answer.steps} steps, must be between {owed} and {most}"
