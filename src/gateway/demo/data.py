"""All the records of one tenant, table by table, in an order that satisfies the foreign keys."""

from collections.abc import Iterable, Iterator

from gateway.demo.accounts import Accounts
from gateway.demo.calendar import COMPANY_DAYS, instant
from gateway.demo.deals import Deal, Deals
from gateway.demo.funnel import RENEWALS, SALES, Pipeline, numbered
from gateway.demo.people import People
from gateway.demo.tables import Row
from gateway.demo.tenant import Tenant
from gateway.demo.touches import Touches

BATCH_DEALS = 4_000

Tables = dict[str, list[Row]]
"""Rows by table, as in `tables.COLUMNS`."""


class TenantData:
    """Read `base` to its end, then `batches`: both draw from the same dice."""

    def __init__(self, tenant: Tenant, password_hash: str) -> None:
        self._tenant = tenant
        self._people = People(tenant, password_hash)
        self._accounts = Accounts(tenant, self._people)
        self._pipelines = _pipelines(tenant)
        self._deals = Deals(tenant, self._pipelines, self._accounts, self._people)
        self._touches = Touches(tenant, self._accounts, self._people)

    def base(self) -> Iterator[tuple[str, Iterable[Row]]]:
        """What deals refer to."""
        since = instant(self._tenant.calendar.days_ago(COMPANY_DAYS + 30))
        tenant_id = self._tenant.id
        yield "members", self._people.rows
        yield "companies", self._accounts.company_rows()
        yield "contacts", self._accounts.contact_rows()
        yield "pipelines", [(tenant_id, p.id, p.spec.name, p.spec is SALES, since) for p in self._pipelines]
        yield "stages", [row for pipeline in self._pipelines for row in pipeline.rows(tenant_id)]
        yield "products", self._deals.products(since)

    def batches(self) -> Iterator[Tables]:
        """Deals in the order of their creation, with all that belongs to them, a few thousand at a time."""
        created = sorted(self._tenant.calendar.new_business() for _ in range(self._tenant.spec.deals))
        for start in range(0, len(created), BATCH_DEALS):
            yield self._batch(self._tenant.first_ids.deals + start, created[start : start + BATCH_DEALS])

    def _batch(self, first_id: int, created: list[int]) -> Tables:
        tables: Tables = {table: [] for table in ("deals", "demo_moves", "deal_products", "activities", "tasks")}
        for deal_id, instant_created in enumerate(created, first_id):
            deal = self._deals.draw(deal_id, instant_created)
            tables["deals"].append(self._deals.row(deal))
            tables["demo_moves"].extend(_moves(deal))
            tables["deal_products"].extend(self._deals.lines(deal))
            tables["activities"].extend(self._touches.of_deal(deal))
            tables["tasks"].extend(self._touches.tasks_of(deal))
        for activity, task in self._touches.of_companies(len(created)):
            tables["activities"].append(activity)
            if task:
                tables["tasks"].append(task)
        return tables


def _pipelines(tenant: Tenant) -> list[Pipeline]:
    specs = [SALES, RENEWALS] if tenant.spec.has_renewals else [SALES]
    pipelines = []
    stage_id = tenant.first_ids.stages
    for pipeline_id, spec in enumerate(specs, tenant.first_ids.pipelines):
        pipelines.append(numbered(spec, pipeline_id, stage_id))
        stage_id = pipelines[-1].lost_id + 1
    return pipelines


def _moves(deal: Deal) -> Iterator[Row]:
    for position, (stage_id, entered) in enumerate(deal.moves):
        yield deal.id, position, stage_id, instant(entered), deal.owner.member_id
