"""Open tasks by the day on which they are due: a rollup, and indexes for what is looked at one by one."""

from gateway.postgres.migrations.scripts import run

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run("0011_open_tasks.up.sql")


def downgrade() -> None:
    run("0011_open_tasks.down.sql")
