"""The wheel that the image installs: whole, and without what only a checkout needs."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The files of a freshly built wheel."""
    directory = tmp_path_factory.mktemp("wheel")
    hatchling = Path(sys.executable).with_name("hatchling")
    subprocess.run(
        [hatchling, "build", "--target", "wheel", "--directory", directory], cwd=ROOT, check=True, capture_output=True
    )
    (wheel,) = directory.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.mark.parametrize(("folder", "root"), [("loaders", ROOT), ("gateway", ROOT / "src")])
def test_the_wheel_carries_every_module_and_every_statement(names: set[str], folder: str, root: Path) -> None:
    wanted = [path for suffix in ("*.py", "*.sql", "py.typed") for path in (root / folder).rglob(suffix)]
    assert len(wanted) > 10
    sources = {path.relative_to(root).as_posix() for path in wanted if "node_modules" not in path.parts}
    assert sources - names == set()


def test_the_wheel_carries_graphiql_as_it_was_built(names: set[str]) -> None:
    built = {path.name for path in (ROOT / "src/gateway/web/graphiql/dist").iterdir()}
    folder = "gateway/web/graphiql/dist/"
    assert {name.removeprefix(folder) for name in names if name.startswith(folder)} == built
    assert {"manifest.json", "LICENSES.txt"} <= built


def test_the_wheel_carries_nothing_that_is_for_development(names: set[str]) -> None:
    foreign = ("node_modules", "__pycache__", "tests/", "benchmarks/", "scripts/", ".gateway")
    assert [name for name in names if any(part in name for part in foreign)] == []
    assert {name.split("/")[0].split("-")[0] for name in names} == {"gateway", "loaders", "aggregation_gateway"}
