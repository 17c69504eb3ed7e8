"""What a caller asks of the cache with `Cache-Control` and `?refresh=true`. Pure."""

import re
from dataclasses import dataclass
from functools import lru_cache
from math import inf

DIRECTIVE = re.compile(r'\s*([A-Za-z-]+)\s*(?:=\s*"?(\d{1,9})"?)?\s*', re.ASCII)
REMEMBERED_HEADERS = 256


@dataclass(frozen=True, slots=True)
class Wishes:
    """`max_age_seconds`: no answer read longer ago. `max_stale_seconds`: one that no longer holds will do, if it was
    read at most so long ago. `fresh`: only one that is read now. `keep`: whether the answer may be kept."""

    fresh: bool = False
    keep: bool = True
    max_age_seconds: float = inf
    max_stale_seconds: float = 0.0

    def accept(self, age_seconds: float) -> bool:
        """Whether an answer of that age that still holds will do."""
        return not self.fresh and age_seconds <= self.max_age_seconds

    def accept_stale(self, age_seconds: float) -> bool:
        """Never unless asked for: an answer read by a clock that is ahead has no age at all."""
        return not self.fresh and 0 < self.max_stale_seconds >= age_seconds


NONE = Wishes()


@lru_cache(maxsize=REMEMBERED_HEADERS)
def wishes(cache_control: str, *, refresh: bool = False) -> Wishes:
    """Of the header's value. What is not known or not well-formed asks for nothing; of two, the stricter counts."""
    found: dict[str, float] = {}
    for part in cache_control.split(","):
        if match := DIRECTIVE.fullmatch(part):
            name, seconds = match.group(1).lower(), float(match.group(2) or inf)
            found[name] = min(seconds, found.get(name, inf))
    max_age_seconds = found.get("max-age", inf)
    return Wishes(
        fresh=refresh or "no-cache" in found or max_age_seconds == 0,
        keep="no-store" not in found,
        max_age_seconds=max_age_seconds,
        max_stale_seconds=found.get("max-stale", 0.0),
    )
