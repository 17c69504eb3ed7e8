"""Products: what the tenant sells."""

from decimal import Decimal
from typing import Self

import strawberry

from gateway.api.context import Info
from gateway.api.ids import encode_id
from gateway.api.node import Node
from loaders.products import ProductRow


@strawberry.type(description="Something that the tenant sells.")
class Product(Node):
    name: str = strawberry.field(description="Name; unique within the tenant.")
    series: str | None = strawberry.field(description="Series that it belongs to; null for none.")
    unit_price: Decimal | None = strawberry.field(description="List price in the tenant's currency; null when unknown.")

    @classmethod
    def of(cls, row: ProductRow) -> Self:
        return cls(
            id=strawberry.ID(encode_id("Product", row.id)), name=row.name, series=row.series, unit_price=row.unit_price
        )


async def product(info: Info, key: int | None) -> Product | None:
    """The product of a key; None for no key, no such product or a deleted one."""
    row = None if key is None else await info.context.loaders.product.load(key)
    return row and Product.of(row)
