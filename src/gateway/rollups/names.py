"""What the parts of a rollup are called in the database."""

from gateway.rollups.declaration import Rollup

SCHEMA = "rollup"
REGISTRY = f"{SCHEMA}.registry"
CHANNEL = "gateway_changes"
"""Where the triggers notify `tenant:table:xid`, once a transaction."""


def delta(rollup: Rollup) -> str:
    """L0: what triggers append, one row a statement and group."""
    return f"{SCHEMA}.{rollup.name}_delta"


def pending(rollup: Rollup) -> str:
    """L1: what was folded of L0 since the last refresh, one row a group."""
    return f"{SCHEMA}.{rollup.name}_pending"


def base(rollup: Rollup) -> str:
    """The materialized view: the sums of the last refresh."""
    return f"{SCHEMA}.{rollup.name}_base"


def live(rollup: Rollup) -> str:
    """The view that readers sum: base, pending and deltas of the session's tenant."""
    return f"analytics.{rollup.name}"


def key_names(rollup: Rollup) -> list[str]:
    return ["tenant_id", *(key.name for key in rollup.keys)]


def key_columns(rollup: Rollup) -> str:
    return ", ".join(key_names(rollup))


def columns(rollup: Rollup) -> str:
    return f"{key_columns(rollup)}, {', '.join(rollup.measures)}"
