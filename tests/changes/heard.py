"""What callers were answered, and whether it is what the database says."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.api.ids import encode_id
from tests.changes.strokes import Stroke
from tests.changes.traces import Entry, State, Traces

Json = dict[str, Any]

SOUND = {"UPDATED", "UNCHANGED", "NOT_APPLIED"}


@dataclass(frozen=True)
class Heard:
    """One request of a member with its answers: two for one that was sent twice at once. `codes`: of errors."""

    member: int
    stroke: Stroke
    payloads: Sequence[Json]
    codes: Sequence[str]


def wrong_answers(heard: Sequence[Heard], traces: Traces, *, alone: bool) -> list[str]:
    """`alone`: nobody wrote beside the gateway, so that nothing failed and everything can be undone exactly."""
    told = Counter(operation for each in heard if (operation := _first(each).get("operationId")))
    wrong = [
        f"operation {operation} was told of {told[operation]} times" for operation in traces.requests.keys() ^ told
    ]
    wrong += [f"operation {operation} answered {count} requests" for operation, count in told.items() if count > 1]
    for each in heard:
        entries = traces.of_operation[_first(each).get("operationId") or ""]
        lines = [*_wrong_codes(each, alone), *_wrong_replays(each), *_wrong_results(each, entries)]
        if alone and each.stroke.undoes:
            lines += _wrong_undo(entries, traces.of_operation[each.stroke.undoes])
        wrong += [f"{each.stroke.verb} {json.dumps(each.stroke.variables)}: {line}" for line in lines]
    return wrong


def _first(each: Heard) -> Json:
    """The answer that was not a replay; without one, nothing was answered."""
    return next((payload for payload in each.payloads if not payload["replayed"]), {})


def _wrong_codes(each: Heard, alone: bool) -> Iterator[str]:
    allowed = set() if alone else {"WRITE_CONFLICT"}
    if unexpected := set(each.codes) - allowed:
        yield f"it ended with {sorted(unexpected)}"


def _wrong_replays(each: Heard) -> Iterator[str]:
    if each.payloads and [payload["replayed"] for payload in each.payloads].count(False) != 1:
        yield f"{len(each.payloads)} answers, of which not exactly one was the first"
    alike = {
        json.dumps([payload["operationId"], payload["summary"], [_plain(result) for result in payload["results"]]])
        for payload in each.payloads
    }
    if len(alike) > 1:
        yield f"a replay answered otherwise: {alike}"


def _plain(result: Json) -> list[object]:
    return [result["dealId"], result["status"], result["error"]]


def _wrong_results(each: Heard, entries: Sequence[Entry]) -> Iterator[str]:
    """What was updated is what the audit has of the operation, and nothing else; or nothing at all."""
    results = _first(each).get("results", [])
    updated = [result for result in results if result["status"] == "UPDATED"]
    by_deal = {encode_id("Deal", entry.deal): entry for entry in entries}
    if sorted(result["dealId"] for result in updated) != sorted(by_deal) or len(by_deal) != len(entries):
        yield f"updated were {[result['dealId'] for result in updated]}, audited {list(by_deal)}"
    if {(entry.action, entry.member) for entry in entries} - {(each.stroke.verb, each.member)}:
        yield "the audit tells of another verb or member"
    statuses = {result["status"] for result in results}
    if each.stroke.all_or_nothing and statuses - SOUND and "UPDATED" in statuses:
        yield "all or nothing, and it was neither"
    if "NOT_APPLIED" in statuses and not (each.stroke.all_or_nothing and statuses - SOUND):
        yield "sound items were left out for no reason"
    for result in updated:
        entry = by_deal.get(result["dealId"])
        if entry and result["deal"] and result["deal"]["version"] < entry.after["version"]:
            yield f"the answer showed version {result['deal']['version']} after version {entry.after['version']}"
    for entry in entries:
        if each.stroke.expected.get(entry.deal, entry.before["version"]) != entry.before["version"]:
            yield f"deal {entry.deal} was changed at another version than expected"


def _wrong_undo(entries: Sequence[Entry], undone: Sequence[Entry]) -> Iterator[str]:
    """Each deal was as the operation left it, and is again as it had found it, but for its version."""
    of_deal = {entry.deal: entry for entry in undone}
    for entry in entries:
        before = of_deal[entry.deal]
        if _content(entry.before) != _content(before.after):
            yield f"deal {entry.deal} was undone although it had changed since"
        if _content(entry.after) != _content(before.before):
            yield f"deal {entry.deal} was {before.before}, and undone it is {entry.after}"


def _content(state: State) -> State:
    return {name: value for name, value in state.items() if name != "version"}
