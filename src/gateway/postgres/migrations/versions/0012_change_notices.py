"""What a response cache stands on: notices of every change, and a name for the database that its snapshots are of."""

from gateway.postgres.migrations.scripts import run

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run("0012_change_notices.up.sql")


def downgrade() -> None:
    run("0012_change_notices.down.sql")
