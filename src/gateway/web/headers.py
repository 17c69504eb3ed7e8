"""The headers of answers."""

from functools import lru_cache
from math import ceil

from gateway.pipeline.bill import Bill
from gateway.pipeline.call import CacheStatus, Kept, Trail

VARY = "Accept, Authorization, X-Tenant"
VARY_BY_ORIGIN = f"{VARY}, Origin"
"""Where pages of other origins are let in: the same as Starlette makes of the other."""
REVALIDATED = "private, no-cache"
"""A client may keep it, and asks each time whether it is still true: the tag tells without sending it again."""
NOT_KEPT = "private, no-store"
NO_KEY = "-"
REMEMBERED_LINES = 1024


def response_headers(trail: Trail, kept: Kept) -> dict[str, str]:
    """Of every answer."""
    return _of_moment(trail, kept) | _of_entry(kept.status, kept.key, kept.etag, VARY)


def content_type(media_type: str) -> str:
    return f"{media_type}; charset=utf-8"


def head_of_hit(trail: Trail, kept: Kept, vary: str, media_type: str | None, length: int) -> bytes:
    """The same of a kept answer, as lines, with those of its body of `length` bytes. `media_type` is None where no body
    is sent."""
    lines = _lines(_of_moment(trail, kept))
    return lines + _lines_of_entry(kept.status, kept.key, kept.etag, vary, media_type, length)


def rate_limit_headers(bill: Bill) -> dict[str, str]:
    """Of a refusal, as the IETF's draft of rate limit headers names them: how many points a full budget has and in
    which time all of it is restored; how many there are now and when all are."""
    standing = bill.standing
    if standing is None:
        return {}
    bucket = standing.bucket
    window_seconds = ceil(bucket.size / bucket.rate)
    full_seconds = ceil((standing.spent + standing.held) / bucket.rate)
    return {
        "ratelimit-policy": f'"points";q={bucket.size:.0f};w={window_seconds}',
        "ratelimit": f'"points";r={standing.available};t={full_seconds}',
    }


def not_modified(method: str, if_none_match: str | None, kept: Kept) -> bool:
    """Whether the caller has the very same data: then 304 says so. Only of what is asked by GET or HEAD."""
    if if_none_match is None or kept.etag is None or method not in ("GET", "HEAD"):
        return False
    if if_none_match == kept.etag:  # as nearly all say it
        return True
    tags = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return tags == ["*"] or kept.etag.removeprefix("W/") in tags


def _of_moment(trail: Trail, kept: Kept) -> dict[str, str]:
    """What is another with each answer."""
    stopwatch = trail.stopwatch
    headers = {
        "x-request-id": trail.request_id,
        "x-response-time": f"{stopwatch.total_seconds() * 1000:.2f}ms",
        "server-timing": ", ".join([f"{name};dur={s * 1000:.2f}" for name, s in stopwatch.seconds.items()]),
    }
    if (standing := trail.bill.standing) is not None:
        headers["x-ratelimit-remaining"] = str(standing.available)
    if kept.status in (CacheStatus.HIT, CacheStatus.STALE):
        headers["age"] = str(int(kept.age_seconds))
    return headers


def _of_entry(status: CacheStatus, key: bytes | None, etag: str | None, vary: str) -> dict[str, str]:
    """What is the same as often as an entry is given out."""
    headers = {
        "cache-control": NOT_KEPT if etag is None else REVALIDATED,
        "vary": vary,
        "x-cache": status.value,
        "x-cache-key": NO_KEY if key is None else key.hex(),
    }
    if etag is not None:
        headers["etag"] = etag
    return headers


@lru_cache(maxsize=REMEMBERED_LINES)
def _lines_of_entry(
    status: CacheStatus, key: bytes | None, etag: str | None, vary: str, media_type: str | None, length: int
) -> bytes:
    headers = _of_entry(status, key, etag, vary)
    if media_type is not None:
        headers |= {"content-type": content_type(media_type), "content-length": str(length)}
    return _lines(headers)


def _lines(headers: dict[str, str]) -> bytes:
    return "".join([f"{name}: {value}\r\n" for name, value in headers.items()]).encode("latin-1")
