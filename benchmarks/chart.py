"""The chart of a run."""

from pathlib import Path

from benchmarks.measure import GATEWAY, MIX, PLAIN, Cell
from benchmarks.run import Results

COLOURS = {GATEWAY: "#3b6fb6", PLAIN: "#b8b8b8"}
LABELS = {GATEWAY: "this gateway", PLAIN: "plain Strawberry"}


def draw_chart(results: Results, path: Path) -> None:
    """Requests a second of the mix of tenants: a panel for each query."""
    import matplotlib as mpl

    mpl.use("svg")
    import matplotlib.pyplot as plt

    mpl.rcParams["svg.hashsalt"] = "benchmarks"  # so that only changed numbers change the file
    mixed = [cell for cell in results.cells if cell.question.tenants == MIX]
    operations = list(dict.fromkeys(cell.question.operation for cell in mixed))
    figure, panels = plt.subplots(1, len(operations), figsize=(10, 3.4), layout="constrained", squeeze=False)
    for operation, axes in zip(operations, panels[0], strict=True):
        cells = [cell for cell in mixed if cell.question.operation == operation]
        connections = sorted({cell.question.connections for cell in cells})
        for number, server in enumerate((GATEWAY, PLAIN)):
            rates = _rates(cells, server, connections)
            places = [place + (number - 0.5) * 0.4 for place in range(len(connections))]
            bars = axes.bar(places, rates, 0.38, color=COLOURS[server], label=LABELS[server])
            axes.bar_label(bars, [f"{rate:.3g}" for rate in rates], fontsize=8, padding=2)
        axes.set_title(operation, fontsize=10)
        axes.set_xticks(range(len(connections)), [str(count) for count in connections])
        axes.set_xlabel("connections", fontsize=9)
        axes.margins(y=0.15)
        axes.spines[["top", "right"]].set_visible(False)
    panels[0][0].set_ylabel("requests/s", fontsize=9)
    handles, labels = panels[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper right", ncols=2, fontsize=8, frameon=False)
    figure.savefig(path, format="svg", metadata={"Date": None})
    plt.close(figure)


def _rates(cells: list[Cell], server: str, connections: list[int]) -> list[float]:
    found = {cell.question.connections: cell.rate for cell in cells if cell.server == server}
    return [found[count] for count in connections]
