"""Deals: who sells what to whom, for how much, and how it went."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from gateway.demo.accounts import Account, Accounts
from gateway.demo.calendar import instant
from gateway.demo.dice import Dice
from gateway.demo.funnel import Move, Pipeline, way
from gateway.demo.people import People, Seller
from gateway.demo.tables import Row
from gateway.demo.tenant import Tenant
from gateway.demo.vocabulary import DEAL_SUBJECTS, PRODUCTS

MEDIAN_AMOUNT = 12_000
COMPANYLESS_SHARE, AMOUNTLESS_SHARE, DELETED_SHARE, UNDATED_SHARE = 0.035, 0.03, 0.01, 0.06
OWN_COMPANY_SHARE, RENEWAL_SHARE, ITEMISED_SHARE = 0.7, 0.15, 0.72


@dataclass(frozen=True, slots=True)
class Deal:
    """What the records around a deal need to know. `amount`: whole units of the tenant's currency."""

    id: int
    pipeline: Pipeline
    owner: Seller
    account: Account | None
    amount: int | None
    moves: list[Move]

    @property
    def created(self) -> int:
        return self.moves[0][1]

    @property
    def entered(self) -> int:
        """When it entered its present stage."""
        return self.moves[-1][1]

    @property
    def is_closed(self) -> bool:
        return self.moves[-1][0] not in self.pipeline.open_ids


class Deals:
    """Draws the deals of one tenant, one after another, with their rows."""

    def __init__(self, tenant: Tenant, pipelines: list[Pipeline], accounts: Accounts, people: People) -> None:
        self._tenant = tenant
        self._pipelines = pipelines
        self._accounts = accounts
        self._people = people
        self._dice = tenant.dice
        self._calendar = tenant.calendar
        self._unit = tenant.spec.locale.unit
        self._first_product_id = tenant.first_ids.products

    def products(self, since: datetime) -> Iterator[Row]:
        """The tenant's products, on sale since then."""
        for index, (name, series, price) in enumerate(PRODUCTS):
            product_id = self._first_product_id + index
            yield self._tenant.id, product_id, name, series, int(price * self._unit), since

    def draw(self, deal_id: int, created: int) -> Deal:
        dice, calendar = self._dice, self._calendar
        account = None if dice.random() < COMPANYLESS_SHARE else self._accounts.at(created)
        owner = self._owner(account, created)
        pipeline = self._pipelines[-1 if dice.random() < RENEWAL_SHARE else 0]
        size = dice.log_normal(0.85) * owner.value * (account.size**0.3 if account else 0.8)
        pace = owner.pace * size**0.18
        until = account.quiet_from if account else calendar.now
        moves = way(self._tenant, pipeline, owner, created, until, pace)
        amount = None if dice.random() < AMOUNTLESS_SHARE else rounded(MEDIAN_AMOUNT * self._unit * size)
        return Deal(deal_id, pipeline, owner, account, amount, moves)

    def row(self, deal: Deal) -> Row:
        dice = self._dice
        entered = instant(deal.entered)
        deleted = dice.random() < DELETED_SHARE
        changed = instant(dice.between(deal.entered, self._calendar.now)) if deleted else entered
        subject = dice.pick(DEAL_SUBJECTS)
        return (
            self._tenant.id,
            deal.id,
            deal.pipeline.id,
            deal.moves[-1][0],
            deal.owner.member_id,
            deal.account.company_id if deal.account else None,
            f"{deal.account.name}: {subject}" if deal.account else subject,
            deal.amount,
            self._expected_close(deal),
            instant(deal.created),
            entered,
            entered if deal.is_closed else None,
            changed,
            changed if deleted else None,
            len(deal.moves),
        )

    def lines(self, deal: Deal) -> Iterator[Row]:
        """One to three products whose amounts add up to the deal's; none for some deals."""
        dice = self._dice
        if deal.amount is None or dice.random() > ITEMISED_SHARE:
            return
        amounts = _parts(deal.amount, 1 + int(3 * dice.random() ** 1.5), dice)
        start = int(len(PRODUCTS) * dice.random() ** 1.3)
        for index, amount in enumerate(amounts):
            product = (start + 3 * index) % len(PRODUCTS)
            price = int(PRODUCTS[product][2] * self._unit)
            yield (
                self._tenant.id,
                deal.id,
                self._first_product_id + product,
                max(1, round(amount / price)),
                amount,
            )

    def _owner(self, account: Account | None, created: int) -> Seller:
        if account and account.owner and self._dice.random() < OWN_COMPANY_SHARE:
            owner = account.owner
            if owner.joined <= created < owner.left:
                return owner
        return self._people.seller_at(created)

    def _expected_close(self, deal: Deal) -> date | None:
        """Around the close; for an open deal some weeks after its last move, which may have passed."""
        dice = self._dice
        if dice.random() < UNDATED_SHARE:
            return None
        days = int(12 * dice.normal()) if deal.is_closed else int(35 * dice.log_normal(0.6))
        return max(self._calendar.day(deal.created), self._calendar.day(deal.entered) + timedelta(days=days))


def rounded(amount: float) -> int:
    """As people write amounts: two leading digits, the second of small ones to the half."""
    step: int = 10 ** max(0, len(str(int(amount))) - 2)
    half = max(1, step // 2)
    return max(half, int(amount / half) * half)


def _parts(amount: int, count: int, dice: Dice) -> list[int]:
    """That many positive amounts with that sum, fewer when it is too small."""
    parts = []
    for _ in range(count - 1):
        part = rounded(amount * (0.3 + 0.4 * dice.random()))
        if part >= amount:
            break
        parts.append(part)
        amount -= part
    return [*parts, amount]
