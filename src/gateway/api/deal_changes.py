"""Changes of deals as callers ask for them: inputs, all their faults at once, and the requests that they become."""

from datetime import date
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

import strawberry

from gateway.api import costs
from gateway.api.amounts import amount_fault
from gateway.api.context import Info
from gateway.api.enums import BulkMode
from gateway.api.inputs import made_of_leaves
from gateway.api.problems import Path, Problems
from gateway.commands.assign_deals import ASSIGN_DEALS
from gateway.commands.change_deals import Item, Request, Verb
from gateway.commands.changes import Mode
from gateway.commands.delete_deals import DELETE_DEALS, RESTORE_DEALS
from gateway.commands.undo_operation import UndoRequest
from gateway.commands.update_deal_stages import UPDATE_DEAL_STAGES
from gateway.commands.update_deals import UPDATE_DEALS

LONGEST_KEY, LONGEST_NOTE, LONGEST_NAME = 255, 2000, 500

VERSION = "The version that the deal must still have; null for any."
DEAL_IDS = "These deals, all of them alike. Instead of `changes`."

Listed = TypeVar("Listed")


@made_of_leaves
@strawberry.input(description="A deal, and the stage it is to be in.")
class DealStageChange:
    deal_id: strawberry.ID = strawberry.field(description="The deal.")
    stage_id: strawberry.ID = strawberry.field(description="The stage; one of the deal's pipeline.")
    expected_version: int | None = strawberry.field(default=None, description=VERSION)


@made_of_leaves
@strawberry.input(description="A deal, and who is to own it.")
class DealOwnerChange:
    deal_id: strawberry.ID = strawberry.field(description="The deal.")
    owner_id: strawberry.ID = strawberry.field(description="An active member.")
    expected_version: int | None = strawberry.field(default=None, description=VERSION)


@made_of_leaves
@strawberry.input(description="A deal, and what is to be otherwise. A field that is left out stays as it is.")
class DealFieldsChange:
    deal_id: strawberry.ID = strawberry.field(description="The deal.")
    name: str | None = strawberry.field(default=strawberry.UNSET, description="What it is about; never null.")
    amount: Decimal | None = strawberry.field(
        default=strawberry.UNSET, description="Value in the tenant's currency; null for an unknown one."
    )
    expected_close: date | None = strawberry.field(
        default=strawberry.UNSET, description="Day on which it is expected to close; null for an unknown one."
    )
    expected_version: int | None = strawberry.field(default=None, description=VERSION)


@made_of_leaves
@strawberry.input(description="A deal, as it was when it was looked at.")
class DealReference:
    deal_id: strawberry.ID = strawberry.field(description="The deal.")
    expected_version: int | None = strawberry.field(default=None, description=VERSION)


@strawberry.input
class BulkInput:
    mode: BulkMode = strawberry.field(
        default=BulkMode.ALL_OR_NOTHING, description="Whether one item that fails keeps all others from being changed."
    )
    idempotency_key: str | None = strawberry.field(
        default=None,
        description="Of the caller's choice, 1 to 255 characters, kept for a week: a request that is repeated with it "
        "is carried out once and gets the first answer. A dry run does not use it.",
    )
    dry_run: bool = strawberry.field(default=False, description="Only tells what would become of each item.")
    note: str | None = strawberry.field(default=None, description="Why, for the audit: 1 to 2000 characters.")


@strawberry.input(description="Which deals go to which stages: `changes`, or `dealIds` with one `stageId`.")
class UpdateDealStagesInput(BulkInput):
    changes: list[DealStageChange] | None = strawberry.field(default=None, description="Each deal with its stage.")
    deal_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description=DEAL_IDS, directives=[costs.EACH_DEAL]
    )
    stage_id: strawberry.ID | None = strawberry.field(default=None, description="The stage of all `dealIds`.")


@strawberry.input(description="Which deals go to which owners: `changes`, or `dealIds` with one `ownerId`.")
class AssignDealsInput(BulkInput):
    changes: list[DealOwnerChange] | None = strawberry.field(default=None, description="Each deal with its owner.")
    deal_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description=DEAL_IDS, directives=[costs.EACH_DEAL]
    )
    owner_id: strawberry.ID | None = strawberry.field(default=None, description="The owner of all `dealIds`.")


