"""The settings: what is there, what is missing, and whether tokens can be checked with them."""

import asyncio

from redis.asyncio import Redis
from redis.exceptions import RedisError

from gateway.app import token_config, trusted_documents
from gateway.doctor.finding import Finding
from gateway.errors import KeysUnavailableError
from gateway.identity.keys import ASYMMETRIC_ALGORITHMS, KeySetClient
from gateway.settings import ConfigurationError, Settings

REDIS_SECONDS = 2.0

OPTIONAL_ADDRESSES = {
    "migration_database_url": "not set: `gateway migrate`, `tenant create` and `member add` need it",
    "worker_database_url": "not set: background work needs it",
}


async def examine_configuration(settings: Settings) -> list[Finding]:
    return [
        _serving_address(settings),
        *(_optional_address(settings, name, absent) for name, absent in OPTIONAL_ADDRESSES.items()),
        await _redis(settings),
        await _tokens(settings),
        _trusted_documents(settings),
        _graphiql_token(settings),
    ]


def _serving_address(settings: Settings) -> Finding:
    if settings.database_url is not None:
        return Finding("DATABASE_URL", "set")
    remedy = "export DATABASE_URL=postgresql://gateway:PASSWORD@HOST:5432/DATABASE"
    return Finding("DATABASE_URL", "not set: nothing can be served", remedy)


def _optional_address(settings: Settings, name: str, absent: str) -> Finding:
    return Finding(name.upper(), absent if getattr(settings, name) is None else "set")


async def _redis(settings: Settings) -> Finding:
    if settings.redis_url is None:
        return Finding("REDIS_URL", "not set: enough for one process, `gateway serve --workers 2` needs it")
    try:
        async with (
            asyncio.timeout(REDIS_SECONDS),
            Redis.from_url(settings.redis_url.get_secret_value()) as redis,
        ):
            await redis.ping()
    except (RedisError, OSError, TimeoutError) as error:
        remedy = 'redis-cli -u "$REDIS_URL" ping   # then correct REDIS_URL'
        observation = f"gives no answer: {error}. Answers are read anew, and changes take half a second longer"
        return Finding("REDIS_URL", observation, remedy)
    return Finding("REDIS_URL", "answers")


def _trusted_documents(settings: Settings) -> Finding:
    try:
        trusted = trusted_documents(settings)
    except ConfigurationError as error:
        return Finding("TRUSTED_DOCUMENTS", str(error), 'gateway documents add DIR --to "$TRUSTED_DOCUMENTS"')
    if trusted is None:
        return Finding("TRUSTED_DOCUMENTS", "not set: any valid document is run")
    hashes = trusted.hashes()
    if wrong := [hash_ for hash_ in hashes if trusted.read(hash_) is None]:
        remedy = "gateway documents add DIR   # with the texts that these files should hold"
        return Finding("TRUSTED_DOCUMENTS", f"files that hold another text than their name says: {len(wrong)}", remedy)
    others = "no other is run" if settings.documents_mode == "trusted" else "any other is run too"
    return Finding("TRUSTED_DOCUMENTS", f"trusted documents: {len(hashes)}; {others}")


async def _tokens(settings: Settings) -> Finding:
    try:
        config = token_config(settings)
    except ConfigurationError as error:
        return Finding("tokens", str(error), "export JWT_SECRET=$(openssl rand -hex 32)   # or JWKS_URL=https://…")
    if config.jwks_url is None:
        return Finding("tokens", "signed with JWT_SECRET")
    try:
        await KeySetClient(config.jwks_url).find(None, ASYMMETRIC_ALGORITHMS[0])
    except KeysUnavailableError:
        observation = f"{config.jwks_url} gives no key set, so no token of the identity provider can be checked"
        return Finding("tokens", observation, f"curl -v {config.jwks_url}   # then correct JWKS_URL")
    return Finding("tokens", f"checked with the keys of {config.jwks_url}")


def _graphiql_token(settings: Settings) -> Finding:
    if settings.graphiql_token is None:
        return Finding("GRAPHIQL_TOKEN", "not set: visitors of GraphiQL sign in themselves")
    observation = "set: every visitor of GraphiQL is given this token, with all that it may read"
    return Finding("GRAPHIQL_TOKEN", observation, "unset GRAPHIQL_TOKEN")
