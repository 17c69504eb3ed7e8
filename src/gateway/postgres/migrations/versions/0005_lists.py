"""What lists are paged and searched by."""

from gateway.postgres.migrations.scripts import run

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run("0005_lists.up.sql")


def downgrade() -> None:
    run("0005_lists.down.sql")
