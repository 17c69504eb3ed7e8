"""Locks on files: held by processes, dropped by the kernel when the last of those has ended."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class FileLock:
    """An exclusive lock on the file `path`, which is made when absent.

    A process that inherits the descriptor holds the lock too, as long as it lives. That tells what a
    pid in a file, which may be another program's by now, cannot.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    def acquire(self) -> bool:
        """Takes the lock for this process; False when another holds it."""
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        return True

    def release(self) -> None:
        """Lets go of the lock in this process; a process that inherited it keeps it."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def is_free(self) -> bool:
        if not self.acquire():
            return False
        self.release()
        return True

    @contextmanager
    def inheritable(self) -> Iterator[int]:
        """The locked descriptor, for a process started within the block. Raises BlockingIOError."""
        if not self.acquire() or self._descriptor is None:
            raise BlockingIOError(f"{self.path} is locked")
        try:
            yield self._descriptor
        finally:
            self.release()
