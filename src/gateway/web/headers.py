"""The headers of answers."""

from math import ceil

from gateway.pipeline.bill import Bill
from gateway.pipeline.call import CacheStatus, Kept, Trail

VARY = "Accept, Authorization, X-Tenant"
REVALIDATED = "private, no-cache"
"""A client may keep it, and asks each time whether it is still true: the tag tells without sending it again."""
NOT_KEPT = "private, no-store"
NO_KEY = "-"


def response_headers(trail: Trail, kept: Kept) -> dict[str, str]:
    """Of every answer."""
    stopwatch = trail.stopwatch
    headers = {
        "x-request-id": trail.request_id,
        "x-response-time": f"{stopwatch.total_seconds() * 1000:.2f}ms",
        "server-timing": ", ".join(f"{name};dur={s * 1000:.2f}" for name, s in stopwatch.seconds.items()),
        "cache-control": NOT_KEPT if kept.etag is None else REVALIDATED,
        "vary": VARY,
        "x-cache": kept.status.value,
        "x-cache-key": NO_KEY if kept.key is None else kept.key.hex(),
    }
    if kept.etag is not None:
        headers["etag"] = kept.etag
    if trail.bill.standing is not None:
        headers["x-ratelimit-remaining"] = str(trail.bill.standing.available)
    if kept.status in (CacheStatus.HIT, CacheStatus.STALE):
        headers["age"] = str(int(kept.age_seconds))
    return headers


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
    tags = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return tags == ["*"] or kept.etag.removeprefix("W/") in tags
