"""Node, and the packages of the peers' lock file."""

import json
import runpy
import shutil
import subprocess
from pathlib import Path

FOLDER = Path(__file__).parent
TOOLS = runpy.run_path(str(FOLDER.parents[1] / "scripts" / "build_graphiql.py"))
MEASURED = ("mercurius", "mercurius-cache", "fastify", "graphql-yoga", "@graphql-yoga/plugin-response-cache", "graphql")
INSTALL_SECONDS = 300


class NoNodeError(Exception):
    """There is no Node of a version that the peers run on."""


def has_node() -> bool:
    return _tools() is not None


def installed_node() -> str:
    """The path of Node, with the packages installed that the lock file names. Raises NoNodeError."""
    tools = _tools()
    if tools is None:
        raise NoNodeError(f"the peers need Node {TOOLS['MINIMUM_NODE_MAJOR']} or later with npm")
    node, npm = tools
    lock, installed = FOLDER / "package-lock.json", FOLDER / "node_modules" / ".installed.json"
    if not installed.exists() or installed.read_bytes() != lock.read_bytes():
        command = [*npm, "ci", "--prefer-offline", "--ignore-scripts", "--loglevel=error"]
        subprocess.run(command, cwd=FOLDER, timeout=INSTALL_SECONDS, check=True)
        shutil.copy(lock, installed)
    return node


def versions() -> str:
    """Node's, and those of what is measured."""
    node = subprocess.run([installed_node(), "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout
    packages = json.loads((FOLDER / "package.json").read_text())["dependencies"]
    return ", ".join([f"Node {node.strip().removeprefix('v')}", *(f"{name} {packages[name]}" for name in MEASURED)])


def _tools() -> tuple[str, list[str]] | None:
    found: tuple[str, list[str]] | None = TOOLS["tools_on_path"]() or TOOLS["tools_in_wheel"]()
    return found
