"""When rollups are folded and refreshed."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from gateway.rollups.registry import Pending
from gateway.settings import Settings


@dataclass(frozen=True, slots=True)
class Pace:
    """When the worker acts.

    A change is folded at once, the next ones after `fold_seconds`, sooner where more than `fold_deltas` came in that
    time; while a snapshot older than `old_snapshot_seconds` is held, only every `patient_fold_seconds`, because what a
    fold removes could not be cleaned up. A refresh comes when the groups that changed pass `refresh_share` of the
    base's, but are at least `refresh_groups`, and once a day at `nightly_hour` UTC for what has changed at all.
    A lost database, a rollup that fails and a vacuum that could not clean up all are tried again after `retry_seconds`,
    which double up to `retry_seconds_limit`; a worker that stands by asks for its turn every `standby_seconds`.
    """

    fold_seconds: float = 1.0
    fold_deltas: int = 1000
    old_snapshot_seconds: float = 30.0
    patient_fold_seconds: float = 30.0
    refresh_share: float = 0.05
    refresh_groups: int = 1000
    nightly_hour: int = 2
    retry_seconds: float = 1.0
    retry_seconds_limit: float = 60.0
    standby_seconds: float = 5.0

    @classmethod
    def of(cls, settings: Settings) -> "Pace":
        """What operators may set."""
        return cls(
            fold_seconds=settings.rollup_fold_seconds,
            refresh_share=settings.rollup_refresh_share,
            nightly_hour=settings.rollup_nightly_hour,
        )

    def enough(self, pending: Pending) -> bool:
        """Whether so much has changed that a refresh is worth its price."""
        return pending.groups >= self.refresh_groups and pending.share >= self.refresh_share

    def backoff_seconds(self, failures: int) -> float:
        """How long to wait after so many failures in a row."""
        return float(min(self.retry_seconds * 2.0 ** min(failures - 1, 30), self.retry_seconds_limit))


class Nightly:
    """Comes once a day, at an hour of UTC."""

    def __init__(self, hour: int) -> None:
        self._hour = hour
        self._next = self._after(datetime.now(UTC))

    def seconds_left(self) -> float:
        return max(0.0, (self._next - datetime.now(UTC)).total_seconds())

    def has_come(self) -> bool:
        now = datetime.now(UTC)
        if now < self._next:
            return False
        self._next = self._after(now)
        return True

    def _after(self, now: datetime) -> datetime:
        today = now.replace(hour=self._hour, minute=0, second=0, microsecond=0)
        return today if today > now else today + timedelta(days=1)
