"""The views that aggregates read."""

from gateway.postgres.migrations.scripts import run

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run("0004_analytics.up.sql")


def downgrade() -> None:
    run("0004_analytics.down.sql")
