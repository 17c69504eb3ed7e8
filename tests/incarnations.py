"""The present life of a database, as the serving role is told of it."""

import asyncpg

from tests.conftest import Database

BEGIN, PRESENT = "SELECT app.begin_incarnation()", "SELECT app.incarnation()"


async def ask(database: Database, question: str) -> str | None:
    """The answer in a session of its own."""
    connection = await asyncpg.connect(database.gateway_dsn)
    try:
        answer: str | None = await connection.fetchval(question)
        return answer
    finally:
        await connection.close()
