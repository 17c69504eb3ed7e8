"""Plans: what a tenant may use, with what is agreed with it alone."""

from gateway.postgres.migrations.scripts import run

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run("0013_plans.up.sql")


def downgrade() -> None:
    run("0013_plans.down.sql")
