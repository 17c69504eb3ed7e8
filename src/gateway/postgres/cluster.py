"""The directory of a PostgreSQL cluster: made by initdb, checked before each start."""

import os
import secrets
import shutil
from pathlib import Path

from gateway.postgres.binaries import Binaries, EmbeddedError
from gateway.postgres.filelock import FileLock

SUPERUSER = "postgres"


class Cluster:
    """PostgreSQL's data in `home/cluster`, beside it the superuser's password."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.dir = home / "cluster"
        self._password_file = home / "superuser.password"

    @property
    def password(self) -> str:
        return self._password_file.read_text()

    def ensure(self, binaries: Binaries, lock: FileLock, *, durable: bool) -> None:
        """Makes the cluster if there is none. Raises EmbeddedError, also when it is of another version."""
        if not self.dir.exists():
            self._initialise(binaries, lock, durable=durable)
        found = (self.dir / "PG_VERSION").read_text().strip()
        if found != str(binaries.major):
            raise EmbeddedError(
                f"The data in {self.home} is of PostgreSQL {found}, and this gateway runs {binaries.major}: "
                f"dump it with version {found} and load the dump into a new directory, or remove this one."
            )

    def pid_file_lines(self) -> list[str]:
        """The server's postmaster.pid: its pid is line 0, its status line 7. Empty when there is none."""
        try:
            return [line.strip() for line in (self.dir / "postmaster.pid").read_text().splitlines()]
        except FileNotFoundError:
            return []

    def remove_pid_file(self) -> None:
        (self.dir / "postmaster.pid").unlink(missing_ok=True)

    def _initialise(self, binaries: Binaries, lock: FileLock, *, durable: bool) -> None:
        # In a directory that is renamed at the end: a run killed halfway leaves nothing that looks finished.
        staging_dir, log_file = self.home / "cluster.new", self.home / "initdb.log"
        shutil.rmtree(staging_dir, ignore_errors=True)
        staging_dir.mkdir(mode=0o700)
        _write_secret(self._password_file, secrets.token_urlsafe(24))
        binaries.give(staging_dir)
        binaries.give(self._password_file)
        command = ["initdb", f"--pgdata={staging_dir}", f"--username={SUPERUSER}"]
        command += [f"--pwfile={self._password_file}", "--auth=scram-sha-256", "--encoding=UTF8"]
        command += [*_locale_options(binaries.major), *([] if durable else ["--no-sync"])]
        if _run(binaries, command, lock, log_file):
            shutil.rmtree(staging_dir, ignore_errors=True)
            output = log_file.read_text(errors="replace")
            raise EmbeddedError.from_output("PostgreSQL's initdb failed", output, self.home)
        staging_dir.rename(self.dir)


def _run(binaries: Binaries, command: list[str], lock: FileLock, log_file: Path) -> int:
    with lock.inheritable() as descriptor, log_file.open("wb") as log:
        process = binaries.spawn(command, inherited_fd=descriptor, output=log)
        try:
            return process.wait()
        except BaseException:
            process.kill()
            process.wait()
            raise


def _locale_options(major: int) -> list[str]:
    """One order of text on every machine: PostgreSQL's own C.UTF-8 where it has one (17), else libc's."""
    if major >= 17:
        return ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    return ["--locale=C.UTF-8"]


def _write_secret(path: Path, secret: str) -> None:
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secret)
