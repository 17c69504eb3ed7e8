"""What the GraphiQL page and its assets promise a browser, checked on the built files."""

import json
import re
import runpy
from html.parser import HTMLParser
from pathlib import Path

import pytest

from gateway.web import graphiql

ROOT = Path(__file__).parents[2]
DIST = Path(graphiql.__file__).parent / "dist"
# What makes a browser fetch: a style sheet's url() and @import, a module, a worker or script, a request.
FETCHED_ADDRESS = re.compile(
    rb"""(?:url\(|@import|\bfrom|\bimport\(?|new\s(?:Shared)?Worker\(|importScripts\(|\bfetch\()\s*["'`]?(?:https?:)?//"""
)


class _ConfigReader(HTMLParser):
    """Collects, as a browser's parser delimits them, the text of the configuration and every opening tag."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.config = ""
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1][1].get("id") == "gateway-config":
            self.config += data.strip()


@pytest.fixture(scope="module", autouse=True)
def _built() -> None:
    runpy.run_path(str(ROOT / "scripts" / "build_graphiql.py"))["main"]()


def _page(default_query: str = "{ me { name } }", title: str = "Sales") -> tuple[bytes, dict[str, str]]:
    return graphiql.page(endpoint="/graphql", default_query=default_query, token="t.o.k", title=title)


def test_a_query_that_closes_the_script_stays_data() -> None:
    query = "# </script><script>alert(1)</script><!-- & \u2028 \u2029 'é'\n{ me }"
    body, _headers = _page(query, title="</title><b>")
    read = _ConfigReader(body)
    expected = {"endpoint": "/graphql", "defaultQuery": query, "token": "t.o.k", "title": "</title><b>"}
    assert json.loads(read.config) == expected
    tags = ["html", "head", "meta", "meta", "title", "link", "link", "script", "script", "body", "div"]
    assert [tag for tag, _ in read.tags] == tags
    assert re.search("[<>&\u2028\u2029]", read.config) is None


def test_the_page_carries_its_promised_headers() -> None:
    body, headers = _page()
    nonce = dict(_ConfigReader(body).tags[-4][1])["nonce"]
    assert headers == {
        "Content-Type": "text/html; charset=utf-8",
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; script-src 'self'; connect-src 'self'; "
        "img-src 'self' data:; font-src 'self'; "
        f"style-src 'self' 'nonce-{nonce}'; style-src-attr 'unsafe-inline'; "
        "worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    }


def test_every_page_has_a_nonce_of_its_own() -> None:
    policies = {_page()[1]["Content-Security-Policy"] for _ in range(3)}
    assert len(policies) == 3


def test_the_page_loads_only_assets_that_are_served() -> None:
    tags = _ConfigReader(_page()[0]).tags
    addresses = [value for _, attributes in tags for value in (attributes.get("src"), attributes.get("href"))]
    loaded = [address for address in addresses if address not in (None, "data:,")]
    names = [str(address).removeprefix(graphiql.ASSET_PREFIX) for address in loaded]
    assert [Path(name).suffix for name in names] == [".css", ".js"]
    assert all(graphiql.asset(name) is not None for name in names)


def test_an_asset_is_immutable_and_typed() -> None:
    manifest = json.loads((DIST / "manifest.json").read_text())
    assert graphiql.asset(manifest["style"]) == (
        (DIST / manifest["style"]).read_bytes(),
        {
            "Content-Type": "text/css; charset=utf-8",
            "Cache-Control": "public, max-age=31536000, immutable",
            "X-Content-Type-Options": "nosniff",
        },
    )
    assert {Path(name).suffix for name in manifest["assets"]} == {".css", ".js", ".ttf", ".woff", ".woff2"}


def test_no_asset_fetches_from_another_host() -> None:
    manifest = json.loads((DIST / "manifest.json").read_text())
    found = {name: FETCHED_ADDRESS.findall((DIST / name).read_bytes()) for name in manifest["assets"]}
    assert {name: hits for name, hits in found.items() if hits} == {}


def test_every_file_that_an_asset_names_is_served() -> None:
    manifest = json.loads((DIST / "manifest.json").read_text())
    named = re.compile(rb"""["'(](?:\./|/graphiql/assets/)([\w.-]+\.(?:js|css|woff2?|ttf))["')]""")
    texts = [(DIST / name).read_bytes() for name in manifest["assets"] if name.endswith((".js", ".css"))]
    names = {name.decode() for text in texts for name in named.findall(text)}
    assert names - set(manifest["assets"]) == set()
    assert len(names) > 30


OUTSIDE = [
    "",
    ".",
    "..",
    "nothing.js",
    "manifest.json",
    "../package.json",
    "..%2fpackage.json",
    "..\\package.json",
]


@pytest.mark.parametrize("name", [*OUTSIDE, "/etc/passwd", "main.js\0", str(DIST / "manifest.json")])
def test_a_name_outside_the_manifest_is_not_served(name: str) -> None:
    assert graphiql.asset(name) is None


def test_without_a_build_the_page_says_how_to_make_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(graphiql, "_DIST", tmp_path)
    graphiql._bundle.cache_clear()
    body, headers = _page()
    assert b"<code>make demo</code>" in body
    assert b"<code>python scripts/build_graphiql.py</code>" in body
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert graphiql.asset("main.js") is None
    monkeypatch.undo()
    assert b'id="graphiql"' in _page()[0]  # the absence was not remembered


def test_the_lock_file_names_no_registry() -> None:
    lock = (DIST.parent / "package-lock.json").read_text()
    assert '"resolved"' not in lock
    assert '"integrity"' in lock
