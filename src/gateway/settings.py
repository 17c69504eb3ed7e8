"""The gateway's settings: frozen, read once from the environment, passed on. `docs/settings.md` lists them."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from gateway.terms import Mode


class ConfigurationError(Exception):
    """A setting is missing or wrong: one sentence that names it."""


def _comma_separated(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _postgres_address(value: SecretStr) -> SecretStr:
    """Refused here, where the message does not quote it: what a driver says of an address may hold its password."""
    scheme, netloc, *_ = urlsplit(value.get_secret_value())
    hosts = netloc.rpartition("@")[2].split(",")
    if scheme not in {"postgresql", "postgres"} or not all(
        re.fullmatch(r"(\[.*\]|[^:]*)(:\d+)?", host) for host in hosts
    ):
        raise ValueError(
            "is no address such as postgresql://ROLE:PASSWORD@HOST:5432/DATABASE (with %2F for / and so on)"
        )
    return value


def _redis_address(value: SecretStr) -> SecretStr:
    """Refused here, as PostgreSQL's."""
    scheme, netloc, *_ = urlsplit(value.get_secret_value())
    if scheme not in {"redis", "rediss", "unix"} or not re.fullmatch(
        r"(\[.*\]|[^:]*)(:\d+)?", netloc.rpartition("@")[2]
    ):
        raise ValueError("is no address such as redis://:PASSWORD@HOST:6379/0 (with %2F for / and so on)")
    return value


CommaSeparated = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_comma_separated)]
PostgresAddress = Annotated[SecretStr, AfterValidator(_postgres_address)]
RedisAddress = Annotated[SecretStr, AfterValidator(_redis_address)]


