"""Whether the database can be served from: reachable, and of the schema that this code was built for."""

from gateway.deadline import Deadline
from gateway.errors import GatewayError
from gateway.postgres.places import Share
from gateway.postgres.pool import Pool

CHECK_SECONDS = 2.0
REVISION = "SELECT version_num FROM alembic_version"


async def database_fault(pool: Pool, share: Share, wanted_revision: str) -> str | None:
    """What is wrong, in a sentence; None when nothing is."""
    deadline = Deadline.after(CHECK_SECONDS)
    try:
        revision = await pool.run(share, deadline, lambda connection: connection.fetchval(REVISION))
    except GatewayError as error:
        return error.message
    except Exception as error:  # noqa: BLE001 - a check reports whatever is wrong
        return f"The database cannot be read: {error}"
    if revision != wanted_revision:
        return f"The schema is at {revision}, this version needs {wanted_revision}: run `gateway migrate`."
    return None
