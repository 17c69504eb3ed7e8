"""What resolvers are given: who asks, the snapshot they read, and its loaders."""

from collections.abc import Awaitable, Callable, Sequence, Set
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any, Protocol, TypeAlias, TypeVar

import strawberry
from aiodataloader import DataLoader

from gateway.api.batching import LevelLoader, Levels, Source
from gateway.commands.change_deals import Command, reporting
from gateway.errors import AnswerTooLargeError, ForbiddenError
from loaders import activities, companies, contacts, deal_totals, deals, members, pipelines, products, tasks
from loaders.deal_totals import Moves, WhichPipelines
from loaders.keyset import Filters, ListSource, Page, PageRequest, count_nested_rows, read_nested_pages
from loaders.periods import Days
from loaders.reads import Reads
from loaders.tenants import Moment

Row = TypeVar("Row")
Done = TypeVar("Done")


MOST_NESTED_ROWS = 100_000
"""What one statement may be asked for by a list nested under many records; what it finds is counted when it is made."""


class Snapshot(Reads, Source, Protocol):
    """A tenant's read transaction. `opened()` gives its moment; None when the tenant is gone. `found`: that, once
    it was read; `tables`: what its statements read."""

    @property
    def statements(self) -> list[str]: ...

    @property
    def rows(self) -> int: ...

    @property
    def tables(self) -> set[str]: ...

    @property
    def found(self) -> Moment | None: ...

    async def opened(self) -> Moment | None: ...

    async def close(self) -> None: ...


class Session(Protocol):
    """Tokens of a member who signed in; instants of expiry."""

    @property
    def tenant_id(self) -> int: ...
    @property
    def member_id(self) -> int: ...
    @property
    def token(self) -> str: ...
    @property
    def expires_at(self) -> datetime: ...
    @property
    def refresh_token(self) -> str: ...
    @property
    def refresh_expires_at(self) -> datetime: ...


class Write(Protocol):
    """What a command did, committed."""

    async def __call__(self, command: Command[Done], /) -> Done: ...


class Funds(Protocol):
    """A tenant's budget at one moment, in points; `rate` in points a second."""

    @property
    def mode(self) -> str: ...
    @property
    def maximum(self) -> float: ...
    @property
    def available(self) -> int: ...
    @property
    def rate(self) -> float: ...
    @property
    def most_points(self) -> int: ...
    @property
    def alone(self) -> bool: ...


class SignIn(Protocol):
    """Logging in and staying so. Both raise LOGIN_FAILED, LOGIN_BUSY or LOGIN_UNAVAILABLE."""

    async def login(self, tenant: str, email: str, password: str) -> Session: ...

    async def refresh(self, token: str) -> Session: ...


@dataclass(frozen=True, slots=True)
class BoardKey:
    """One board: of one pipeline (None: the default one) or of all, of an owner or of all, in a period."""

    pipelines: WhichPipelines
    owner_id: int | None
    days: Days
    moves: Moves


@dataclass(frozen=True, slots=True)
class CompanyKey:
    """The totals of one company in a period; `today` ends what is counted of today and of this week."""

    company_id: int
    days: Days
    today: date


@dataclass(frozen=True, slots=True)
class EngagementKey:
    """One company's engagement up to `today`."""

    company_id: int
    today: date


