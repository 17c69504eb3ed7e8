"""Deals that only ever went forward are told apart, so that they can be counted by their moves."""

from gateway.postgres.migrations.scripts import run

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run("0010_straight_moves.up.sql")


def downgrade() -> None:
    run("0010_straight_moves.down.sql")
