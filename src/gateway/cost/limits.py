"""How much one operation may cost, and what a budget refuses, as errors."""

from collections.abc import Callable

from gateway.cost.advice import Advice, advice
from gateway.cost.budget import Standing
from gateway.cost.estimate import Price
from gateway.cost.program import Variables
from gateway.errors import CostLimitExceededError, ThrottledError

MOST_ADVISED_FIELDS = 250


def never() -> bool:
    """Advises nothing."""
    return False


def check_price(price: Price, variables: Variables, most: int, *, may_advise: Callable[[], bool]) -> int:
    """The points that an operation costs. Raises COST_LIMIT_EXCEEDED above `most`, and tells what would bring it under
    where it may: to find that out takes a hundred times as long as the price."""
    points = price.points(variables)
    if points > most:
        dearest = _advice(price, variables, most) if may_advise() else []
        raise CostLimitExceededError(
            " ".join([f"The operation costs {points} points; {most} are allowed.", *map(_sentence, dearest)]),
            extensions={"cost": points, "most": most, "dearest": [_told(one) for one in dearest]},
        )
    return points


def _advice(price: Price, variables: Variables, most: int) -> list[Advice]:
    """None for what is so large that looking for some would keep others waiting."""
    if price.compiled(variables).has_more_fields_than(MOST_ADVISED_FIELDS):
        return []
    return advice(price.opened(variables), most)


def throttled(points: int, standing: Standing) -> ThrottledError:
    """What a caller is told whose operation costs so many points."""
    return ThrottledError(
        f"The operation costs {points} points; {standing.available} are available now.",
        retry_after_seconds=standing.retry_after_seconds(points),
    )


def _sentence(one: Advice) -> str:
    return f"`{'.'.join(one.path)}` costs {round(one.points)}: {one.remedy}"


def _told(one: Advice) -> dict[str, object]:
    return {"path": list(one.path), "cost": round(one.points), "remedy": one.remedy}