class Loaders:
    """The dataloaders of one snapshot. Every loaded record is read once; a missing one is None."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._levels = Levels(snapshot)
        self._pages: dict[tuple[object, ...], DataLoader[int, Page[Any]]] = {}
        self._counts: dict[tuple[object, ...], DataLoader[int, int]] = {}
        by_id = self._by_id
        self.member: DataLoader[int, members.MemberRow | None] = by_id(members.members_by_id)
        self.company: DataLoader[int, companies.CompanyRow | None] = by_id(companies.companies_by_id)
        self.contact: DataLoader[int, contacts.ContactRow | None] = by_id(contacts.contacts_by_id)
        self.pipeline: DataLoader[int, pipelines.PipelineRow | None] = by_id(pipelines.pipelines_by_id)
        self.stage: DataLoader[int, pipelines.StageRow | None] = by_id(pipelines.stages_by_id)
        self.pipeline_stages: DataLoader[int, list[pipelines.StageRow]] = by_id(pipelines.stages_by_pipeline)
        self.deal: DataLoader[int, deals.DealRow | None] = by_id(deals.deals_by_id)
        self.activity: DataLoader[int, activities.ActivityRow | None] = by_id(activities.activities_by_id)
        self.task: DataLoader[int, tasks.TaskRow | None] = by_id(tasks.tasks_by_id)
        self.product: DataLoader[int, products.ProductRow | None] = by_id(products.products_by_id)
        self.engagement: DataLoader[EngagementKey, companies.EngagementFacts] = DataLoader(
            partial(_engagements, snapshot)
        )
        self.company_totals: DataLoader[CompanyKey, deal_totals.CompanyTotals] = DataLoader(
            partial(_company_totals, snapshot)
        )
        self.board: DataLoader[BoardKey, deal_totals.Board] = DataLoader(partial(self._boards, snapshot))

    async def _boards(self, snapshot: Snapshot, keys: list[BoardKey]) -> list[deal_totals.Board]:
        boards = [await _board(snapshot, key) for key in keys]
        for board in boards:
            self._keep_stages(board)
        return boards

    def _keep_stages(self, board: deal_totals.Board) -> None:
        """A board holds whole pipelines: nothing beneath it reads them or their stages again."""
        by_pipeline: dict[int, list[pipelines.StageRow]] = {}
        for row in board.stages:
            self.pipeline.prime(row.pipeline.id, row.pipeline)
            self.stage.prime(row.stage.id, row.stage)
            by_pipeline.setdefault(row.pipeline.id, []).append(row.stage)
        for pipeline_id, stages in by_pipeline.items():
            self.pipeline_stages.prime(pipeline_id, stages)

    def pages(self, source: ListSource[Any], parent: str, request: PageRequest) -> DataLoader[int, Page[Any]]:
        """Pages of a list nested under many parents: one loader, and so one statement, for each way of asking."""
        key = (source.name, parent, request)
        if key not in self._pages:
            self._pages[key] = self._by_id(partial(_nested_pages, source, parent, request))
        return self._pages[key]

    def counts(self, source: ListSource[Any], parent: str, filters: Filters) -> DataLoader[int, int]:
        """How long a list is under each of many parents."""
        key = (source.name, parent, filters)
        if key not in self._counts:
            self._counts[key] = self._by_id(partial(_nested_counts, source, parent, filters))
        return self._counts[key]

    def _by_id(self, batch: Callable[[Reads, Sequence[int]], Awaitable[list[Row]]]) -> DataLoader[int, Row]:
        return LevelLoader(self._levels, partial(batch, self._snapshot))


class Context:
    """One request.

    `tenant_id`, `member_id` and `currency` are None for an anonymous caller, who has nothing to read from.
    Once its transactions are closed: `statements`, names of those that they issued; `rows`, how many these found;
    `tables`, what they read; `opened_at`, the moment of the last of them. `good_until`: when something that it
    answered changes by itself, as the clock goes on; None: never. `personal`: whether it looked at who is asking.
    """

    def __init__(
        self,
        *,
        tenant_id: int | None,
        member_id: int | None,
        permissions: Set[str],
        sign_in: SignIn,
        page_size_limit: int,
        answer_entry_limit: int,
        bulk_size_limit: int,
        currency: str | None,
        check_deadline: Callable[[], object],
        open_snapshot: Callable[[int], Snapshot],
        write: Write,
        read_funds: Callable[[], Awaitable[Funds | None]],
    ) -> None:
        self.tenant_id = tenant_id
        self._member_id = member_id
        self._permissions = permissions
        self.sign_in = sign_in
        self.page_size_limit = page_size_limit
        self._entries_left = answer_entry_limit
        self.bulk_size_limit = bulk_size_limit
        self.currency = currency
        self._check_deadline = check_deadline
        self.statements: list[str] = []
        self.rows = 0
        self.tables: set[str] = set()
        self.opened_at: Moment | None = None
        self.good_until: datetime | None = None
        self.personal = False
        self._open_snapshot = open_snapshot
        self._write = write
        self.read_funds = read_funds
        self._snapshot: Snapshot | None = None
        self._loaders: Loaders | None = None
        self._closed = False

    @property
    def snapshot(self) -> Snapshot:
        """The snapshot that the present field reads; all fields of a query share one."""
        if self._snapshot is None:
            if self._closed:
                raise RuntimeError("a read after its request had ended")
            if self.tenant_id is None:
                raise RuntimeError("a read without a tenant")
            self._snapshot = self._open_snapshot(self.tenant_id)
        return self._snapshot

    @property
    def member_id(self) -> int | None:
        self.personal = True
        return self._member_id

    def require(self, permission: str) -> None:
        """Raises FORBIDDEN unless the caller's role has it."""
        self.personal = True
        if permission not in self._permissions:
            raise ForbiddenError

    @property
    def loaders(self) -> Loaders:
        if self._loaders is None:
            self._loaders = Loaders(self.snapshot)
        return self._loaders

    def spend(self, entries: int) -> None:
        """Counts entries of a list before they are made: page sizes multiply, and making them holds up the process.

        Raises ANSWER_TOO_LARGE, or DEADLINE_EXCEEDED when the request has no time left.
        """
        self._check_deadline()
        self._entries_left -= entries
        if self._entries_left < 0:
            raise AnswerTooLargeError

    async def moment(self) -> Moment:
        """The moment of the present snapshot. What goes by its day is good for that day alone."""
        moment = await self.snapshot.opened()
        if moment is None:
            raise RuntimeError("the tenant was removed while its member was signed in")
        self.ends_at(moment.day_ends_at)
        return moment

    def ends_at(self, instant: datetime | None) -> None:
        """Something that is answered is another from this instant on, even if nobody changes anything."""
        if instant is not None:
            self.good_until = instant if self.good_until is None else min(self.good_until, instant)

    async def write(self, command: Command[Done]) -> Done:
        """What a command did, committed. What is read next is read in a new snapshot."""
        await self.release()
        return await self._write(reporting(command, self._wrote))

    def _wrote(self, statements: Sequence[str], rows: int) -> None:
        self.statements += statements
        self.rows += rows

    async def renew(self, tenant_id: int, member_id: int) -> None:
        """A new snapshot for the payload of a mutation field, after its own transaction has ended."""
        await self.release()
        self.tenant_id, self._member_id = tenant_id, member_id

    async def release(self) -> None:
        """Gives the snapshot's connection back; what reads next gets a new one."""
        snapshot, self._snapshot, self._loaders = self._snapshot, None, None
        if snapshot is not None:
            await snapshot.close()
            self.statements += snapshot.statements
            self.rows += snapshot.rows
            self.tables |= snapshot.tables
            self.opened_at = snapshot.found or self.opened_at

    async def close(self) -> None:
        """Ends the request. An error may have ended it early: fields still unresolved then read nothing more."""
        self._closed = True
        await self.release()


