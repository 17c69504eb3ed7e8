"""Companies and the people there."""

from bisect import bisect
from collections.abc import Iterator
from dataclasses import dataclass

from gateway.demo.calendar import COMPANY_DAYS, DAY, instant
from gateway.demo.people import People, Seller
from gateway.demo.shape import CONTACTS_PER_COMPANY_MAX
from gateway.demo.tables import Row
from gateway.demo.tenant import Tenant
from gateway.demo.vocabulary import (
    COMPANY_FIRST,
    COMPANY_KINDS,
    FIRST_NAMES,
    LAST_NAMES,
    LEGAL_FORMS,
    REGIONS,
    TITLES,
)

NEW_SHARE, UNOWNED_SHARE = 0.04, 0.06
QUIET_SHARE, DELETED_SHARE_OF_QUIET = 0.18, 0.12
QUIET_DAYS_MIN, QUIET_DAYS_MAX = 95, 600


@dataclass(frozen=True, slots=True)
class Account:
    """A company as its deals see it. Nothing happens there after `quiet_from`. `size` is 1 for the median."""

    company_id: int
    name: str
    industry: str
    owner: Seller | None
    created: int
    quiet_from: int
    first_contact_id: int
    contacts: int
    size: float


class Accounts:
    """`all` are the companies of a tenant in the order of their creation."""

    def __init__(self, tenant: Tenant, people: People) -> None:
        self.all: list[Account] = []
        self._tenant = tenant
        self._people = people
        self._random = tenant.dice.random
        self._created = sorted(self._founded() for _ in range(tenant.spec.companies))
        contact_id = tenant.first_ids.contacts
        for index, created in enumerate(self._created):
            account = self._account(tenant.first_ids.companies + index, contact_id, created)
            contact_id += account.contacts
            self.all.append(account)

    def at(self, when: int) -> Account | None:
        """A company that existed and had not gone quiet; now and then none is found."""
        known = bisect(self._created, when)
        for _ in range(6 if known else 0):
            account = self.all[int(known * self._random() ** 1.3)]
            if account.quiet_from > when:
                return account
        return None

    def company_rows(self) -> Iterator[Row]:
        dice, now = self._tenant.dice, self._tenant.calendar.now
        for account in self.all:
            gone = account.quiet_from < now and dice.random() < DELETED_SHARE_OF_QUIET
            deleted = dice.between(account.quiet_from, now) if gone else None
            at_owners = account.owner and dice.random() < 0.8
            yield (
                self._tenant.id,
                account.company_id,
                account.owner.member_id if account.owner else None,
                account.name,
                account.industry,
                account.owner.region if account.owner and at_owners else dice.pick(REGIONS),
                f"https://www.{_domain(account)}",
                max(3, int(180 * account.size**1.6)),
                instant(account.created),
                instant(deleted or dice.between(account.created, account.quiet_from)),
                instant(deleted) if deleted else None,
            )

    def contact_rows(self) -> Iterator[Row]:
        dice = self._tenant.dice
        for account in self.all:
            owner_id = account.owner.member_id if account.owner else None
            for index in range(account.contacts):
                first, last = dice.pick(FIRST_NAMES), dice.pick(LAST_NAMES)
                met = account.created if index == 0 else dice.between(account.created, account.quiet_from)
                yield (
                    self._tenant.id,
                    account.first_contact_id + index,
                    account.company_id,
                    owner_id,
                    f"{first} {last}",
                    f"{first}.{last}@{_domain(account)}".lower(),
                    f"+{dice.between(1, 99)} {dice.between(100, 999)} {dice.between(100_000, 9_999_999)}",
                    dice.pick(TITLES),
                    instant(met),
                    instant(met),
                )

    def _founded(self) -> int:
        calendar = self._tenant.calendar
        is_new = self._random() < NEW_SHARE
        age_days = 30 * self._random() if is_new else COMPANY_DAYS * self._random() ** 1.2
        return calendar.at_work(calendar.days_ago(age_days), calendar.days_ago(COMPANY_DAYS))

    def _account(self, company_id: int, first_contact_id: int, created: int) -> Account:
        dice = self._tenant.dice
        industry, word = dice.pick(COMPANY_KINDS)
        return Account(
            company_id=company_id,
            name=f"{dice.pick(COMPANY_FIRST)} {word}{dice.pick(LEGAL_FORMS)}",
            industry=industry,
            owner=None if dice.random() < UNOWNED_SHARE else self._people.seller_at(created),
            created=created,
            quiet_from=self._quiet_from(created),
            first_contact_id=first_contact_id,
            contacts=1 + int(CONTACTS_PER_COMPANY_MAX * dice.random() ** 1.4),
            size=dice.log_normal(1.0),
        )

    def _quiet_from(self, created: int) -> int:
        """The present, unless the company went quiet after some weeks or more."""
        calendar = self._tenant.calendar
        earliest = max(created + 20 * DAY, calendar.days_ago(QUIET_DAYS_MAX))
        latest = calendar.days_ago(QUIET_DAYS_MIN)
        if earliest > latest or self._random() > QUIET_SHARE:
            return calendar.now
        return self._tenant.dice.between(earliest, latest)


def _domain(account: Account) -> str:
    """Of the kind that no one can register."""
    return "".join(letter for letter in account.name.lower() if letter.isalnum()) + ".example"
