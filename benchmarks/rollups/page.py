"""What a run found, as tables and sentences."""

from collections.abc import Iterator

from benchmarks.rollups.dashboards import LARGEST, MIX, PAUSE_SECONDS, QUERIES, SCANNING, USERS
from benchmarks.rollups.run import REFERENCE, RollupResults
from benchmarks.tables import Row, TableOf, number

STATES = {"none": "none", "not folded": "1,000, not folded", "folded": "1,000, folded"}


def tables(results: RollupResults) -> Iterator[TableOf]:
    size = f"{results.deals:,} deals"
    yield (
        f"Aggregate fields: what answers them, for the largest tenant of {results.tenants} with {size}",
        ("field", "arguments", "answered by (its groups of that tenant)", "ms"),
        list(_answers(results)),
    )
    yield (
        f"Rollups: all sums of the largest tenant of {size}",
        ("rollup", "groups", "of the tenant", "live view ms", "raw aggregate ms", "ratio"),
        [
            (
                *(read.name, f"{read.groups:,}", f"{read.tenant_groups:,}"),
                *(number(read.live_ms), number(read.raw_ms), number(read.raw_ms / read.live_ms)),
            )
            for read in results.rollups
        ],
    )
    yield (
        "One tenant's pipeline, in the database",
        (
            *("deals", "of the tenant", "changes pending", "live view ms", "raw aggregate ms", "ratio"),
            "whole `pipelineStats` statement ms",
        ),
        [
            (
                *(f"{read.deals:,}", f"{read.tenant_deals:,}", STATES[read.pending]),
                *(number(read.live_ms), number(read.raw_ms), number(read.ratio), number(read.board_ms)),
            )
            for read in results.pipelines
        ],
    )
    yield (
        f"Sizes beside each other (the ratio is to {REFERENCE.deals:,} deals)",
        ("", *(f"{deals:,} deals" for deals in sorted(fold.deals for fold in results.folds)), "ratio"),
        list(_sizes(results)),
    )
    yield (
        f"{USERS} users of the mix of tenants with {PAUSE_SECONDS:g} s between requests, nothing cached, {size}",
        ("query", "dashboards", "p50 ms", "p95 ms", "p99 ms", "errors"),
        [
            (
                *(users.query, f"{users.requests:,}"),
                *(number(users.p50_ms), number(users.p95_ms), number(users.p99_ms), f"{users.error_share:.2%}"),
            )
            for users in results.users
        ],
    )
    yield (
        "What triggers add to a write",
        ("deals moved by one statement", "with ms", "without ms", "added"),
        [
            (f"{write.rows:,}", number(write.with_ms), number(write.without_ms), f"{write.surcharge:+.0%}")
            for write in results.writes
        ],
    )


def sentences(results: RollupResults) -> Iterator[str]:
    idle = results.idle
    yield f"A worker without changes: {idle.statements} statements in {idle.seconds:g} s."
    yield f"Fields that scan by nature: {', '.join(SCANNING)}."


def _answers(results: RollupResults) -> Iterator[Row]:
    groups = {read.name: f"{read.name} ({read.tenant_groups:,})" for read in results.rollups}
    for answer in results.answers:
        answered_by = ", ".join(groups.get(name, name) for name in answer.answered_by)
        yield f"`{answer.field}`", answer.arguments or "–", answered_by, number(answer.ms)


def _sizes(results: RollupResults) -> Iterator[Row]:
    reads = {read.deals: read for read in results.pipelines if read.pending == "not folded"}
    yield _size_row("live view with 1,000 changes, ms", {deals: read.live_ms for deals, read in reads.items()})
    yield _size_row("raw aggregate, ms", {deals: read.raw_ms for deals, read in reads.items()})
    yield _size_row("fold, ms for a change", {fold.deals: fold.change_ms for fold in results.folds})
    for query in QUERIES:
        for tenants in (MIX, LARGEST):
            found = {
                cell.deals: cell.p50_ms for cell in results.dashboards if (cell.query, cell.tenants) == (query, tenants)
            }
            yield _size_row(f"{query}, {tenants}, p50 ms", found)


def _size_row(name: str, by_deals: dict[int, float]) -> Row:
    ratio = by_deals[max(by_deals)] / by_deals.get(REFERENCE.deals, float("nan"))
    return (name, *(number(by_deals[deals]) for deals in sorted(by_deals)), number(ratio))