@strawberry.input(description="What is to be otherwise of which deals.")
class UpdateDealsInput(BulkInput):
    changes: list[DealFieldsChange] = strawberry.field(description="Each deal with what changes.")


@strawberry.input(description="Which deals are deleted: `changes`, or `dealIds`.")
class DeleteDealsInput(BulkInput):
    changes: list[DealReference] | None = strawberry.field(default=None, description="Each deal with its version.")
    deal_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description=DEAL_IDS, directives=[costs.EACH_DEAL]
    )


@strawberry.input(description="Which deleted deals come back: `changes`, or `dealIds`.")
class RestoreDealsInput(BulkInput):
    changes: list[DealReference] | None = strawberry.field(default=None, description="Each deal with its version.")
    deal_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description=DEAL_IDS, directives=[costs.EACH_DEAL]
    )


def stages_request(info: Info, given: UpdateDealStagesInput) -> Request:
    """Raises FORBIDDEN, or BAD_USER_INPUT with every problem."""
    items = _Items(info)
    _one_way(items.problems, given.changes, given.deal_ids, ("stageId", given.stage_id))
    items.alike("Stage", given.deal_ids, given.stage_id, "stageId")
    for path, change in items.listed(given.changes, "changes"):
        items.add(path, change, items.problems.key("Stage", change.stage_id, (*path, "stageId")))
    return items.request(UPDATE_DEAL_STAGES, given)


def owners_request(info: Info, given: AssignDealsInput) -> Request:
    """Raises FORBIDDEN, or BAD_USER_INPUT with every problem."""
    items = _Items(info)
    _one_way(items.problems, given.changes, given.deal_ids, ("ownerId", given.owner_id))
    items.alike("Member", given.deal_ids, given.owner_id, "ownerId")
    for path, change in items.listed(given.changes, "changes"):
        items.add(path, change, items.problems.key("Member", change.owner_id, (*path, "ownerId")))
    return items.request(ASSIGN_DEALS, given)


def fields_request(info: Info, given: UpdateDealsInput) -> Request:
    """Raises FORBIDDEN, or BAD_USER_INPUT with every problem."""
    items = _Items(info)
    for path, change in items.listed(given.changes, "changes"):
        items.add(path, change, items.fields(path, change))
    return items.request(UPDATE_DEALS, given)


def deletion_request(info: Info, given: DeleteDealsInput) -> Request:
    """Raises FORBIDDEN, or BAD_USER_INPUT with every problem."""
    return _references(info, DELETE_DEALS, given)


def restoration_request(info: Info, given: RestoreDealsInput) -> Request:
    """Raises FORBIDDEN, or BAD_USER_INPUT with every problem."""
    return _references(info, RESTORE_DEALS, given)


def undo_request(info: Info, operation_id: str, key: str | None, dry_run: bool, note: str | None) -> UndoRequest:
    """Raises FORBIDDEN, or BAD_USER_INPUT with every problem."""
    info.context.require("write_own")
    problems = Problems()
    problems.text(key, ("idempotencyKey",), LONGEST_KEY)
    problems.text(note, ("note",), LONGEST_NOTE)
    try:
        operation = UUID(operation_id)
    except ValueError:
        problems.add(("operationId",), "`operationId` is not one: send it exactly as an earlier answer gave it.")
    problems.check()
    return UndoRequest(operation, dry_run=dry_run, note=note, idempotency_key=key)


