"""Live views tell the changes since the last refresh from what it computed."""

from gateway.postgres.migrations.scripts import run

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run("0014_changes_since_refresh.up.sql")


def downgrade() -> None:
    run("0014_changes_since_refresh.down.sql")
