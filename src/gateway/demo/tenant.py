"""The tenant that is being made: what all its records share."""

from dataclasses import dataclass

from gateway.demo.calendar import Calendar
from gateway.demo.dice import Dice
from gateway.demo.shape import TenantSpec


@dataclass(frozen=True, slots=True)
class FirstIds:
    """Where the ids of a tenant's records begin: reserved, so that they follow one another."""

    members: int
    companies: int
    contacts: int
    pipelines: int
    stages: int
    products: int
    deals: int


@dataclass(frozen=True, slots=True)
class Tenant:
    """Its own dice make a tenant's data independent of the tenants made before it."""

    id: int
    spec: TenantSpec
    first_ids: FirstIds
    dice: Dice
    calendar: Calendar
