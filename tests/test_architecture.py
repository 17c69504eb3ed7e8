"""Who may import whom: the contracts stand in pyproject.toml."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LINT = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--no-logo"]
OFFENCES = {
    "gateway/api/peek.py": "import gateway.postgres.pool",
    "gateway/identity/peek.py": "import gateway.documents.library",
    "gateway/web/peek.py": "import gateway.api.schema",
    "gateway/settings.py": "import gateway.errors",
    "gateway/commands/peek.py": "import gateway.api.context",
    "gateway/stray.py": "",
    "loaders/peek.py": "import gateway.errors",
}


def lint(directory: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(LINT, cwd=directory, env={"PYTHONPATH": str(directory)}, capture_output=True, text=True)


def test_imports_go_in_one_direction() -> None:
    result = subprocess.run(LINT, cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("path", OFFENCES)
def test_an_import_against_the_direction_is_reported(tmp_path: Path, path: str) -> None:
    for package, source in (("gateway", ROOT / "src/gateway"), ("loaders", ROOT / "loaders")):
        _copy_modules(source, tmp_path / package)
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    (tmp_path / path).write_text(OFFENCES[path])
    result = lint(tmp_path)
    assert result.returncode == 1
    assert path.removesuffix(".py").replace("/", ".") in result.stdout


def test_loaders_need_nothing_but_the_standard_library_and_asyncpg() -> None:
    allowed = {*sys.stdlib_module_names, "asyncpg", "loaders"}
    imported = {name for path in (ROOT / "loaders").glob("*.py") for name in _imported(path)}
    assert imported <= allowed, imported - allowed
    assert "asyncpg" in imported


def _copy_modules(source: Path, target: Path) -> None:
    for path in source.rglob("*.py"):
        if "node_modules" not in path.parts:
            copy = target / path.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text(path.read_text())


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").partition(".")[0]
