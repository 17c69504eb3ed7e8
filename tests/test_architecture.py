"""Who may import whom: the contracts stand in pyproject.toml."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
LINT = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--no-logo"]
OFFENCES = {
    "gateway.api.peek": "gateway.postgres.pool",
    "gateway.identity.peek": "gateway.documents.library",
    "gateway.web.peek": "gateway.api.schema",
    "gateway.settings": "gateway.errors",
    "gateway.commands.peek": "gateway.api.context",
    "gateway.stray": None,
    "loaders.peek": "gateway.errors",
}
"""Modules, each with one that it must not import; or none: a module that no layer names."""


def lint(directory: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(LINT, cwd=directory, env={"PYTHONPATH": str(directory)}, capture_output=True, text=True)


def test_imports_go_in_one_direction() -> None:
    result = subprocess.run(LINT, cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout


def test_imports_against_the_direction_are_reported(tmp_path: Path) -> None:
    for package, source in (("gateway", ROOT / "src/gateway"), ("loaders", ROOT / "loaders")):
        _copy_modules(source, tmp_path / package)
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    for module, imported in OFFENCES.items():
        path = tmp_path / f"{module.replace('.', '/')}.py"
        path.write_text(f"import {imported}" if imported else "")
    result = lint(tmp_path)
    assert result.returncode == 1
    reports = [f" {module} -> {imported} " if imported else f"- {module}\n" for module, imported in OFFENCES.items()]
    assert [report for report in reports if report not in result.stdout] == []


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
