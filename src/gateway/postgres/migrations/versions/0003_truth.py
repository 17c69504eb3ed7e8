"""Triggers that keep derived columns and stage history true for every writer."""

from gateway.postgres.migrations.scripts import run

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run("0003_truth.up.sql")


def downgrade() -> None:
    run("0003_truth.down.sql")
