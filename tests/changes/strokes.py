"""Requests at random: every verb in both modes, over deals that others want too, with versions that may be old."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.api.ids import encode_id
from tests.changes.arena import WRITERS, Arena, Dice

VERBS = (
    *("updateDealStages", "updateDealStages", "assignDeals", "updateDeals"),
    *("deleteDeals", "restoreDeals", "restoreDeals", "undo"),
)
"""Moves twice, being what the others are beside; restorations twice, so that most deals are there."""

ANSWER = "operationId replayed summary { requested updated unchanged failed notApplied }"
RESULTS = "results { dealId status error { code } deal { version } }"
BOARD = "pipelineStats { stages { stage { name } deals } }"
RECENT = 12


@dataclass(frozen=True)
class Stroke:
    """One request. `expected`: versions by deal where it names them; `undoes`: the operation that is to be undone."""

    verb: str
    text: str
    variables: Mapping[str, Any]
    all_or_nothing: bool = False
    expected: Mapping[int, int] = field(default_factory=dict)
    undoes: str | None = None
    twice: bool = False


def any_stroke(arena: Arena, dice: Dice, key: str) -> Stroke:
    """Half of all requests bear the key; half of those are sent twice at once."""
    given = key if dice.random() < 0.5 else None
    twice = given is not None and dice.random() < 0.5
    verb = dice.choice(VERBS)
    if verb == "undo":
        return _undo(arena, dice, given, twice) if arena.operations else any_stroke(arena, dice, key)
    all_or_nothing = dice.random() < 0.4
    changes = [_change(arena, dice, verb, deal, all_or_nothing) for deal in _some_deals(arena, dice)]
    expected = {deal: change["expectedVersion"] for deal, change in changes if "expectedVersion" in change}
    wanted: dict[str, Any] = {
        "changes": [change for _, change in changes],
        "mode": "ALL_OR_NOTHING" if all_or_nothing else "PER_ITEM",
    }
    return Stroke(verb, changing(verb), {"input": wanted | _with_key(given)}, all_or_nothing, expected, twice=twice)


def any_move(arena: Arena, dice: Dice, key: str) -> Stroke:
    """A move that nothing is wrong with, of deals that others move too."""
    changes = [
        {"dealId": encode_id("Deal", deal), "stageId": encode_id("Stage", dice.choice(arena.stages[deal]))}
        for deal in _some_deals(arena, dice)
    ]
    wanted = {"changes": changes, "mode": dice.choice(("ALL_OR_NOTHING", "PER_ITEM")), "idempotencyKey": key}
    return Stroke("updateDealStages", changing("updateDealStages", BOARD), {"input": wanted})


def changing(verb: str, more: str = "") -> str:
    """The mutation of a verb that takes an input."""
    kind = f"{verb[0].upper()}{verb[1:]}Input!"
    return f"mutation ($input: {kind}) {{ answer: {verb}(input: $input) {{ {ANSWER} {RESULTS} {more} }} }}"


def _undo(arena: Arena, dice: Dice, key: str | None, twice: bool) -> Stroke:
    operation = dice.choice(arena.operations[-RECENT:])
    arguments = "operationId: $id, idempotencyKey: $idempotencyKey"
    text = f"""mutation ($id: ID!, $idempotencyKey: String) {{
      answer: undoOperation({arguments}) {{ {ANSWER} {RESULTS} }} }}"""
    return Stroke("undoOperation", text, {"id": operation} | _with_key(key), undoes=operation, twice=twice)


def _with_key(key: str | None) -> dict[str, str]:
    return {} if key is None else {"idempotencyKey": key}


def _some_deals(arena: Arena, dice: Dice) -> list[int]:
    """In any order: the order of locks is not the caller's."""
    return dice.sample(arena.deals, dice.choice((1, 2, 3, 5, len(arena.deals))))


def _change(arena: Arena, dice: Dice, verb: str, deal: int, all_or_nothing: bool) -> tuple[int, dict[str, Any]]:
    change: dict[str, Any] = {"dealId": encode_id("Deal", deal)} | _target(arena, dice, verb, deal)
    if deal in arena.seen and dice.random() < (0.1 if all_or_nothing else 0.4):
        change["expectedVersion"] = arena.seen[deal]
    return deal, change


def _target(arena: Arena, dice: Dice, verb: str, deal: int) -> dict[str, Any]:
    if verb == "updateDealStages":
        foreign = dice.random() < 0.02
        return {"stageId": encode_id("Stage", dice.choice(arena.every_stage if foreign else arena.stages[deal]))}
    if verb == "assignDeals":
        return {"ownerId": encode_id("Member", arena.world.members[dice.choice(WRITERS)])}
    if verb == "updateDeals":
        closes = dice.choice((None, "2026-03-31", "2026-06-30"))
        return {"amount": f"{dice.randrange(100_000)}.{dice.randrange(100):02}", "expectedClose": closes}
    return {}
