"""What changes leave behind in the database, read in one snapshot, and what is wrong with it."""

import json
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Self, TypeVar

import asyncpg

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)

State = dict[str, Any]
"""A deal as the audit keeps it."""

DEALS = """
SELECT d.id, d.outcome, s.kind, d.pipeline_id = s.pipeline_id AS at_home,
       jsonb_build_object('stage_id', d.stage_id, 'owner_id', d.owner_id, 'name', d.name, 'amount', d.amount,
                          'expected_close', d.expected_close, 'closed_at', d.closed_at, 'deleted_at', d.deleted_at,
                          'version', d.version)::text AS state
  FROM deals d JOIN stages s ON s.tenant_id = d.tenant_id AND s.id = d.stage_id WHERE d.tenant_id = $1 ORDER BY d.id
"""
ENTRIES = """
SELECT record_id, action, operation_id::text AS operation, member_id, before::text, after::text
  FROM audit_log WHERE tenant_id = $1 ORDER BY id
"""
MOVES = """
SELECT deal_id, from_stage_id, to_stage_id, member_id, deal_deleted FROM deal_stage_history
 WHERE tenant_id = $1 ORDER BY deal_id, moved_at, id
"""
OPERATIONS = "SELECT id::text, request_id FROM operations WHERE tenant_id = $1"


@dataclass(frozen=True)
class Entry:
    """What one operation did to one deal."""

    deal: int
    action: str
    operation: str
    member: int
    before: State
    after: State

    @classmethod
    def read(cls, deal: int, action: str, operation: str, member: int, before: str, after: str) -> Self:
        return cls(deal, action, operation, member, json.loads(before), json.loads(after))


@dataclass(frozen=True)
class Traces:
    """Of one tenant, in the order in which they were left. `requests`: that of each operation."""

    deals: Mapping[int, tuple[asyncpg.Record, State]]
    moves: Mapping[int, Sequence[asyncpg.Record]]
    of_deal: Mapping[int, Sequence[Entry]]
    of_operation: Mapping[str, Sequence[Entry]]
    requests: Mapping[str, str]


async def read_traces(owner: asyncpg.Connection, tenant_id: int) -> Traces:
    async with owner.transaction(isolation="repeatable_read", readonly=True):
        deals, entries, moves, operations = [
            await owner.fetch(query, tenant_id) for query in (DEALS, ENTRIES, MOVES, OPERATIONS)
        ]
    read = [Entry.read(*entry) for entry in entries]
    return Traces(
        {deal["id"]: (deal, json.loads(deal["state"])) for deal in deals},
        _grouped(moves, lambda move: int(move["deal_id"])),
        _grouped(read, lambda entry: entry.deal),
        _grouped(read, lambda entry: entry.operation),
        {row["id"]: row["request_id"] for row in operations},
    )


def _grouped(listed: Iterable[T], key: Callable[[T], K]) -> dict[K, list[T]]:
    groups: dict[K, list[T]] = defaultdict(list)
    for each in listed:
        groups[key(each)].append(each)
    return groups


def wrong_traces(traces: Traces, others: Mapping[int, int] | None) -> list[str]:
    """`others`: how many changes of each deal were made beside the gateway; None while nobody knows how many."""
    alone = others is not None and not any(others.values())
    wrong = [f"operation {id_} changed nothing" for id_ in traces.requests if not traces.of_operation[id_]]
    for id_, (row, state) in traces.deals.items():
        entries, moves = traces.of_deal[id_], traces.moves[id_]
        wrong += [f"deal {id_}: {line}" for line in _wrong_versions(entries, state)]
        wrong += [f"deal {id_}: {line}" for line in _wrong_ways(moves, row, state)]
        if others is not None and state["version"] != 1 + len(entries) + others.get(id_, 0):
            wrong.append(f"deal {id_}: version {state['version']}, {len(entries)} entries, {others.get(id_, 0)} others")
        if alone and _ways(entries) != [tuple(move[1:4]) for move in moves[1:]]:
            wrong.append(f"deal {id_}: its history tells of other moves than its audit")
    return wrong


def _wrong_versions(entries: Sequence[Entry], state: State) -> Iterator[str]:
    """Each entry begins where the one before ended; where others wrote in between, at a later version."""
    for entry in entries:
        if entry.after["version"] != entry.before["version"] + 1:
            yield f"one change went from version {entry.before['version']} to {entry.after['version']}"
    befores = [entry.before for entry in entries] + [state]
    for after, before in zip([entry.after for entry in entries], befores[1:], strict=True):
        if before["version"] < after["version"]:
            yield f"version {after['version']} was followed by a change of version {before['version']}"
        if before["version"] == after["version"] and before != after:
            yield f"version {after['version']} was left as {after} and found as {before}"


def _wrong_ways(moves: Sequence[asyncpg.Record], row: asyncpg.Record, state: State) -> Iterator[str]:
    if [move["from_stage_id"] for move in moves].count(None) != 1 or moves[0]["from_stage_id"] is not None:
        yield "its history does not begin once"
    for left, entered in pairwise(moves):
        if left["to_stage_id"] != entered["from_stage_id"]:
            yield f"it entered stage {left['to_stage_id']} and left stage {entered['from_stage_id']}"
    if moves[-1]["to_stage_id"] != state["stage_id"]:
        yield f"its history ends in stage {moves[-1]['to_stage_id']}, and it is in {state['stage_id']}"
    if {move["deal_deleted"] for move in moves} != {state["deleted_at"] is not None}:
        yield "its history does not say whether it is deleted"
    if (row["outcome"], row["at_home"]) != (row["kind"], True):
        yield f"its outcome is {row['outcome']} in a stage that is {row['kind']}"


def _ways(entries: Sequence[Entry]) -> list[tuple[int, int, int]]:
    """From, to and by whom."""
    steps = ((entry.before["stage_id"], entry.after["stage_id"], entry.member) for entry in entries)
    return [step for step in steps if step[0] != step[1]]
