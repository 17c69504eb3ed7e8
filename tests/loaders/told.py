"""What a statement tells against the same counted plainly, for every reader of a ground."""

from collections.abc import Sequence

from tests.rollups.model import AS_READER, AS_WRITER, Ground, Session

Arguments = Sequence[object]


def assert_told(ground: Ground, statement: str, plain: str, asked: Sequence[Arguments]) -> None:
    """Both find the same rows, whatever is asked; the tenant stands first in the arguments of both."""
    for session in ground.readers:
        ground.run(_compare(session, statement, plain, asked))


async def _compare(session: Session, statement: str, plain: str, asked: Sequence[Arguments]) -> None:
    for arguments in asked:
        await session.connection.execute(f"{AS_READER}; SET app.tenant_id = '{arguments[0]}'")
        told, true = [
            {tuple(row) for row in await session.connection.fetch(sql, *arguments)} for sql in (statement, plain)
        ]
        await session.connection.execute(AS_WRITER)
        assert told == true, f"asked {arguments}: {told ^ true}"
