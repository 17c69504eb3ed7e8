"""What is promised of an answer, held against the ledgers. Pure.

(a) It is of one moment, all of it. (b) It was the truth at some moment from half a second before the request on.
(c) It shows all that a gateway had acknowledged before the request. (d) Where the caller says `no-cache`, it was the
truth during the request. Of an answer marked STALE, which only who asks for it is given, (a) alone is promised.
"""

from dataclasses import dataclass
from math import inf
from typing import Any

from tests.stress.answers.ground import DEALS_OF_A_LANE
from tests.stress.answers.ledger import UnknownNumberError, Window, common
from tests.stress.answers.questions import Question, Shown, shown

LAG_SECONDS = 0.5


@dataclass(frozen=True)
class Answer:
    """What a gateway answered without errors. `control`: the request's `Cache-Control`; `status`: what the cache
    did. Instants are the reader's."""

    question: Question
    gateway: str
    control: str
    status: str
    begun_at: float
    ended_at: float
    data: dict[str, Any]

    @property
    def allows_stale(self) -> bool:
        return "max-stale" in self.control


@dataclass(frozen=True)
class Verdict:
    """`lag_seconds`: for how long the answer had been overtaken when the request began, 0 for not at all."""

    wrong: tuple[str, ...]
    lag_seconds: float = 0.0

    @property
    def broken(self) -> set[str]:
        """The letters of the promises that it breaks."""
        return {line[1] for line in self.wrong if line.startswith("(")}


def judge(answer: Answer) -> Verdict:
    """Whether an answer keeps what is promised."""
    seen = shown(answer.data)
    if torn := _torn(answer.question, seen):
        return Verdict((torn,))
    try:
        window = _moment(answer.question, seen)
    except UnknownNumberError:
        old = answer.status == "STALE" and answer.allows_stale and _of_an_earlier_life(answer.question, seen)
        return Verdict(() if old else ("(a) it shows a number that nobody committed",))
    lag_seconds = max(0.0, answer.begun_at - window.end)
    if window.empty:
        return Verdict(("(a) its lanes are of different moments",))
    if answer.status == "STALE":
        return Verdict(() if answer.allows_stale else ("it is STALE, and nobody asked for that",))
    return Verdict(tuple(_broken(answer, window, seen)), lag_seconds)


def _broken(answer: Answer, window: Window, seen: Shown) -> list[str]:
    wrong = []
    if window.within(answer.begun_at - LAG_SECONDS, answer.ended_at).empty:
        wrong.append("(b) it was not the truth from half a second before the request on")
    for lane in answer.question.lanes:
        (number,) = seen.numbers[lane.mark]
        if lane.ledger.acknowledged_after(int(number)) < answer.begun_at:
            wrong.append(f"(c) it is behind what had been acknowledged of {lane.mark}")
    if "no-cache" in answer.control and window.within(answer.begun_at, answer.ended_at).empty:
        wrong.append("(d) it was not the truth during the request")
    return wrong


def _torn(question: Question, seen: Shown) -> str | None:
    """What in the answer contradicts itself, whenever it was read."""
    marks = {lane.mark for lane in question.lanes}
    if seen.numbers.keys() != marks or any(len(numbers) != 1 for numbers in seen.numbers.values()):
        return "(a) deals of a lane differ or are missing"
    if seen.totals != {DEALS_OF_A_LANE * sum(number for (number,) in seen.numbers.values())}:
        return "(a) totals are not those of the deals"
    if question.tasks and (seen.tasks.keys() != marks or any(len(tasks) != 1 for tasks in seen.tasks.values())):
        return "(a) tasks are missing"
    return None


def _moment(question: Question, seen: Shown) -> Window:
    """During which all that it shows may have been the truth; empty for no moment."""
    windows = []
    for lane in question.lanes:
        (number,) = map(int, seen.numbers[lane.mark])
        windows.append(lane.ledger.window(number))
        if question.tasks and not seen.tasks[lane.mark] <= lane.ledger.get(number).tasks:
            windows.append(Window(inf, -inf))
    return common(windows)


def _of_an_earlier_life(question: Question, seen: Shown) -> bool:
    """Whether it shows what was there before the database crashed, of which nobody knows any more how long."""
    return any(seen.numbers[lane.mark] & lane.ledger.earlier for lane in question.lanes)


def story(answer: Answer) -> str:
    """The request, the answer, and the ledger's lines about it: instants in milliseconds since the request began."""
    seen, since = shown(answer.data), answer.begun_at
    lines = [
        f"{answer.question.name} of {answer.question.tenant.slug} by {answer.gateway}, {answer.status}",
        f"  Cache-Control {answer.control!r}, ended {1000 * (answer.ended_at - since):+.1f}",
        f"  variables {answer.question.variables}",
        f"  data {answer.data}",
    ]
    for lane in answer.question.lanes:
        for number in seen.numbers.get(lane.mark, ()):
            lines += [f"  {lane.mark}: {line}" for line in lane.ledger.around(int(number), since)]
    return "\n".join(lines)
