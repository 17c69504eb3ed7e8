"""Hand-written SQL as Alembic steps: one file a direction, statements separated by a blank line after a semicolon."""

from collections.abc import Iterator
from importlib import resources

from alembic import op


def statements(script: str) -> Iterator[str]:
    """The statements of a script, comments before them included; a chunk of comments alone is none."""
    for chunk in script.split("\n\n"):
        if any(line and not line.startswith("--") for line in chunk.splitlines()):
            yield chunk.strip()


def run(name: str) -> None:
    """Runs each statement of `sql/<name>`, online or into the offline script, as it is written."""
    script = (resources.files(__package__) / "sql" / name).read_text(encoding="utf-8")
    context = op.get_context()
    # Not `op.execute`: it reads `:name` as a parameter and prints each `%` twice.
    execute = context.impl.static_output if context.as_sql else op.get_bind().exec_driver_sql
    for statement in statements(script):
        execute(statement)
