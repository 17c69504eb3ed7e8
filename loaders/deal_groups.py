"""Analysts' question: deals grouped by one to three keys, measured, filtered, ordered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, NamedTuple

from loaders.keyset import Filters, Parameters, filter_conditions, filter_tables
from loaders.lists import DEALS
from loaders.reads import Reads, Statement


class Join(NamedTuple):
    """A table of the tenant's that rows of deals are joined with, whether they have a partner there or not."""

    table: str
    alias: str
    on: str

    @property
    def sql(self) -> str:
        return f"LEFT JOIN {self.table} AS {self.alias} ON {self.alias}.tenant_id = $1 AND {self.on}"


MEMBER = Join("members", "m", "m.id = r.owner_id")
COMPANY = Join("companies", "c", "c.id = r.company_id")
STAGE = Join("stages", "s", "s.id = r.stage_id")
PIPELINE = Join("pipelines", "p", "p.id = r.pipeline_id")
LINE = Join("deal_products", "l", "l.deal_id = r.id")
PRODUCT = Join("products", "product", "product.id = l.product_id")

CREATED_MONTH = "date_trunc('month', r.created_day::timestamp)::date"
CLOSED_MONTH = "date_trunc('month', r.closed_day::timestamp)::date"


@dataclass(frozen=True, slots=True)
class GroupKey:
    """What deals may be grouped by: the value, its name, what it is ordered by, and the joins for all three."""

    value: str
    label: str
    sort: str
    joins: tuple[Join, ...] = ()


KEYS: Mapping[str, GroupKey] = {
    "owner": GroupKey("r.owner_id", "min(m.name)", "min(m.name)", (MEMBER,)),
    "team": GroupKey("m.team", "m.team", "m.team", (MEMBER,)),
    "region": GroupKey("m.region", "m.region", "m.region", (MEMBER,)),
    "stage": GroupKey("r.stage_id", "min(s.name)", "min(ARRAY[r.pipeline_id, s.position])", (STAGE,)),
    "pipeline": GroupKey("r.pipeline_id", "min(p.name)", "min(p.name)", (PIPELINE,)),
    "company": GroupKey("r.company_id", "min(c.name)", "min(c.name)", (COMPANY,)),
    "industry": GroupKey("c.industry", "c.industry", "c.industry", (COMPANY,)),
    "product": GroupKey("l.product_id", "min(product.name)", "min(product.name)", (LINE, PRODUCT)),
    "outcome": GroupKey("r.outcome", "r.outcome", "array_position(ARRAY['open', 'won', 'lost'], r.outcome)"),
    "created_month": GroupKey(CREATED_MONTH, f"to_char({CREATED_MONTH}, 'YYYY-MM')", CREATED_MONTH),
    "closed_month": GroupKey(CLOSED_MONTH, f"to_char({CLOSED_MONTH}, 'YYYY-MM')", CLOSED_MONTH),
}

MEASURES = """sum({deals})::bigint AS deals, sum({value}) AS value,
  coalesce(sum({deals}) FILTER (WHERE r.outcome = 'won'), 0)::bigint AS won,
  coalesce(sum({deals}) FILTER (WHERE r.outcome = 'lost'), 0)::bigint AS lost,
  coalesce(sum({value}) FILTER (WHERE r.outcome = 'won'), 0) AS won_value,
  coalesce(sum({cycle_days}) FILTER (WHERE r.outcome = 'won'), 0)::bigint AS won_cycle_days"""


@dataclass(frozen=True, slots=True)
class GroupSource:
    """What is summed: a relation with the alias `r`, its condition, what a row of it adds to the measures, and the
    tables that it reads."""

    relation: str
    belongs: str
    deals: str
    value: str
    cycle_days: str
    reads: frozenset[str]

    @property
    def measures(self) -> str:
        return MEASURES.format(deals=self.deals, value=self.value, cycle_days=self.cycle_days)


EACH_DEAL = GroupSource(
    "deals AS r",
    DEALS.belongs,
    *("1", "coalesce(r.amount, 0)", "r.closed_day - r.created_day"),
    frozenset({"deals"}),
)

# A deal without lines counts under no product with its own amount; one with lines, under each with that line's.
EACH_LINE = replace(EACH_DEAL, value="coalesce(CASE WHEN l.deal_id IS NULL THEN r.amount ELSE l.amount END, 0)")

