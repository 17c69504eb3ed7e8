"""How deals come to have ways, straight ones and others, and what single moves must add up to."""

from datetime import date, datetime, timedelta
from itertools import product

from hypothesis import strategies as st

from loaders.periods import ALL_DAYS
from tests.rollups import writes
from tests.rollups.model import Write
from tests.world import instant

TENANT = 1
BEGAN = instant("2024-03-31T15:00")

hours = st.sampled_from([0, 9, 30, 80]).map(lambda count: timedelta(hours=count))
instants = st.sampled_from([BEGAN + timedelta(hours=count) for count in (-30, 0, 20, 50, 110)])
days = st.sampled_from([date(2024, 4, day) for day in (1, 2, 4, 6)])
stays = st.integers(0, 3)

PERIODS = (
    ALL_DAYS,
    (date(2024, 4, 1), date(2024, 4, 2)),
    (date(2024, 4, 2), date(2024, 4, 5)),
    (date(2024, 4, 4), date.max),
)
ASKED = [
    (TENANT, one, 1 if one else None, owner, *period)
    for one, owner, period in product((False, True), (None, 1), PERIODS)
]
"""Arguments of `stage_passages`, the tenant first."""

# As the schema defines it, deal by deal.
PLAIN = """
WITH moves AS (
  SELECT h.* FROM deal_stage_history h JOIN deals d ON d.tenant_id = h.tenant_id AND d.id = h.deal_id
   WHERE h.tenant_id = $1 AND NOT h.deal_deleted AND h.moved_day >= $5::date AND h.moved_day < $6::date
     AND ($4::bigint IS NULL OR d.owner_id = $4)
)
SELECT * FROM (
  SELECT s.id, (SELECT count(*) FROM moves WHERE to_stage_id = s.id) AS entered,
         (SELECT count(*) FROM moves WHERE from_stage_id = s.id) AS departed,
         (SELECT count(DISTINCT deal_id) FROM moves WHERE to_stage_id = s.id) AS entered_deals,
         (SELECT count(DISTINCT deal_id) FROM moves JOIN stages l ON l.tenant_id = $1 AND l.id = to_stage_id
           WHERE l.pipeline_id = s.pipeline_id AND l.position > s.position AND l.kind <> 'lost') AS later_deals,
         (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY days_in_stage) FROM moves
           WHERE from_stage_id = s.id) AS median_days
    FROM stages s WHERE s.tenant_id = $1 AND (NOT $2::boolean OR s.pipeline_id = $3::bigint)) AS of_stages
 WHERE entered > 0 OR departed > 0
"""

# To the n-th stage from here on, some time after the last move.
ADVANCE = """
UPDATE deals AS d
   SET stage_entered_at = stage_entered_at + $3,
       stage_id = (SELECT l.id FROM stages l
                    WHERE (l.tenant_id, l.pipeline_id) = (s.tenant_id, s.pipeline_id) AND l.position > s.position
                    ORDER BY l.position OFFSET $4 LIMIT 1)
  FROM stages s
 WHERE d.tenant_id = $1 AND d.id = ANY($2) AND (s.tenant_id, s.id) = (d.tenant_id, d.stage_id)
   AND $4 < (SELECT count(*) FROM stages l
              WHERE (l.tenant_id, l.pipeline_id) = (s.tenant_id, s.pipeline_id) AND l.position > s.position)
"""

ADD = """
INSERT INTO deal_stage_history
  (tenant_id, deal_id, from_stage_id, to_stage_id, moved_at, moved_day, days_in_stage, straight)
SELECT $1, unnest($2::bigint[]), $3::bigint, $4::bigint, $5::timestamptz, $6::date,
       CASE WHEN $3 IS NOT NULL THEN $7::integer END, $8
"""


BORN = """
INSERT INTO deals (tenant_id, id, name, pipeline_id, stage_id, owner_id, created_at)
SELECT $1, unnest($2::bigint[]), 'new', pipeline_id, id, $4, $5 FROM stages WHERE tenant_id = $1 AND id = $3
"""

BEGINNING = (
    Write.of(BORN, TENANT, [4, 5], 1, 2, BEGAN),
    Write.of(ADVANCE, TENANT, [1, 4, 5], timedelta(hours=30), 0),
    Write.of(ADVANCE, TENANT, [1, 2, 4], timedelta(hours=50), 0),
    Write.of(ADVANCE, TENANT, [1, 3], timedelta(hours=20), 0),
)
"""Some deals have come some way, straight all of them."""


@st.composite
def births(draw: st.DrawFn) -> Write:
    """New deals at the beginning of a pipeline, or further on."""
    return Write.of(BORN, TENANT, draw(writes.ids), draw(writes.stages), draw(writes.members), draw(instants))


@st.composite
def advances(draw: st.DrawFn) -> Write:
    return Write.of(ADVANCE, TENANT, draw(writes.ids), draw(hours), draw(st.integers(0, 1)))


CHANGED: dict[str, st.SearchStrategy[object]] = {
    "to_stage_id": writes.stages,
    "from_stage_id": writes.stages,
    "moved_at": instants,
    "moved_day": days,
    "days_in_stage": stays,
    "deal_id": writes.keys,
    "straight": st.booleans(),
}


@st.composite
def moves_by_hand(draw: st.DrawFn) -> Write:
    """History that is added, changed or removed behind the back of its deals; it may claim to be straight."""
    deals, stage = draw(writes.ids), draw(writes.stages)
    rows = "tenant_id = $1 AND deal_id = ANY($2) AND to_stage_id = $3"
    how = draw(st.sampled_from(["add", "change", "remove"]))
    if how == "remove":
        return Write.of(f"DELETE FROM deal_stage_history WHERE {rows}", TENANT, deals, stage)
    if how == "change":
        name = draw(st.sampled_from(sorted(CHANGED)))
        sql = f"UPDATE deal_stage_history SET {name} = $4 WHERE {rows}"
        return Write.of(sql, TENANT, deals, stage, draw(CHANGED[name]))
    given = draw(writes.optional_keys), stage, draw(instants), draw(days), draw(stays), draw(st.booleans())
    return Write.of(ADD, TENANT, deals, *given)


@st.composite
def orders_of_stages(draw: st.DrawFn) -> Write:
    """Stages change places, or one goes to another pipeline."""
    one, other = draw(writes.stages), draw(writes.stages)
    if draw(st.booleans()):
        turned = "UPDATE stages SET position = 7 - position WHERE tenant_id = $1 AND id = ANY($2)"
        return Write.of(turned, TENANT, [one, other])
    taken = "UPDATE stages SET pipeline_id = 3 - pipeline_id, position = id + 10 WHERE tenant_id = $1 AND id = $2"
    return Write.of(taken, TENANT, one)


@st.composite
def changes_of_deals(draw: st.DrawFn) -> Write:
    """Whatever else is changed of deals: their instants, owners, whether they are deleted."""
    values: dict[str, st.SearchStrategy[datetime | int | None]] = {
        "stage_entered_at": instants,
        "closed_at": instants,
        "created_at": instants,
        "owner_id": writes.members,
        "deleted_at": st.none() | instants,
    }
    name = draw(st.sampled_from(sorted(values)))
    return Write.of(
        f"UPDATE deals SET {name} = $3 WHERE tenant_id = $1 AND id = ANY($2)",
        TENANT,
        draw(writes.ids),
        draw(values[name]),
    )
