"""Composition: every part is made here, once, and handed what it needs."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import asyncpg
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from gateway.api.context import Context
from gateway.api.filters import MOST_VALUES
from gateway.api.schema import ANONYMOUS_FIELDS, graphql_schema, sdl
from gateway.cache.changes import Changes, Stamp
from gateway.cache.keys import schema_version
from gateway.cache.listener import Listener
from gateway.cache.memory import MemoryStore
from gateway.cache.responses import Reading, ResponseCache
from gateway.cache.shared import SharedStore
from gateway.cache.snapshots import Snapshot
from gateway.commands.change_deals import Command, Roles
from gateway.cost.memory_budget import MemoryBudget
from gateway.cost.redis_budget import RedisBudget
from gateway.deadline import Deadline
from gateway.documents.library import Documents
from gateway.documents.limits import Limits
from gateway.documents.persisted import PersistedDocuments
from gateway.documents.shared import SharedTexts
from gateway.documents.texts import KeptTexts
from gateway.documents.trusted import TrustedDocuments
from gateway.errors import ForbiddenError
from gateway.identity.identify import Identifier, Identity
from gateway.identity.issuing import TokenIssuer
from gateway.identity.keys import KeySetClient
from gateway.identity.members import MemberCache, MemberRecord
from gateway.identity.passwords import Passwords
from gateway.identity.permissions import PERMISSIONS, Permission
from gateway.identity.sessions import Sessions
from gateway.identity.tokens import TokenConfig, TokenVerifier
from gateway.observe import Observer, configure_logging, process_registry
from gateway.pipeline.at_once import AtOnce, KnownCalls
from gateway.pipeline.caching import SILENT_SECONDS, Caching
from gateway.pipeline.charging import Charging
from gateway.pipeline.pipeline import Pipeline
from gateway.pipeline.prepared import preparation
from gateway.postgres.migrate import head_revision
from gateway.postgres.places import Share
from gateway.postgres.pool import Pool
from gateway.postgres.readiness import database_fault
from gateway.postgres.transactions import ReadTransaction
from gateway.postgres.writing import Writer, WriteTransactions
from gateway.redis_link import RedisLink
from gateway.settings import ConfigurationError, Settings, load_settings
from gateway.terms import Bucket, Mode, Terms
from gateway.web import graphiql
from gateway.web.default_query import DEFAULT_QUERY, ONLY_TRUSTED
from gateway.web.graphql import GraphQLEndpoint, Page
from gateway.web.health import live, metrics, readiness
from gateway.web.hits import Hits
from loaders import identity as identity_loaders
from loaders.tenants import moment

Found = TypeVar("Found")

ENDPOINT = "/graphql"
EXPOSED_HEADERS = (
    "Age",
    "ETag",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "Server-Timing",
    "X-Cache",
    "X-Cache-Key",
    "X-RateLimit-Remaining",
    "X-Request-Id",
    "X-Response-Time",
)
ALLOWED_HEADERS = (
    "Authorization",
    "Cache-Control",
    "Content-Type",
    "GraphQL-Cache",
    "GraphQL-Cost",
    "If-None-Match",
    "X-Request-Id",
    "X-Tenant",
)
PAY_SECONDS = 1.0
LISTENS = {"application_name": "gateway listener", "tcp_keepalives_idle": "10", "tcp_keepalives_interval": "5"}

ROLES = Roles(
    all=[role.value for role, granted in PERMISSIONS.items() if Permission.WRITE_ALL in granted],
    own=[role.value for role, granted in PERMISSIONS.items() if Permission.WRITE_OWN in granted],
)
"""What the statements that write are told of the table of permissions."""


Beside = Callable[[Observer], Coroutine[Any, Any, None]]
"""Work that runs on until it is cancelled."""


def create_app(settings: Settings | None = None, *, beside: Beside | None = None) -> Starlette:
    """The service as an ASGI application. Without settings, they are read from the environment.

    `beside`: work for as long as it serves, counted in the same metrics.
    """
    settings = settings or load_settings()
    configure_logging(settings.log_level, settings.log_format)
    return _Parts(settings, beside).app()


def token_config(settings: Settings) -> TokenConfig:
    """Which tokens are accepted, and how the claims of issued ones are named."""
    try:
        return TokenConfig(
            secret=settings.jwt_secret.get_secret_value() if settings.jwt_secret else None,
            jwks_url=settings.jwks_url,
            audience=settings.jwt_audience or None,
            issuer=settings.jwt_issuer or None,
            tenant_claim=settings.jwt_tenant_claim,
            subject_claim=settings.jwt_subject_claim,
            leeway_seconds=settings.jwt_leeway_seconds,
        )
    except ValueError as error:
        raise ConfigurationError(f"JWT_SECRET or JWKS_URL: {error}") from None


def token_issuer(settings: Settings) -> TokenIssuer | None:
    """None without a secret: tokens then come from an identity provider."""
    if settings.jwt_secret is None:
        return None
    return TokenIssuer(
        token_config(settings),
        access_lifetime_seconds=settings.access_token_lifetime_seconds,
        refresh_lifetime_seconds=settings.refresh_token_lifetime_seconds,
    )


def trusted_documents(settings: Settings) -> TrustedDocuments | None:
    if settings.trusted_documents is None:
        return None
    if not settings.trusted_documents.is_dir():
        raise ConfigurationError("TRUSTED_DOCUMENTS is no directory: `gateway documents add DIR` makes it.")
    return TrustedDocuments(settings.trusted_documents)


class _Parts:
    """The parts of one process. Those that belong to an event loop are made when it runs."""

    def __init__(self, settings: Settings, beside: Beside | None = None) -> None:
        self.settings = settings
        self.beside = beside
        self.registry, self.scraped = process_registry()
        self.observer = Observer(self.registry)
        self.schema = graphql_schema()
        self.tokens = token_config(settings)
        self.pool = Pool(
            settings.require("database_url"),
            self.observer,
            size=settings.pool_size,
            wait_seconds=settings.pool_wait_seconds,
            statement_cache_size=settings.statement_cache_size,
        )
        # Work for no tenant takes its turns too. Anybody may try to sign in, and must not hold up who has.
        self.looking_up = Share("look-ups", max(1, settings.pool_size // 2))
        self.signing_in = Share("sign-ins", max(1, settings.pool_size // 4))
        self.changes = Changes()
        self.listener = Listener(
            self.changes, listening=self._connect_listening, sending=self._connect_sending, observer=self.observer
        )
        self.redis = None
        if settings.redis_url is not None:
            address, timeout_seconds = settings.redis_url.get_secret_value(), settings.redis_timeout_seconds
            self.redis = RedisLink(address, self.observer, timeout_seconds=timeout_seconds)
        self.budget: MemoryBudget | RedisBudget = MemoryBudget()
        if self.redis is not None:
            self.budget = RedisBudget(self.redis, fallback_share=settings.cost_fallback_share)
        self.charging = Charging(self.budget, self.observer, mode=settings.cost_mode)
        self.memory = MemoryStore(settings.cache_memory_bytes)
        self.cache = ResponseCache(
            self.changes,
            trusted=lambda: self.listener.trusted,
            memory=self.memory,
            shared=SharedStore(self.redis) if self.redis else None,
        )
        self.writing = WriteTransactions(self.pool, self.observer, self.cache)
        keys = KeySetClient(settings.jwks_url) if settings.jwks_url else None
        self.verifier = TokenVerifier(self.tokens, keys=keys)
        self.sessions = Sessions(
            issuer=token_issuer(settings),
            verifier=self.verifier,
            passwords=Passwords(),
            by_email=self._lookup(self.signing_in, identity_loaders.credentials_by_email),
            by_subject=self._lookup(self.signing_in, identity_loaders.credentials_by_subject),
        )

    def app(self) -> Starlette:
        settings = self.settings
        identifier = Identifier(self.verifier, MemberCache(self._member, grace_seconds=settings.cache_stale_seconds))
        known = KnownCalls()
        pipeline = self._pipeline(identifier, known)
        endpoint = GraphQLEndpoint(
            pipeline,
            deadline_seconds=settings.request_deadline_seconds,
            body_limit_bytes=settings.body_limit_bytes,
            page=Page(self._page) if settings.graphiql else None,
        )
        routes = [
            Route(ENDPOINT, endpoint),
            Route("/graphiql/assets/{name:path}", _asset, methods=["GET"]),
            Route("/", _to_endpoint, methods=["GET"]),
            Route("/health/live", live, methods=["GET"]),
            Route("/health/ready", readiness({"database": self._database_fault}), methods=["GET"]),
            Route("/metrics", metrics(self.scraped, self._refresh_gauges), methods=["GET"]),
        ]
        hits = Hits(
            AtOnce(identifier, known, self.cache, self.charging),
            pipeline,
            self.observer,
            path=ENDPOINT,
            cross_origin=bool(settings.cors_origins),
        )
        app = Starlette(routes=routes, middleware=_cors(settings), lifespan=lambda _: self._lifespan(hits))
        # A redirect to another spelling would name the host that the caller claims.
        app.router.redirect_slashes = False
        return app

    def _pipeline(self, identifier: Identifier, known: KnownCalls) -> Pipeline:
        settings = self.settings
        return Pipeline(
            identify=identifier.identify,
            documents=Documents(
                self.schema,
                Limits.of(settings),
                size=settings.document_cache_size,
                prepare=preparation(self.schema, max_age_seconds=settings.cache_max_age_seconds),
            ),
            caching=Caching(
                self.cache,
                # What settings let be seen is part of what is asked.
                schema_version=schema_version(sdl(), str(settings.page_size_limit)),
                grace_seconds=settings.cache_stale_seconds,
                silent_seconds=self._silent_seconds,
            ),
            charging=self.charging,
            known=known,
            persisted=self._persisted(),
            schema=self.schema,
            anonymous_fields=ANONYMOUS_FIELDS,
            open_context=self._open_context,
            most_list_entries=max(settings.bulk_size_limit, MOST_VALUES),
            observer=self.observer,
        )

    def _persisted(self) -> PersistedDocuments:
        settings = self.settings
        shared = None
        if self.redis is not None:
            shared = SharedTexts(
                self.redis,
                most=settings.persisted_redis_size,
                lifetime_seconds=settings.persisted_redis_lifetime_seconds,
            )
        return PersistedDocuments(
            KeptTexts(settings.persisted_cache_bytes),
            self.observer,
            trusted=trusted_documents(settings),
            shared=shared,
            only_trusted=settings.documents_mode == "trusted",
        )

    def _open_context(self, identity: Identity | None, deadline: Deadline, request_id: str) -> Context:
        share = Share(identity.tenant_id, identity.terms.concurrency) if identity else self.signing_in

        async def write_as_caller(command: Command[Found]) -> Found:
            if identity is None:
                raise ForbiddenError
            writer = Writer(identity.tenant_id, identity.member_id, request_id)
            return await self.writing.run(share, writer, deadline, lambda writes: command(writes, ROLES))

        settings, terms = self.settings, identity.terms if identity else None
        return Context(
            tenant_id=identity.tenant_id if identity else None,
            member_id=identity.member_id if identity else None,
            permissions=PERMISSIONS[identity.role] if identity else frozenset(),
            sign_in=self.sessions,
            page_size_limit=min(settings.page_size_limit, terms.page_size) if terms else settings.page_size_limit,
            answer_entry_limit=settings.answer_entry_limit,
            bulk_size_limit=min(settings.bulk_size_limit, terms.bulk_size) if terms else settings.bulk_size_limit,
            currency=identity.currency if identity else None,
            check_deadline=deadline.left_seconds,
            open_snapshot=lambda tenant_id: ReadTransaction(
                self.pool, share, tenant_id, deadline, self.observer, moment
            ),
            write=write_as_caller,
            read_funds=lambda: self.charging.account(identity),
        )

    def _silent_seconds(self) -> float:
        """How long nothing was heard of the database, neither as an answer nor as an echo."""
        return time.monotonic() - max(self.listener.echoed_at, self.observer.answered_at)

    def _lookup(
        self,
        share: Share,
        read: Callable[[Any, str, str], Awaitable[Found | None]],
        *,
        most_seconds: float = float("inf"),
    ) -> Callable[[str, str], Awaitable[Found | None]]:
        """A read outside any tenant, on a connection of its own, given back before the request goes on."""

        async def lookup(tenant: str, name: str) -> Found | None:
            deadline = Deadline.after(min(self.settings.request_deadline_seconds, most_seconds))
            return await self.pool.run(share, deadline, lambda connection: read(connection, tenant, name))

        return lookup

    async def _member(self, tenant: str, subject: str) -> MemberRecord | None:
        # One that was found before stands in for as long as the database says nothing: nobody waits long to see that.
        lookup = self._lookup(self.looking_up, identity_loaders.identify, most_seconds=SILENT_SECONDS)
        found = await lookup(tenant, subject)
        if found is None:
            return None
        return MemberRecord(
            tenant_id=found.tenant_id,
            tenant_slug=tenant,
            terms=_terms(found.agreed),
            currency=found.currency,
            time_zone=found.time_zone,
            member_id=found.member_id,
            role=found.role,
            active=bool(found.active),
            still_true=self._still_true(found),
        )

    def _still_true(self, found: identity_loaders.SignedIn) -> Callable[[], bool]:
        if found.incarnation is None:
            return lambda: False
        tags = identity_loaders.SQL["identify"].reads
        reading = Reading(Stamp(found.tenant_id, found.incarnation, Snapshot.parse(found.snapshot), tags))
        return lambda: self.cache.still_true(reading)

    async def _connect_listening(self) -> asyncpg.Connection:
        settings = self.settings
        address = settings.listen_database_url or settings.database_url
        return await asyncpg.connect(address.get_secret_value() if address else None, server_settings=LISTENS)

    async def _connect_sending(self) -> asyncpg.Connection:
        address = self.settings.require("database_url")
        return await asyncpg.connect(address, statement_cache_size=0, server_settings=LISTENS)

    async def _database_fault(self) -> str | None:
        return await database_fault(self.pool, self.looking_up, head_revision())

    def _refresh_gauges(self) -> None:
        self.observer.pool(busy=self.pool.busy(), idle=self.pool.idle(), waiting=self.pool.waiting())
        self.observer.cache(entries=len(self.memory), size_bytes=self.memory.size_bytes)

    def _page(self) -> tuple[bytes, dict[str, str]]:
        token = self.settings.graphiql_token
        only_trusted = self.settings.documents_mode == "trusted"
        return graphiql.page(
            endpoint=ENDPOINT,
            default_query=ONLY_TRUSTED if only_trusted else DEFAULT_QUERY,
            token=token.get_secret_value() if token else None,
            title="Aggregation gateway: trusted documents only" if only_trusted else "Aggregation gateway",
        )

    async def _pay(self) -> None:
        """What is charged beside requests, until cancelled."""
        while True:
            await asyncio.sleep(PAY_SECONDS)
            try:
                await self.charging.flush()
            except Exception as error:  # noqa: BLE001 - whatever it was, the next time may be better
                self.observer.fault("budgets were not paid", error=error)

    @asynccontextmanager
    async def _lifespan(self, hits: Hits) -> AsyncIterator[dict[str, Hits]]:
        """Yields what the server's own protocol looks at before it asks the application: `web/protocol.py`."""
        await self.pool.open()
        beside = [asyncio.create_task(self.listener.run()), asyncio.create_task(self._pay())]
        if self.beside:
            beside.append(asyncio.create_task(self.beside(self.observer)))
        try:
            yield {"hits": hits}
        finally:
            for task in beside:
                task.cancel()
            await asyncio.wait(beside)
            await self.charging.flush()
            if self.redis is not None:
                await self.redis.close()
            await self.pool.close()


def _terms(agreed: identity_loaders.Agreed) -> Terms:
    return Terms(
        bucket=Bucket(agreed.bucket_points, agreed.points_per_second),
        most_points=agreed.most_points,
        deadline_seconds=agreed.deadline_seconds,
        page_size=agreed.page_size,
        bulk_size=agreed.bulk_size,
        concurrency=agreed.concurrency,
        stale_instead=agreed.stale_instead,
        mode=Mode(agreed.mode) if agreed.mode else None,
    )


def _cors(settings: Settings) -> list[Middleware]:
    if not settings.cors_origins:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "POST"],
            allow_headers=ALLOWED_HEADERS,
            expose_headers=EXPOSED_HEADERS,
            max_age=3600,
        )
    ]


async def _asset(request: Request) -> Response:
    found = graphiql.asset(request.path_params["name"])
    if found is None:
        return Response(status_code=404)
    body, headers = found
    return Response(body, headers=headers)


async def _to_endpoint(_request: Request) -> Response:
    return RedirectResponse(ENDPOINT)
