"""What a tenant keeps: companies, contacts, pipelines, deals, activities, tasks, products."""

from gateway.postgres.migrations.scripts import run

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run("0002_records.up.sql")


def downgrade() -> None:
    run("0002_records.down.sql")
