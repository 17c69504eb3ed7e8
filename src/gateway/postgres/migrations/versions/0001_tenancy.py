"""Tenants, members and who may see what."""

from gateway.postgres.migrations.scripts import run

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    run("0001_tenancy.up.sql")


def downgrade() -> None:
    run("0001_tenancy.down.sql")
