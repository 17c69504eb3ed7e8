"""Who committed what and when, and what of it an answer may show. Pure: instants are given, of one clock.

Each write gives all records of a lane the next number, in one transaction; a lane has one writer at a time. So a
number tells the moment that a record is of, and two lanes in one answer whether it is of one moment.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import inf


@dataclass(slots=True)
class Commit:
    """`sent_at`: just before it could be committed; `done_at`: when it was known to be, infinite where it never was;
    `acknowledged_at`: when a gateway had answered. `tasks`: the numbers that the lane's task may have after it."""

    number: int
    by: str
    sent_at: float
    tasks: frozenset[int]
    done_at: float = inf
    acknowledged_at: float = inf

    def line(self, since: float) -> str:
        """For who has to find out what went wrong: milliseconds since an instant."""
        told = (("sent", self.sent_at), ("done", self.done_at), ("acknowledged", self.acknowledged_at))
        return f"{self.number} by {self.by}: " + ", ".join(
            f"{word} {1000 * (at - since):+.1f}" for word, at in told if at < inf
        )


@dataclass(frozen=True, slots=True)
class Window:
    """During which a number may have been the truth."""

    begin: float
    end: float

    @property
    def empty(self) -> bool:
        return self.begin > self.end

    def within(self, begin: float, end: float) -> "Window":
        return Window(max(self.begin, begin), min(self.end, end))


class UnknownNumberError(Exception):
    """A number that nobody committed."""


@dataclass
class LaneLedger:
    """All commits of a lane, the oldest first; the first one is what there was at the beginning. `earlier`: numbers of
    before that, lost or not."""

    commits: list[Commit] = field(default_factory=list)
    earlier: set[int] = field(default_factory=set)
    _places: dict[int, int] = field(default_factory=dict)
    _next: int = 0

    def restart(self, number: int, task: int, at: float) -> None:
        """This is the truth now, whatever was written before: what was lost is nobody's any more."""
        self.earlier |= self._places.keys()
        self._places.clear()
        self.commits.clear()
        self._next = max(self._next, number)
        self._add(Commit(number, "the beginning", at, frozenset({task}), done_at=at))

    def next_number(self) -> int:
        """Of a write that may be given up."""
        self._next += 1
        return self._next

    def send(self, number: int, by: str, at: float, *, with_task: bool) -> Commit:
        """From here on the write may be seen."""
        before = self.commits[-1]
        tasks = frozenset({number}) if with_task else before.tasks
        # Whether the one before was committed, nobody knows: this one leaves the task as it was.
        if not with_task and before.done_at == inf and len(self.commits) > 1:
            tasks |= self.commits[-2].tasks
        return self._add(Commit(number, by, at, tasks))

    def get(self, number: int) -> Commit:
        if number not in self._places:
            raise UnknownNumberError
        return self.commits[self._places[number]]

    def window(self, number: int) -> Window:
        """From when on it may have been seen, until when: a later one was certainly committed then."""
        return Window(self.get(number).sent_at, min((later.done_at for later in self._after(number)), default=inf))

    def acknowledged_after(self, number: int) -> float:
        """When a gateway first told that the number was overtaken."""
        return min((later.acknowledged_at for later in self._after(number)), default=inf)

    def around(self, number: int, since: float) -> list[str]:
        """The number's line, the next two, and the last."""
        place = self._places.get(number, 0)
        chosen = [*self.commits[place : place + 3], self.commits[-1]]
        return list(dict.fromkeys(commit.line(since) for commit in chosen))

    def _after(self, number: int) -> Sequence[Commit]:
        return self.commits[self._places[self.get(number).number] + 1 :]

    def _add(self, commit: Commit) -> Commit:
        self._places[commit.number] = len(self.commits)
        self.commits.append(commit)
        return commit


def common(windows: Iterable[Window]) -> Window:
    """During which all of them may have been the truth."""
    found = Window(-inf, inf)
    for window in windows:
        found = found.within(window.begin, window.end)
    return found
