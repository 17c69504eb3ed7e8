"""What the gateway may change, and the traces of it."""

from gateway.postgres.migrations.scripts import run

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run("0009_changes.up.sql")


def downgrade() -> None:
    run("0009_changes.down.sql")
