"""Settings: read once, frozen, listed in a page; what is wrong is named in one sentence without its value."""

import runpy
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError
from redis.asyncio import Redis

from gateway.settings import ConfigurationError, Settings, load_settings

ROOT = Path(__file__).parents[1]
ADDRESS = "postgresql://gateway:s3cret@db.example:5432/crm"
SECRETS = ("database_url", "migration_database_url", "worker_database_url", "redis_url", "jwt_secret", "graphiql_token")


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def test_the_settings_page_is_what_the_code_says() -> None:
    written = runpy.run_path(str(ROOT / "scripts/write_docs.py"))["settings_page"]()
    assert (ROOT / "docs/settings.md").read_text(encoding="utf-8") == written, "run `make docs`"


def test_every_setting_has_a_row_and_a_description() -> None:
    page = (ROOT / "docs/settings.md").read_text(encoding="utf-8")
    for name, field in Settings.model_fields.items():
        assert field.description
        assert f"| `{name.upper()}` |" in page


def test_settings_are_frozen() -> None:
    settings = load_settings(pool_size=3)
    with pytest.raises(ValidationError, match="frozen"):
        settings.pool_size = 4
    assert settings.pool_size == 3


def test_settings_come_from_the_environment_and_arguments_win(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POOL_SIZE", "7")
    monkeypatch.setenv("DATABASE_URL", ADDRESS)
    monkeypatch.setenv("CORS_ORIGINS", "https://a.example, https://b.example,")
    monkeypatch.setenv("GRAPHIQL", "false")
    settings = load_settings(page_size_limit=20, jwt_audience=None)
    assert (settings.pool_size, settings.page_size_limit, settings.graphiql) == (7, 20, False)
    assert settings.cors_origins == ("https://a.example", "https://b.example")
    assert settings.require("database_url") == ADDRESS
    assert settings.jwt_audience == "aggregation-gateway"
    assert load_settings(pool_size=8).pool_size == 8


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("POOL_SIZE", "many", "POOL_SIZE: Input should be a valid integer, unable to parse string as an integer"),
        ("POOL_SIZE", "0", "POOL_SIZE: Input should be greater than or equal to 1"),
        ("PAGE_SIZE_LIMIT", "101", "PAGE_SIZE_LIMIT: Input should be less than or equal to 100"),
        ("REQUEST_DEADLINE_SECONDS", "0", "REQUEST_DEADLINE_SECONDS: Input should be greater than 0"),
        ("LOG_LEVEL", "loud", "LOG_LEVEL: Input should be 'debug', 'info', 'warning' or 'error'"),
        ("DOCUMENTS_MODE", "some", "DOCUMENTS_MODE: Input should be 'any' or 'trusted'"),
        (
            *("DOCUMENTS_MODE", "trusted"),
            "settings: DOCUMENTS_MODE is trusted, but TRUSTED_DOCUMENTS names no directory",
        ),
        ("JWT_TENANT_CLAIM", "", "settings: JWT_TENANT_CLAIM and JWT_SUBJECT_CLAIM may not be empty"),
    ],
)
def test_a_wrong_value_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError) as raised:
        load_settings()
    assert str(raised.value) == sentence


def test_several_wrong_values_are_named_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POOL_SIZE", "0")
    monkeypatch.setenv("LOG_FORMAT", "xml")
    with pytest.raises(ConfigurationError) as raised:
        load_settings()
    assert str(raised.value) == (
        "POOL_SIZE: Input should be greater than or equal to 1; LOG_FORMAT: Input should be 'json' or 'console'"
    )


@pytest.mark.parametrize("name", ["DATABASE_URL", "MIGRATION_DATABASE_URL", "WORKER_DATABASE_URL"])
@pytest.mark.parametrize(
    "address",
    [
        "",
        "nonsense",
        "mysql://gateway:s3cret@db.example/crm",
        "postgresql://gateway:s3cr/et@db.example/crm",
        "postgresql://gateway:s3cret@db.example:port/crm",
    ],
)
def test_an_address_that_is_none_is_named_and_not_quoted(
    monkeypatch: pytest.MonkeyPatch, name: str, address: str
) -> None:
    monkeypatch.setenv(name, address)
    with pytest.raises(ConfigurationError) as raised:
        load_settings()
    assert str(raised.value) == (
        f"{name}: is no address such as postgresql://ROLE:PASSWORD@HOST:5432/DATABASE (with %2F for / and so on)"
    )


@pytest.mark.parametrize("address", ["", "nonsense", "http://:s3cret@cache:6379", "redis://:s3cret@cache:port/0"])
def test_an_address_of_redis_that_is_none_is_named_and_not_quoted(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("REDIS_URL", address)
    with pytest.raises(ConfigurationError) as raised:
        load_settings()
    assert str(raised.value) == (
        "REDIS_URL: is no address such as redis://:PASSWORD@HOST:6379/0 (with %2F for / and so on)"
    )


@pytest.mark.parametrize("address", ["redis://cache", "rediss://me:a%2Fb@[::1]:6380/1", "unix:///run/redis.sock"])
def test_an_address_of_redis_may_have_every_form_that_the_client_knows(address: str) -> None:
    settings = load_settings(redis_url=address)
    assert settings.require("redis_url") == address
    assert Redis.from_url(settings.require("redis_url")) is not None


@pytest.mark.parametrize(
    "address",
    [
        ADDRESS,
        "postgres://gateway@db.example/crm",
        "postgresql://gateway:a%2Fb@[::1]:5432/crm?sslmode=require",
        "postgresql://gateway@one.example:5432,two.example:5433/crm",
        "postgresql:///crm?host=/run/postgresql",
    ],
)
def test_an_address_may_have_every_form_that_the_driver_knows(address: str) -> None:
    assert load_settings(database_url=address).require("database_url") == address


def test_a_short_secret_is_named_and_not_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JWT_SECRET", "s3cret")
    with pytest.raises(ConfigurationError, match=r"^JWT_SECRET: .* at least 32 ") as raised:
        load_settings()
    assert "s3cret" not in str(raised.value)


def test_no_secret_is_printed() -> None:
    known: dict[str, Any] = dict.fromkeys(SECRETS, SecretStr("s3cret " * 8))
    known |= {name: SecretStr(ADDRESS) for name in SECRETS if "database" in name}
    known["redis_url"] = SecretStr("redis://:s3cret@cache:6379/0")
    settings = Settings(**known)
    assert {name for name, value in settings if isinstance(value, SecretStr)} == set(SECRETS)
    for text in (repr(settings), str(settings), settings.model_dump_json(), str(settings.model_dump())):
        assert "s3cret" not in text


def test_a_setting_that_a_command_needs_is_named_with_its_meaning() -> None:
    with pytest.raises(ConfigurationError) as raised:
        load_settings().require("worker_database_url")
    assert str(raised.value) == (
        "WORKER_DATABASE_URL is not set: PostgreSQL address for background work, as role `worker`."
    )
