"""How long `make demo` takes from nothing to its first answer, once everything is installed."""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.servers import free_port, get
from gateway.web.default_query import DEFAULT_QUERY

LIMIT_SECONDS = 120


def seconds_to_first_answer() -> float:
    """From the start of the small demo in an empty directory to the first whole dashboard, measured as one."""
    with tempfile.TemporaryDirectory(prefix="demo-") as directory:
        command = [str(Path(sys.executable).with_name("gateway")), "demo", "--size", "small", "--data", directory]
        begun = time.perf_counter()
        process = subprocess.Popen([*command, "--port", str(free_port())], stdout=subprocess.DEVNULL)
        try:
            while not _answers(Path(directory) / "demo.json"):
                if process.poll() is not None or time.perf_counter() - begun > LIMIT_SECONDS:
                    raise RuntimeError("the demo did not answer")
                time.sleep(0.02)
            return time.perf_counter() - begun
        finally:
            process.terminate()
            process.wait()


def _answers(description: Path) -> bool:
    try:
        demo = json.loads(description.read_text())
        token = demo["tenants"][0]["tokens"]["viewer"]
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
        answer = json.loads(get(demo["graphql_url"], headers, json.dumps({"query": DEFAULT_QUERY}).encode()))
    except OSError:
        return False
    return "errors" not in answer
