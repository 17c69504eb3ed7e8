"""Members of a tenant, and those of them who sell."""

import math
from bisect import bisect
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

from gateway.demo.calendar import COMPANY_DAYS, instant
from gateway.demo.dice import Dice
from gateway.demo.tables import Row
from gateway.demo.tenant import Tenant
from gateway.demo.vocabulary import FIRST_NAMES, LAST_NAMES, REGIONS, TEAMS

# Every tenant has one login of each role, in this order, before its other members.
LOGIN_ROLES = ("viewer", "rep", "manager", "admin")
FAR_FUTURE = 1 << 40


@dataclass(frozen=True, slots=True)
class Seller:
    """Someone who owns deals between `joined` and `left`.

    `edge` is the power that a stage's chance to advance is raised to (below 1: better), `pace` stretches the
    time in a stage, `value` the amounts; `capacity` is a share of the work.
    """

    member_id: int
    region: str
    joined: int
    left: int
    capacity: float
    edge: float
    pace: float
    value: float


class People:
    """`rows` are the members; `sellers` those who own deals, the one of the login `rep@` first."""

    def __init__(self, tenant: Tenant, password_hash: str) -> None:
        self.rows: list[Row] = []
        self.sellers: list[Seller] = []
        self._tenant = tenant
        self._random = tenant.dice.random
        names = _names(tenant.dice, tenant.spec.slug)
        for index in range(tenant.spec.members):
            role = LOGIN_ROLES[index] if index < len(LOGIN_ROLES) else _role(index)
            name, email = next(names)
            if index < len(LOGIN_ROLES):
                email = f"{role}@{tenant.spec.slug}.example"
            seller = self._seller(index, role)
            self.rows.append(self._row(seller, index, role, name, email, password_hash))
            if role in {"rep", "manager"}:
                self.sellers.append(seller)
        self._capacity = list(accumulate(seller.capacity for seller in self.sellers))

    def seller_at(self, when: int) -> Seller:
        """Someone who sold at that time, the busier the likelier."""
        for _ in range(6):
            seller = self.sellers[bisect(self._capacity, self._random() * self._capacity[-1])]
            if seller.joined <= when < seller.left:
                return seller
        return self.sellers[0]

    def _seller(self, index: int, role: str) -> Seller:
        dice, calendar = self._tenant.dice, self._tenant.calendar
        veteran = index < len(LOGIN_ROLES) or dice.random() < 0.6
        joined = calendar.days_ago(COMPANY_DAYS + 30 if veteran else 120 + dice.random() * COMPANY_DAYS * 0.9)
        left = dice.between((joined + calendar.now) // 2, calendar.days_ago(59)) if index % 9 == 7 else FAR_FUTURE
        skill = dice.normal()
        return Seller(
            member_id=self._tenant.first_ids.members + index,
            region=REGIONS[index % len(REGIONS)],
            joined=joined,
            left=left,
            capacity=dice.log_normal(0.4) * (0.3 if role == "manager" else 1),
            edge=math.exp(-0.4 * skill),
            pace=math.exp(-0.15 * skill) * dice.log_normal(0.1),
            value=math.exp(0.2 * skill),
        )

    def _row(self, member: Seller, index: int, role: str, name: str, email: str, password_hash: str) -> Row:
        return (
            self._tenant.id,
            member.member_id,
            email,
            name,
            role,
            None if role == "admin" else TEAMS[index // len(REGIONS) % len(TEAMS)],
            member.region,
            member.left == FAR_FUTURE,
            password_hash,
            instant(member.joined),
        )


def _role(index: int) -> str:
    return {0: "manager", 5: "viewer", 11: "admin"}.get(index % 12, "rep")


def _names(dice: Dice, slug: str) -> Iterator[tuple[str, str]]:
    """Names with their email, no email twice."""
    taken = set()
    while True:
        first, last = dice.pick(FIRST_NAMES), dice.pick(LAST_NAMES)
        email = f"{first}.{last}@{slug}.example".lower()
        if email not in taken:
            taken.add(email)
            yield f"{first} {last}", email
