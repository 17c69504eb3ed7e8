"""The chart: read time and fold cost against the size of the data."""

from pathlib import Path

from benchmarks.rollups.dashboards import MIX, QUERIES
from benchmarks.rollups.run import RollupResults

LIVE, RAW, OTHER = "#3b6fb6", "#b8b8b8", "#7fa35b"


def draw_chart(results: RollupResults, path: Path) -> None:
    """Left: reads of the largest tenant's pipeline and whole dashboards; right: a fold, for each change."""
    import matplotlib as mpl

    mpl.use("svg")
    import matplotlib.pyplot as plt

    mpl.rcParams["svg.hashsalt"] = "benchmarks"  # so that only changed numbers change the file
    figure, (reads, folds) = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
    for label, colour, points in _lines(results):
        reads.plot(*zip(*points, strict=True), marker="o", color=colour, label=label)
    reads.set(yscale="log", ylabel="ms", title="read")
    folds.plot(*zip(*((fold.deals, fold.change_ms) for fold in results.folds), strict=True), marker="o", color=LIVE)
    folds.set(ylabel="ms for a change", title="fold")
    folds.set_ylim(bottom=0, top=2 * max(fold.change_ms for fold in results.folds))
    for axes in (reads, folds):
        axes.set(xscale="log", xlabel="deals")
        axes.spines[["top", "right"]].set_visible(False)
    reads.legend(fontsize=8, frameon=False)
    figure.savefig(path, format="svg", metadata={"Date": None})
    plt.close(figure)


def _lines(results: RollupResults) -> list[tuple[str, str, list[tuple[int, float]]]]:
    pending = [read for read in results.pipelines if read.pending == "not folded"]
    _, bounded = QUERIES
    mixed = [cell for cell in results.dashboards if (cell.query, cell.tenants) == (bounded, MIX)]
    return [
        ("raw aggregate of the largest tenant's pipeline", RAW, [(read.deals, read.raw_ms) for read in pending]),
        ("dashboard over HTTP, fields that scan aside", OTHER, [(cell.deals, cell.p50_ms) for cell in mixed]),
        ("live view of that pipeline, 1 000 changes pending", LIVE, [(read.deals, read.live_ms) for read in pending]),
    ]
