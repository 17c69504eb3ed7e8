"""Activities and tasks around deals and companies."""

from collections.abc import Iterator

from gateway.demo.accounts import Account, Accounts
from gateway.demo.calendar import DAY, HOUR, instant
from gateway.demo.deals import Deal
from gateway.demo.people import People, Seller
from gateway.demo.tables import Row
from gateway.demo.tenant import Tenant
from gateway.demo.vocabulary import ACTIVITY_BODIES, ACTIVITY_SUBJECTS, TASK_TITLES

KINDS = ("email",) * 8 + ("call",) * 6 + ("meeting",) * 4 + ("note",) * 2
PRIORITIES = ("low", "normal", "normal", "normal", "high")
# With those of a deal itself, 2.7 on average, that makes three to a deal.
COMPANY_TOUCHES_PER_DEAL = 0.3
TODAY_EVERY, WEEK_EVERY, TASK_EVERY = 60, 25, 12
OPEN_TASK_SHARE, DONE_TASK_SHARE = 0.6, 0.12


class Touches:
    """Draws what people did, and what they still have to do."""

    def __init__(self, tenant: Tenant, accounts: Accounts, people: People) -> None:
        self._tenant = tenant
        self._accounts = accounts
        self._people = people
        self._dice = tenant.dice
        self._calendar = tenant.calendar
        self._count = 0

    def of_deal(self, deal: Deal) -> Iterator[Row]:
        """Activities from its creation to its close or to now; around a stale deal they cease."""
        until = deal.entered if deal.is_closed else min(self._calendar.now, deal.entered + 30 * DAY)
        if deal.account:
            until = max(deal.created, min(until, deal.account.quiet_from))
        count = 1 + int(self._dice.random() * (1.3 + 0.95 * len(deal.moves)))
        for index in range(count):
            at = deal.created + int((until - deal.created) * (index + self._dice.random()) / count)
            yield self._activity(self._calendar.at_work(at, deal.created), deal.owner, deal.account, deal.id)

    def of_companies(self, deals: int) -> Iterator[tuple[Row, Row | None]]:
        """Activities without a deal, in proportion to so many deals, and with some of them a task.

        Some are of today and of this week, so that a dashboard always has something to show.
        """
        for _ in range(round(deals * COMPANY_TOUCHES_PER_DEAL)):
            self._count += 1
            at, account = self._company_moment()
            owner = account.owner if account and account.owner else self._people.seller_at(at)
            task = None
            if self._count % TASK_EVERY == 0:
                make = self._done_task if self._dice.random() < 0.5 else self._open_task
                task = make(owner, account, None, at)
            yield self._activity(at, owner, account, None), task

    def tasks_of(self, deal: Deal) -> Iterator[Row]:
        drawn = self._dice.random()
        if deal.is_closed and drawn < DONE_TASK_SHARE:
            yield self._done_task(deal.owner, deal.account, deal.id, deal.created)
        elif not deal.is_closed and drawn < OPEN_TASK_SHARE:
            yield self._open_task(deal.owner, deal.account, deal.id, deal.entered)

    def _company_moment(self) -> tuple[int, Account | None]:
        dice, calendar = self._dice, self._calendar
        if self._count % TODAY_EVERY == 0:
            at = calendar.earlier_today()
        elif self._count % WEEK_EVERY == 0:
            at = calendar.days_ago(6 * dice.random())
        else:
            account = dice.pick(self._accounts.all)
            span = account.quiet_from - account.created
            at = calendar.at_work(account.quiet_from - int(span * dice.random() ** 1.5), account.created)
            return at, account
        return at, self._accounts.at(at)

    def _activity(self, at: int, owner: Seller, account: Account | None, deal_id: int | None) -> Row:
        dice = self._dice
        kind = dice.pick(KINDS)
        has_body = kind == "note" or dice.random() < 0.15
        moment = instant(at)
        contact_id = None
        if account and kind != "note":
            contact_id = account.first_contact_id + int(account.contacts * dice.random())
        return (
            self._tenant.id,
            kind,
            dice.pick(ACTIVITY_SUBJECTS[kind]),
            dice.pick(ACTIVITY_BODIES) if has_body else None,
            owner.member_id,
            account.company_id if account else None,
            contact_id,
            deal_id,
            moment,
            moment,
        )

    def _done_task(self, owner: Seller, account: Account | None, deal_id: int | None, since: int) -> Row:
        dice, calendar = self._dice, self._calendar
        written = self._written(since)
        done = dice.between(written, min(calendar.now, written + 14 * DAY))
        due = calendar.at_work(done + int(3 * DAY * dice.normal()), written)
        return self._task(owner, account, deal_id, written, due, done)

    def _open_task(self, owner: Seller, account: Account | None, deal_id: int | None, since: int) -> Row:
        written = self._written(since)
        return self._task(owner, account, deal_id, written, self._due(written), None)

    def _written(self, since: int) -> int:
        return since + int((self._calendar.now - since) * 0.6 * self._dice.random())

    def _due(self, written: int) -> int | None:
        """Today, overdue, in the next weeks, or without a date."""
        dice, calendar = self._dice, self._calendar
        drawn = dice.random()
        working_hour = 9 * HOUR + dice.between(0, 32) * HOUR // 4
        if drawn < 0.12:
            return calendar.midnight + working_hour
        if drawn < 0.35:
            return dice.between(written, calendar.now)
        if drawn < 0.82:
            return calendar.midnight + dice.between(1, 22) * DAY + working_hour
        return None

    def _task(
        self,
        owner: Seller,
        account: Account | None,
        deal_id: int | None,
        written: int,
        due: int | None,
        done: int | None,
    ) -> Row:
        return (
            self._tenant.id,
            self._dice.pick(TASK_TITLES),
            self._dice.pick(PRIORITIES),
            owner.member_id,
            account.company_id if account else None,
            deal_id,
            None if due is None else instant(due),
            None if done is None else instant(done),
            instant(written),
            instant(done or written),
        )
