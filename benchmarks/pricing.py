"""How long it takes to price the default dashboard, in this process."""

from collections.abc import Callable
from dataclasses import dataclass
from timeit import repeat

from graphql import OperationDefinitionNode, parse

from gateway.api.schema import graphql_schema
from gateway.cost.estimate import Price, Pricing
from gateway.pipeline.prices import SchemaPrices
from gateway.web.default_query import DEFAULT_QUERY

REPEATS = 5
PRICINGS, COMPILINGS = 2000, 20

IN_PLACE_OF = {
    "query Dashboard": "query Dashboard($period: PeriodInput, $interval: Interval!, $first: Int!)",
    "period: { preset: LAST_90_DAYS }": "period: $period",
    "interval: WEEK": "interval: $interval",
    "first: 5": "first: $first",
}
VARIABLES = {"period": {"preset": "LAST_90_DAYS"}, "interval": "WEEK", "first": 5}


@dataclass(frozen=True)
class PricingTimes:
    """The fastest of many times, in microseconds. `known_us`: of a document that is known, as it is written;
    `variables_us`: with all its values in variables; `compiling_us`: of a document that is priced for the first time.
    """

    known_us: float
    variables_us: float
    compiling_us: float

    def sentences(self) -> list[str]:
        return [
            (
                f"Pricing a dashboard whose document is known takes {self.known_us:.1f} µs, and "
                f"{self.variables_us:.0f} µs where all its values come in variables."
            ),
            f"Compiling its price, when its document is first priced, takes {self.compiling_us / 1000:.1f} ms.",
        ]


def time_pricing() -> PricingTimes:
    pricing = Pricing(graphql_schema(), SchemaPrices())
    first_priced, varying = _pricing_of(pricing, DEFAULT_QUERY), _pricing_of(pricing, with_variables())()
    written = first_priced()
    return PricingTimes(
        known_us=_fastest_us(lambda: written.points({}), PRICINGS),
        variables_us=_fastest_us(lambda: varying.points(VARIABLES), PRICINGS),
        compiling_us=_fastest_us(lambda: first_priced().points({}), COMPILINGS),
    )


def with_variables() -> str:
    """The same dashboard, asked for by VARIABLES."""
    query = DEFAULT_QUERY
    for written, variable in IN_PLACE_OF.items():
        assert written in query
        query = query.replace(written, variable)
    return query


def _pricing_of(pricing: Pricing, text: str) -> Callable[[], Price]:
    """Prices a parsed document as if it had not been seen before."""
    document = parse(text)
    operation = next(node for node in document.definitions if isinstance(node, OperationDefinitionNode))
    return lambda: pricing.price(document, operation)


def _fastest_us(work: Callable[[], object], times: int) -> float:
    """Of one of so many times in a row."""
    return min(repeat(work, number=times, repeat=REPEATS)) / times * 1e6