BY_STATE = GroupSource(
    """(SELECT d.tenant_id, d.pipeline_id, d.stage_id, d.owner_id, k.kind AS outcome, d.deals, d.value, d.cycle_days
  FROM analytics.deal_state AS d JOIN stages AS k ON k.tenant_id = $1 AND k.id = d.stage_id) AS r""",
    "true",
    *("r.deals", "r.value", "r.cycle_days"),
    frozenset({"deals", "stages"}),
)
STATE_KEYS = frozenset({"owner", "team", "region", "stage", "pipeline", "outcome"})
STATE_FILTERS = frozenset({"owner_ids", "teams", "regions", "stage_ids", "pipeline_ids", "outcomes"})
"""Keys and filters that the rollup of deals by stage and owner can tell apart."""

SORTS: Mapping[str, str] = {
    "count": "deals",
    "value": "value",
    "won_value": "won_value",
    "win_rate": "won::numeric / nullif(won + lost, 0)",
    "average_deal_size": "won_value / nullif(won, 0)",
    "average_cycle_days": "won_cycle_days::numeric / nullif(won, 0)",
}


@dataclass(frozen=True, slots=True)
class GroupRequest:
    """`keys`: one to three names of KEYS. `order`: a name of SORTS, or one of `keys`. At most `first` groups."""

    keys: tuple[str, ...]
    order: str
    descending: bool
    first: int
    filters: Filters = ()


class GroupRow(NamedTuple):
    """Values and labels in the order of the request's keys, None where deals have none; sums over the group's deals."""

    values: tuple[Any, ...]
    labels: tuple[str | None, ...]
    deals: int
    value: Decimal
    won: int
    lost: int
    won_value: Decimal
    won_cycle_days: int


async def deal_groups(reads: Reads, request: GroupRequest) -> list[GroupRow]:
    """Groups of deals in the wanted order, ties by key; groups without a value to order by come last.

    Source: analytics.deal_state where it can tell the groups apart, else deals.
    """
    parameters = Parameters()
    statement = Statement("deal_groups", "deal_groups", _sql(request, parameters), _tables(request))
    rows = await reads.fetch(statement, *parameters.values)
    width = len(request.keys)
    return [GroupRow(tuple(row[:width]), tuple(row[width : 2 * width]), *row[2 * width : -1]) for row in rows]


def _sql(request: GroupRequest, parameters: Parameters) -> str:
    keys = [KEYS[name] for name in request.keys]
    source = _source(request)
    where = ["r.tenant_id = $1", source.belongs, *filter_conditions(DEALS, request.filters, parameters)]
    columns = [
        *(f"{key.value} AS key_{place}" for place, key in enumerate(keys)),
        *(f"{key.label} AS label_{place}" for place, key in enumerate(keys)),
        source.measures,
        f"{KEYS[request.order].sort} AS sort_key" if request.order in KEYS else "NULL AS sort_key",
    ]
    grouped = (
        f"SELECT {', '.join(columns)} FROM {source.relation} {' '.join(join.sql for join in _joins(keys))} "
        f"WHERE {' AND '.join(where)} GROUP BY {', '.join(key.value for key in keys)} HAVING sum({source.deals}) > 0"
    )
    direction = "DESC" if request.descending else "ASC"
    ties = ", ".join(f"key_{place}" for place in range(len(keys)))
    order = f"{SORTS.get(request.order, 'sort_key')} {direction} NULLS LAST"
    return f"SELECT * FROM ({grouped}) AS g ORDER BY {order}, {ties} LIMIT {parameters.add(request.first)}::bigint"


def _tables(request: GroupRequest) -> frozenset[str]:
    joins = _joins([KEYS[name] for name in request.keys])
    return _source(request).reads | {join.table for join in joins} | filter_tables(DEALS, request.filters)


def _source(request: GroupRequest) -> GroupSource:
    if STATE_KEYS.issuperset(request.keys) and STATE_FILTERS.issuperset(name for name, _value in request.filters):
        return BY_STATE
    return EACH_LINE if "product" in request.keys else EACH_DEAL


def _joins(keys: Sequence[GroupKey]) -> list[Join]:
    """Every join once, in an order in which each finds what it needs."""
    return list(dict.fromkeys(join for key in keys for join in key.joins))