Info: TypeAlias = strawberry.Info[Context, None]


async def _company_totals(snapshot: Snapshot, keys: list[CompanyKey]) -> list[deal_totals.CompanyTotals]:
    return [await deal_totals.company_totals(snapshot, key.company_id, key.days, key.today) for key in keys]


async def _engagements(snapshot: Snapshot, keys: list[EngagementKey]) -> list[companies.EngagementFacts]:
    return [await companies.engagement_facts(snapshot, key.company_id, key.today) for key in keys]


async def _board(snapshot: Snapshot, key: BoardKey) -> deal_totals.Board:
    return await deal_totals.deal_board(snapshot, key.pipelines, key.owner_id, key.days, key.moves)


async def _nested_pages(
    source: ListSource[Any], parent: str, request: PageRequest, reads: Reads, parent_ids: Sequence[int]
) -> list[Page[Any]]:
    if len(parent_ids) * request.size > MOST_NESTED_ROWS:
        raise AnswerTooLargeError
    return await read_nested_pages(reads, source, parent, request, parent_ids)


async def _nested_counts(
    source: ListSource[Any], parent: str, filters: Filters, reads: Reads, parent_ids: Sequence[int]
) -> list[int]:
    return await count_nested_rows(reads, source, parent, filters, parent_ids)