class _Items:
    """The items of one input as they are read, with their problems. Nothing is read for a caller who may not write."""

    def __init__(self, info: Info) -> None:
        info.context.require("write_own")
        self.problems = Problems()
        self._context = info.context
        self._items: list[Item] = []

    def listed(self, entries: list[Listed] | None, name: str) -> list[tuple[Path, Listed]]:
        """The entries of a list with their paths; none when it is empty or too long, which is a problem."""
        most = self._context.bulk_size_limit
        if entries is not None and not 1 <= len(entries) <= most:
            self.problems.add(("input", name), f"`{name}` has from 1 to {most} entries; it has {len(entries)}.")
            return []
        return [(("input", name, index), entry) for index, entry in enumerate(entries or ())]

    def add(self, path: Path, change: Any, target: object) -> None:
        version = change.expected_version
        if version is not None and version < 1:
            self.problems.add((*path, "expectedVersion"), "Versions count from 1; leave it out for any.")
        self._items.append(Item(self.problems.key("Deal", change.deal_id, (*path, "dealId")), target, version))

    def alike(self, kind: str, deal_ids: list[strawberry.ID] | None, target_id: str | None, name: str) -> None:
        """Deals that all get the same target."""
        target = None if target_id is None else self.problems.key(kind, target_id, ("input", name))
        self.deals(deal_ids, target)

    def deals(self, deal_ids: list[strawberry.ID] | None, target: object) -> None:
        for path, deal_id in self.listed(deal_ids, "dealIds"):
            self._items.append(Item(self.problems.key("Deal", deal_id, path), target, None))

    def fields(self, path: Path, change: DealFieldsChange) -> tuple[tuple[str, object], ...]:
        given = {"name": change.name, "amount": change.amount, "expected_close": change.expected_close}
        values: dict[str, object] = {name: value for name, value in given.items() if value is not strawberry.UNSET}
        if not values:
            self.problems.add(path, "Nothing is to be otherwise: give `name`, `amount` or `expectedClose`.")
        if isinstance(change.expected_close, date):
            values["expected_close"] = change.expected_close.isoformat()
        if "name" in values:
            self._check_name(values["name"], (*path, "name"))
        amount = values.get("amount")
        if isinstance(amount, Decimal) and (fault := amount_fault(amount, self._context.currency or "")):
            self.problems.add((*path, "amount"), f"`amount`: {fault}")
        elif isinstance(amount, Decimal):
            values["amount"] = (amount + 0).normalize()  # the same amount is the same request, however it is spelled
        return tuple(values.items())

    def _check_name(self, name: object, path: Path) -> None:
        if isinstance(name, str):
            self.problems.text(name, path, LONGEST_NAME)
        else:
            self.problems.add(path, "A deal has a name: leave `name` out to keep the one it has.")

    def request(self, verb: Verb, given: BulkInput) -> Request:
        """The request of all items. Raises BAD_USER_INPUT with every problem."""
        self.problems.text(given.idempotency_key, ("input", "idempotencyKey"), LONGEST_KEY)
        self.problems.text(given.note, ("input", "note"), LONGEST_NOTE)
        self.problems.check()
        return Request(
            verb=verb,
            items=self._items,
            mode=Mode(str(given.mode.value)),
            dry_run=given.dry_run,
            note=given.note,
            idempotency_key=given.idempotency_key,
            fingerprint=repr((given.mode.value, given.note, [tuple(item) for item in self._items])),
        )


def _references(info: Info, verb: Verb, given: DeleteDealsInput | RestoreDealsInput) -> Request:
    items = _Items(info)
    _one_way(items.problems, given.changes, given.deal_ids)
    items.deals(given.deal_ids, None)
    for path, change in items.listed(given.changes, "changes"):
        items.add(path, change, None)
    return items.request(verb, given)


def _one_way(
    problems: Problems,
    changes: list[Any] | None,
    deal_ids: list[strawberry.ID] | None,
    shared: tuple[str, str | None] | None = None,
) -> None:
    """Either `changes`, or `dealIds` with what all of them get."""
    name, value = shared or ("", None)
    if (changes is None) == (deal_ids is None):
        wanted = f"`dealIds` with `{name}`" if shared else "`dealIds`"
        problems.add(("input",), f"Give either `changes` or {wanted}.")
    if shared and deal_ids is not None and value is None:
        problems.add(("input", name), f"`{name}` is what all of `dealIds` get: give it.")
    if shared and changes is not None and value is not None:
        problems.add(("input", name), f"`{name}` goes with `dealIds`: each of `changes` has its own.")
