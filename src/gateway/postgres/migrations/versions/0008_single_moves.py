"""An index for single moves of a period."""

from gateway.postgres.migrations.scripts import run

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run("0008_single_moves.up.sql")


def downgrade() -> None:
    run("0008_single_moves.down.sql")
