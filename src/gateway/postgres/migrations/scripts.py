"""Hand-written SQL as Alembic steps: one file a direction, statements separated by a blank line after a semicolon."""

from collections.abc import Iterator
from importlib import resources

from alembic import op
from sqlalchemy import text


def statements(script: str) -> Iterator[str]:
    """The statements of a script, comments before them included; a chunk of comments alone is none."""
    for chunk in script.split("\n\n"):
        if any(line and not line.startswith("--") for line in chunk.splitlines()):
            yield chunk.strip()


def run(name: str) -> None:
    """Runs each statement of `sql/<name>`, online or into the offline script."""
    script = (resources.files(__package__) / "sql" / name).read_text(encoding="utf-8")
    for statement in statements(script):
        op.execute(text(statement.replace(":", r"\:")))
