"""What rollups stand on."""

from gateway.postgres.migrations.scripts import run

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run("0006_rollup_engine.up.sql")


def downgrade() -> None:
    run("0006_rollup_engine.down.sql")
