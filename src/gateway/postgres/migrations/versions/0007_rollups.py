"""The first rollups, as rendered from their declarations."""

from gateway.postgres.migrations.scripts import run

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run("0007_rollups.up.sql")


def downgrade() -> None:
    run("0007_rollups.down.sql")
