"""Whether changes are heard of: what the response cache stands on."""

import asyncio
from contextlib import suppress

import asyncpg
from pydantic import SecretStr

from gateway.cache.listener import CHANNEL
from gateway.doctor.finding import Finding
from gateway.settings import Settings

HEARD_SECONDS = 2.0
CONNECT_SECONDS = 5.0
PROBE = "doctor"
POOLER = "Set LISTEN_DATABASE_URL to a direct address of the same database: a transaction pooler forgets who listens."


async def examine_changes(settings: Settings) -> list[Finding]:
    """Sends a notice by the way of serving connections and listens for it where the gateway would."""
    serving, listening = settings.database_url, settings.listen_database_url or settings.database_url
    return [] if serving is None or listening is None else [await _hearing(serving, listening)]


async def _hearing(serving: SecretStr, listening: SecretStr) -> Finding:
    try:
        heard = await _heard(serving.get_secret_value(), listening.get_secret_value())
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        return Finding("listening", f"not tried: {error}")
    if heard:
        return Finding("listening", "hears of changes where the gateway listens")
    return Finding("listening", f"not heard within {HEARD_SECONDS:g} s: no answer is kept", POOLER)


async def _heard(serving: str, listening: str) -> bool:
    heard = asyncio.Event()
    ear = await asyncpg.connect(listening, timeout=CONNECT_SECONDS)
    voice = await asyncpg.connect(serving, timeout=CONNECT_SECONDS, statement_cache_size=0)
    try:
        await ear.add_listener(CHANNEL, lambda *notice: heard.set() if notice[3] == f"{PROBE}::" else None)
        await voice.execute("SELECT pg_notify($1, $2)", CHANNEL, f"{PROBE}::")
        with suppress(TimeoutError):
            await asyncio.wait_for(heard.wait(), HEARD_SECONDS)
    finally:
        ear.terminate()
        await voice.close()
    return heard.is_set()
