"""GraphiQL: one page and its hashed assets, all served by the gateway itself: it needs no network.

`scripts/build_graphiql.py` bundles this folder's sources into `dist/`, which a built package carries.
"""

import html
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ASSET_PREFIX = "/graphiql/assets/"

_DIST = Path(__file__).parent / "dist"
_CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".ttf": "font/ttf",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
}
_ASSET_HEADERS = {
    "Cache-Control": "public, max-age=31536000, immutable",  # an asset's name changes with its content
    "X-Content-Type-Options": "nosniff",
}
_PAGE_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",  # it may hold a token
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{prefix}{style}">
<script type="application/json" id="gateway-config" nonce="{nonce}">{config}</script>
<script type="module" src="{prefix}{script}"></script>
</head>
<body><div id="graphiql"></div></body>
</html>
"""
_NOT_BUILT = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>{title}</title></head>
<body>
<p>GraphiQL is not built yet. <code>make demo</code> builds it, or
<code>python scripts/build_graphiql.py</code>; then load this page again.
The GraphQL endpoint itself works without it.</p>
</body>
</html>
"""


@dataclass(frozen=True, slots=True)
class _Bundle:
    script: str
    style: str
    assets: Mapping[str, bytes]


@cache  # a missing build raises, and what raises is not remembered: the page recovers when the build is there
def _bundle() -> _Bundle:
    manifest = json.loads((_DIST / "manifest.json").read_bytes())
    assets = {name: (_DIST / name).read_bytes() for name in manifest["assets"]}
    return _Bundle(manifest["script"], manifest["style"], assets)


def page(*, endpoint: str, default_query: str, token: str | None, title: str) -> tuple[bytes, dict[str, str]]:
    """The page and its response headers.

    `endpoint` is the path that queries are posted to; `token`, if any, signs the user in. Without a build the
    page says how to make one.
    """
    nonce = secrets.token_urlsafe(16)
    headers = {**_PAGE_HEADERS, "Content-Security-Policy": _content_security_policy(nonce)}
    try:
        bundle = _bundle()
    except FileNotFoundError:
        return _NOT_BUILT.format(title=html.escape(title)).encode(), headers
    config = {"endpoint": endpoint, "defaultQuery": default_query, "token": token, "title": title}
    text = _PAGE.format(
        title=html.escape(title),
        prefix=ASSET_PREFIX,
        style=bundle.style,
        script=bundle.script,
        nonce=nonce,
        config=_json_in_html(config),
    )
    return text.encode(), headers


def asset(name: str) -> tuple[bytes, dict[str, str]] | None:
    """The bytes and response headers of a file that the build's manifest names; None for any other name."""
    try:
        content = _bundle().assets.get(name)
    except FileNotFoundError:
        return None
    if content is None:
        return None
    return content, {**_ASSET_HEADERS, "Content-Type": _CONTENT_TYPES[Path(name).suffix]}


def _json_in_html(value: object) -> str:
    """JSON that no HTML parser can take for markup, and that is still the same JSON."""
    text = json.dumps(value)  # ASCII only: U+2028 and U+2029 are escaped with all the rest
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _content_security_policy(nonce: str) -> str:
    """Nothing but our own origin.

    Style sheets that the editor makes at run time carry the nonce. Style attributes cannot: Monaco draws its
    lines as HTML text that positions each with one, and no nonce or hash covers an attribute that changes.
    """
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "connect-src 'self'",
            "img-src 'self' data:",
            "font-src 'self'",
            f"style-src 'self' 'nonce-{nonce}'",
            "style-src-attr 'unsafe-inline'",
            "worker-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )
