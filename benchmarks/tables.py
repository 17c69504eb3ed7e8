"""Tables and sentences of what was found: on the terminal, as JSON, as Markdown."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from benchmarks.machine import Machine

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

END = "<!-- end of the generated part -->"

Row = tuple[str, ...]
TableOf = tuple[str, Row, list[Row]]
"""Its title, its headings, its rows."""


def wide_console(width: int = 150) -> Console:
    """One on which tables are not cut, however narrow the terminal."""
    console = Console(highlight=False, soft_wrap=True)
    console.width = max(console.width, width)
    return console


def print_tables(tables: Sequence[TableOf], sentences: Sequence[str], console: Console) -> None:
    for title, headings, rows in tables:
        table = Table(title=title, title_justify="left")
        for place, heading in enumerate(headings):
            table.add_column(heading, justify="left" if place == 0 else "right", no_wrap=True)
        for row in rows:
            table.add_row(*row)
        console.print(table)
    for sentence in sentences:
        console.print(sentence)


def write_json(results: "DataclassInstance", path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(asdict(results), indent=1) + "\n")


def replace_generated(path: Path, begin: str, text: str) -> None:
    """Replaces what stands between `begin` and the next END."""
    before, _, rest = path.read_text(encoding="utf-8").partition(begin)
    _, _, after = rest.partition(END)
    path.write_text(f"{before}{begin}\n\n{text}\n{END}{after}", encoding="utf-8")


def markdown(machine: Machine, tables: Sequence[TableOf], sentences: Sequence[str]) -> str:
    parts = [f"{machine}.\n"]
    for title, headings, rows in tables:
        rules = [":--", *("--:" for _ in headings[1:])]
        lines = ["| " + " | ".join(row) + " |" for row in (headings, rules, *rows)]
        parts.append(f"**{title}**\n\n" + "\n".join(lines) + "\n")
    parts.append("\n".join(f"- {sentence}" for sentence in sentences) + "\n")
    return "\n".join(parts)


def spread(rounds: list[float]) -> float:
    """Half of the distance between the slowest and the fastest round, relative to their middle."""
    middle = (max(rounds) + min(rounds)) / 2
    return (max(rounds) - min(rounds)) / 2 / middle if middle else 0.0


def number(value: float) -> str:
    if math.isnan(value):
        return "–"
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
