"""The plans: does every budget hold what one operation may cost?"""

import asyncpg

from gateway.doctor.finding import Finding

MAY_LOOK = "SELECT has_table_privilege('plans', 'SELECT')"

# A plan cannot be so by itself; with a tenant's own terms, which were not set by the command, it can.
NEVER_ADMITTED = """
SELECT t.slug, terms.most_points, terms.bucket_points
  FROM tenants t CROSS JOIN LATERAL app.terms(t.id) AS terms
 WHERE terms.most_points > terms.bucket_points ORDER BY t.slug
"""


async def examine_plans(connection: asyncpg.Connection) -> list[Finding]:
    """The schema is of the newest revision."""
    if not await connection.fetchval(MAY_LOOK):
        return [Finding("plans", "not examined: only the role owner may look at them")]
    faults = [
        Finding(
            "plans",
            f"an operation of {slug} may cost {most} points, and its budget holds {bucket}: it could never be admitted",
            f"gateway plans set --tenant {slug} --most {bucket}   # with MIGRATION_DATABASE_URL",
        )
        for slug, most, bucket in await connection.fetch(NEVER_ADMITTED)
    ]
    return faults or [Finding("plans", "every budget holds what one operation may cost")]
