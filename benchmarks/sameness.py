"""Whether two servers give the same answers: without that, a comparison of their speed means nothing."""

import json
from collections.abc import Iterable
from typing import Any

from benchmarks.queries import OPERATIONS, Tenant, bodies, headers
from benchmarks.servers import HOST, Server, get

# A task can become overdue, or a day end, between the two answers.
ATTEMPTS = 3


class DifferentAnswersError(Exception):
    """Two servers disagree: names the operation, the tenant and the first place."""


def check_same_answers(
    tenants: list[Tenant], ours: Server, theirs: Server, operations: Iterable[str] = tuple(OPERATIONS)
) -> int:
    """Compares every answer that will be measured, but for `asOf`; how many. Raises DifferentAnswersError."""
    asked = [(tenant, name, body) for tenant in tenants for name in operations for body in bodies(name, tenant)]
    for tenant, name, body in asked:
        for attempt in range(1, ATTEMPTS + 1):
            place = _difference(_data(ours, tenant, body), _data(theirs, tenant, body), name)
            if place is None:
                break
            if attempt == ATTEMPTS:
                raise DifferentAnswersError(f"{name} of {tenant.slug} differs at {place}")
    return len(asked)


def _data(server: Server, tenant: Tenant, body: str) -> Any:
    url = f"http://{HOST}:{server.port}/graphql"
    answer = json.loads(get(url, headers(tenant), body.encode()))
    if answer.get("errors") or not answer.get("data"):
        raise DifferentAnswersError(f"an error instead of an answer: {json.dumps(answer)[:1000]}")
    (report,) = answer["data"].values()
    report.pop("asOf")
    return report


def _difference(ours: Any, theirs: Any, path: str) -> str | None:
    """The first place where two values differ, with both; None when they are equal."""
    if ours == theirs:
        return None
    if isinstance(ours, dict) and isinstance(theirs, dict) and ours.keys() == theirs.keys():
        return next(filter(None, (_difference(ours[key], theirs[key], f"{path}.{key}") for key in ours)))
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        pairs = enumerate(zip(ours, theirs, strict=True))
        return next(filter(None, (_difference(*pair, f"{path}[{index}]") for index, pair in pairs)))
    return f"{path}: {ours!r} and {theirs!r}"
