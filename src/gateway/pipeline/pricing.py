"""What a caller is told of the price of an operation."""

from collections.abc import Mapping
from typing import Any

from gateway.cost.breakdown import shares
from gateway.cost.estimate import Price

NOTHING_DONE = b"null"
"""The data of an operation that was only priced."""


def told(price: Price, variables: Mapping[str, Any]) -> dict[str, Any]:
    """Its points, and what each path adds to them, dearest first."""
    found = sorted(shares(price.compiled(variables), variables), key=lambda share: -share.points)
    return {
        "requestedQueryCost": price.points(variables),
        "fields": [{"path": list(share.path), "cost": round(share.points, 2)} for share in found],
    }
