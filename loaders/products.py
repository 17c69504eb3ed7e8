"""Products: what deals are about."""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from loaders.reads import Reads, in_key_order, statements

SQL = statements("products")


class ProductRow(NamedTuple):
    """`unit_price` is in the tenant's currency, None when unknown."""

    id: int
    name: str
    series: str | None
    unit_price: Decimal | None


async def products_by_id(reads: Reads, ids: Sequence[int]) -> list[ProductRow | None]:
    """Products in the order of `ids`; None where there is none or it is deleted. Source: products."""
    rows = [ProductRow(*row) for row in await reads.fetch(SQL["products_by_id"], ids)]
    return in_key_order(ids, rows, lambda row: row.id)
