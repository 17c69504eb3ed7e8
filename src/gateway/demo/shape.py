"""How much the demo holds, and whose it is: its sizes and tenants."""

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from gateway.demo.vocabulary import TENANT_FIRST, TENANT_SECOND


class Shape(Protocol):
    """How many tenants there are, and how many deals they have together."""

    @property
    def tenants(self) -> int: ...

    @property
    def deals(self) -> int: ...


class Size(StrEnum):
    """How much data a demo holds."""

    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"

    @property
    def tenants(self) -> int:
        return {"small": 3, "medium": 100, "large": 300}[self]

    @property
    def deals(self) -> int:
        """Deals of all tenants; there are about three activities to a deal."""
        return {"small": 6_000, "medium": 1_000_000, "large": 10_000_000}[self]


@dataclass(frozen=True, slots=True)
class Locale:
    """Where a tenant does business. `unit` is what one euro of price becomes in its currency, roughly."""

    currency: str
    time_zone: str
    unit: float


LOCALES = (
    Locale("EUR", "Europe/Berlin", 1),
    Locale("USD", "America/New_York", 1),
    Locale("JPY", "Asia/Tokyo", 150),
    Locale("GBP", "Europe/London", 1),
    Locale("EUR", "Europe/Paris", 1),
    Locale("CAD", "America/Toronto", 1.5),
    Locale("AUD", "Australia/Sydney", 1.5),
    Locale("SEK", "Europe/Stockholm", 11),
    Locale("BRL", "America/Sao_Paulo", 5),
    Locale("INR", "Asia/Kolkata", 90),
    Locale("USD", "America/Los_Angeles", 1),
    Locale("CHF", "Europe/Zurich", 1),
)

# How unevenly deals are spread over tenants: the weight of the n-th is n to this power.
TENANT_SIZE_EXPONENT = -0.9
SECOND_PIPELINE_FROM_DEALS = 3_000
DEALS_PER_COMPANY = 8
CONTACTS_PER_COMPANY_MAX = 5
FIXED_TENANTS = (
    ("aurora", "Aurora", "enterprise"),
    ("birch", "Birch", "professional"),
    ("cobalt", "Cobalt", "standard"),
)


@dataclass(frozen=True, slots=True)
class TenantSpec:
    """One tenant to be: who it is and how many records it gets."""

    slug: str
    name: str
    plan: str
    locale: Locale
    deals: int

    @property
    def members(self) -> int:
        """12 in the smallest tenants, 60 from 100 000 deals on."""
        return 12 + round(48 * min(1.0, max(0.0, (math.log10(self.deals) - 3) / 2)))

    @property
    def companies(self) -> int:
        return max(30, self.deals // DEALS_PER_COMPANY)

    @property
    def has_renewals(self) -> bool:
        return self.deals >= SECOND_PIPELINE_FROM_DEALS


def tenant_specs(shape: Shape) -> list[TenantSpec]:
    """The tenants of a demo of that shape, the largest first; their deals add up to `shape.deals`."""
    weights = [(rank + 1) ** TENANT_SIZE_EXPONENT for rank in range(shape.tenants)]
    deals = [int(shape.deals * weight / sum(weights)) for weight in weights]
    deals[0] += shape.deals - sum(deals)
    return [_tenant(rank, count) for rank, count in enumerate(deals)]


def _tenant(rank: int, deals: int) -> TenantSpec:
    slug, name, plan = FIXED_TENANTS[rank % len(FIXED_TENANTS)]
    if rank >= len(FIXED_TENANTS):
        slug, name = _generated_name(rank)
    return TenantSpec(slug, name, plan, LOCALES[rank % len(LOCALES)], deals)


def _generated_name(rank: int) -> tuple[str, str]:
    number = rank - len(FIXED_TENANTS)
    row, column = divmod(number, len(TENANT_FIRST))
    words = TENANT_FIRST[column], TENANT_SECOND[(row + column) % len(TENANT_SECOND)]
    return "-".join(words), " ".join(words).title()