class Settings(BaseSettings):
    """Each field is an environment variable of the same name in capitals. Units stand in the names."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", case_sensitive=False)

    database_url: PostgresAddress | None = Field(None, description="PostgreSQL address for serving, as role `gateway`.")
    migration_database_url: PostgresAddress | None = Field(
        None, description="PostgreSQL address for migrations and tenant administration, as role `owner`."
    )
    worker_database_url: PostgresAddress | None = Field(
        None, description="PostgreSQL address for background work, as role `worker`."
    )
    listen_database_url: PostgresAddress | None = Field(
        None,
        description="PostgreSQL address that changes are listened on, as role `gateway`: a direct one, no transaction "
        "pooler. Default: DATABASE_URL.",
    )
    redis_url: RedisAddress | None = Field(
        None,
        description="Redis address; needed for more than one worker process. Keeps answers, and the texts of named "
        "documents.",
    )
    redis_timeout_seconds: float = Field(
        0.1, gt=0, le=5, description="How long a trip to Redis may take; after that the request goes on without it."
    )

    cache_max_age_seconds: int = Field(
        3600, ge=0, description="How long an answer is kept at most, however true it stays; 0: none is kept."
    )
    cache_memory_bytes: int = Field(67_108_864, ge=0, description="Memory that kept answers may take in one process.")
    cache_stale_seconds: float = Field(
        60.0,
        ge=0,
        description="While the database cannot be reached, kept answers of this age at most stand in, marked STALE; "
        "0: none.",
    )

    cost_mode: Mode = Field(
        Mode.ENFORCE,
        description="What prices of operations are for, where a tenant's terms say nothing else: `off`, `measure` "
        "(told and counted) or `enforce` (what does not fit into the tenant's budget is refused).",
    )
    cost_fallback_share: float = Field(
        0.25,
        gt=0,
        le=1,
        description="While Redis does not answer, each process goes by this share of a tenant's budget by itself.",
    )

    jwt_secret: SecretStr | None = Field(
        None, min_length=32, description="Secret of HS256 tokens, at least 32 bytes. Issuing tokens needs it."
    )
    jwks_url: str | None = Field(
        None, description="Address of an identity provider's JSON Web Key Set (RS256, ES256, EdDSA)."
    )
    jwt_audience: str | None = Field("aggregation-gateway", description="Audience that a token must name; empty: any.")
    jwt_issuer: str | None = Field("aggregation-gateway", description="Issuer that a token must name; empty: any.")
    jwt_tenant_claim: str = Field("tenant", description="Claim (dotted path) that holds the tenant's slug.")
    jwt_subject_claim: str = Field("sub", description="Claim (dotted path) that holds the member's subject.")
    jwt_leeway_seconds: int = Field(5, ge=0, le=300, description="Clock difference forgiven in a token's times.")
    access_token_lifetime_seconds: int = Field(3600, ge=60, description="Lifetime of an issued access token.")
    refresh_token_lifetime_seconds: int = Field(14 * 86_400, ge=60, description="Lifetime of an issued refresh token.")

    pool_size: int = Field(
        10,
        ge=1,
        le=1000,
        description="Database connections of one process for requests, at most; two more hear of changes.",
    )
    pool_wait_seconds: float = Field(
        2.0, gt=0, description="How long a request waits for its turn at a connection before it is answered with 503."
    )
    statement_cache_size: int = Field(
        256, ge=0, description="Prepared statements a connection keeps; 0 behind a transaction pooler."
    )
    request_deadline_seconds: float = Field(
        60.0, gt=0, description="How long one request may take in all; a tenant's plan may give it less."
    )

    rollup_fold_seconds: float = Field(
        1.0, gt=0, le=3600, description="The worker folds changes of rollups about once in this time."
    )
    rollup_refresh_share: float = Field(
        0.05, gt=0, description="Share of a rollup's groups that has to change before the worker refreshes it."
    )
    rollup_nightly_hour: int = Field(
        2, ge=0, le=23, description="Hour of the day, in UTC, at which the worker refreshes each rollup that changed."
    )

    body_limit_bytes: int = Field(1_048_576, ge=1024, description="Largest accepted request body.")
    document_token_limit: int = Field(3000, ge=100, description="Most lexical tokens of a document.")
    document_depth_limit: int = Field(20, ge=3, description="Deepest nesting of fields.")
    document_field_limit: int = Field(
        500, ge=10, description="Most fields of an operation, each use of a fragment counted."
    )
    document_cache_size: int = Field(1000, ge=1, description="Parsed documents that a process keeps.")
    documents_mode: Literal["any", "trusted"] = Field(
        "any", description="Which documents are run; `trusted`: those of `TRUSTED_DOCUMENTS` and no other."
    )
    trusted_documents: Path | None = Field(
        None, description="Directory of trusted documents, as `gateway documents add` fills it."
    )
    persisted_cache_bytes: int = Field(
        4_194_304, ge=0, description="Memory of a process for the texts of documents that requests name by hash."
    )
    persisted_redis_size: int = Field(10_000, ge=0, description="Most texts of such documents that Redis keeps.")
    persisted_redis_lifetime_seconds: int = Field(
        7 * 86_400, ge=60, description="How long Redis keeps such a text after its last use there."
    )
    answer_entry_limit: int = Field(
        10_000, ge=100, description="Most entries of all lists of one answer together, nested ones included."
    )
    bulk_size_limit: int = Field(
        1000,
        ge=1,
        le=10_000,
        description="Most items of one change of many records; a tenant's plan may permit fewer.",
    )
    page_size_limit: int = Field(
        100, ge=1, le=100, description="Most entries of one page of a list; a tenant's plan may permit fewer."
    )

    cors_origins: CommaSeparated = Field(
        (), description="Origins whose pages may call the gateway, separated by commas; `*` for any."
    )
    graphiql: bool = Field(True, description="Serve GraphiQL to browsers that open the endpoint.")
    graphiql_token: SecretStr | None = Field(
        None, description="Token that GraphiQL is signed in with. For demonstrations only: every visitor gets it."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level logged.")
    log_format: Literal["json", "console"] = Field("json", description="Shape of log lines.")

    @model_validator(mode="after")
    def _trusted_documents_have_a_place(self) -> Self:
        if self.documents_mode == "trusted" and self.trusted_documents is None:
            raise ValueError("DOCUMENTS_MODE is trusted, but TRUSTED_DOCUMENTS names no directory")
        return self

    @model_validator(mode="after")
    def _claims_are_named(self) -> Self:
        if not self.jwt_tenant_claim or not self.jwt_subject_claim:
            raise ValueError("JWT_TENANT_CLAIM and JWT_SUBJECT_CLAIM may not be empty")
        return self

    def require(self, name: str) -> str:
        """The value of a setting that this command cannot do without."""
        value = getattr(self, name)
        if value is None:
            raise ConfigurationError(f"{name.upper()} is not set: {type(self).model_fields[name].description}")
        return value.get_secret_value() if isinstance(value, SecretStr) else str(value)


def load_settings(**overrides: Any) -> Settings:
    """Settings from the environment; flags of a command override it. Raises ConfigurationError in one sentence."""
    try:
        return Settings(**{name: value for name, value in overrides.items() if value is not None})
    except ValueError as error:
        raise ConfigurationError(_explain(error)) from None


def _explain(error: ValueError) -> str:
    return "; ".join(_sentence(problem) for problem in getattr(error, "errors", list)()) or str(error)


def _sentence(problem: Mapping[str, Any]) -> str:
    """Names the variable and says what is wrong, but not what stands there: it may be a secret."""
    name = ".".join(str(part) for part in problem["loc"]).upper()
    return f"{name or 'settings'}: {problem['msg'].removeprefix('Value error, ')}"
