"""Pipelines, and the way of a deal through its stages."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from gateway.demo.calendar import DAY, HOUR
from gateway.demo.people import Seller
from gateway.demo.tables import Row
from gateway.demo.tenant import Tenant

SKIP_CHANCE, BACK_CHANCE = 0.06, 0.04
STALL_CHANCE, STALL_DAYS = 0.025, 450
ENTRY_CHANCES = (0.86, 0.97)  # of the first stage, of the first two


@dataclass(frozen=True, slots=True)
class StageSpec:
    """An open stage: the chance that an average seller's deal leaves it forwards, and after how many days."""

    name: str
    probability: Decimal
    advances: float
    days: float


@dataclass(frozen=True, slots=True)
class PipelineSpec:
    name: str
    stages: tuple[StageSpec, ...]
    won: str
    lost: str


SALES = PipelineSpec(
    "Sales",
    (
        StageSpec("Lead", Decimal("0.1"), 0.68, 9),
        StageSpec("Qualified", Decimal("0.3"), 0.70, 16),
        StageSpec("Proposal", Decimal("0.5"), 0.75, 19),
        StageSpec("Negotiation", Decimal("0.75"), 0.76, 14),
    ),
    "Won",
    "Lost",
)
RENEWALS = PipelineSpec(
    "Renewals",
    (
        StageSpec("Upcoming", Decimal("0.6"), 0.92, 25),
        StageSpec("Contacted", Decimal("0.7"), 0.91, 14),
        StageSpec("Quoted", Decimal("0.85"), 0.93, 10),
    ),
    "Renewed",
    "Churned",
)


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A pipeline of one tenant: `open_ids` in order."""

    id: int
    spec: PipelineSpec
    open_ids: tuple[int, ...]
    won_id: int
    lost_id: int

    def rows(self, tenant_id: int) -> Iterator[Row]:
        """Its stages."""
        for position, (stage_id, stage) in enumerate(zip(self.open_ids, self.spec.stages, strict=True), 1):
            yield tenant_id, stage_id, self.id, stage.name, position, stage.probability, "open"
        count = len(self.open_ids)
        yield tenant_id, self.won_id, self.id, self.spec.won, count + 1, 1, "won"
        yield tenant_id, self.lost_id, self.id, self.spec.lost, count + 2, 0, "lost"


def numbered(spec: PipelineSpec, pipeline_id: int, first_stage_id: int) -> Pipeline:
    count = len(spec.stages)
    open_ids = tuple(range(first_stage_id, first_stage_id + count))
    return Pipeline(pipeline_id, spec, open_ids, first_stage_id + count, first_stage_id + count + 1)


Move = tuple[int, int]
"""A stage's id and the instant at which it was entered."""


def way(tenant: Tenant, pipeline: Pipeline, seller: Seller, created: int, until: int, pace: float) -> list[Move]:
    """The moves of a deal from its creation up to `until`, each later than the one before.

    `until` is the present, or when its company went quiet: then most deals are lost.
    """
    dice, calendar, random = tenant.dice, tenant.calendar, tenant.dice.random
    stages, ids = pipeline.spec.stages, pipeline.open_ids
    position = _entry(random())
    entered = created
    moves = [(ids[position], entered)]
    can_stall = created > calendar.days_ago(STALL_DAYS)
    while True:
        stage = stages[position]
        later = entered + HOUR + int(stage.days * pace * dice.log_normal(0.7) * DAY)
        if can_stall and random() < STALL_CHANCE:
            return moves
        if later > until:
            if until < calendar.now and random() < 0.75:
                moves.append((pipeline.lost_id, max(until, entered + 1)))
            return moves
        entered = calendar.at_work(later, entered)
        if random() > stage.advances**seller.edge:
            moves.append((pipeline.lost_id, calendar.closing(entered)))
            return moves
        position = _next(position, random())
        if position >= len(ids):
            moves.append((pipeline.won_id, calendar.closing(entered)))
            return moves
        moves.append((ids[position], entered))


def _entry(drawn: float) -> int:
    return 0 if drawn < ENTRY_CHANCES[0] else 1 if drawn < ENTRY_CHANCES[1] else 2


def _next(position: int, drawn: float) -> int:
    if drawn < BACK_CHANCE and position:
        return position - 1
    return position + (2 if drawn > 1 - SKIP_CHANCE else 1)
