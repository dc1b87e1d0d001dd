"""Every parser of what comes from outside, with texts that hypothesis draws and damages: only the stated errors are
raised, and no request ends in a 5xx.

``FUZZ_SECONDS`` is how many seconds of processor time all targets have together: 15 unless it is set.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, TypeVar

import pytest
from anyio.from_thread import start_blocking_portal
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from starlette.routing import Route

from grapevine.collect.conversion_input import read_goal
from grapevine.collect.schemas import (
    AnswerRequest,
    ConversionRequest,
    KeyedConversionRequest,
    ShareRequest,
    ViewRequest,
    VisitRequest,
)
from grapevine.collect.sources import source_of
from grapevine.collect.user_agents import read_agent
from grapevine.collect.visitor_hash import network_hash, visitor_hash
from grapevine.config.settings import SETTINGS, Settings, load
from grapevine.domain import channels, ids
from grapevine.domain.canonical_urls import canonical_stored, readable
from grapevine.domain.json_input import decode
from grapevine.domain.networks import network_of, wide_network_of
from grapevine.domain.token_urls import find_token, leading_token, tagged, without_tokens
from grapevine.domain.tokens import TokenError, Tokens
from grapevine.domain.typed_origins import parse_origin
from grapevine.domain.urls import MAX_LENGTH, Page, UrlError, page_of
from grapevine.errors import FieldError, Invalid, Malformed, SettingError
from grapevine.sites.api_keys import add_key
from grapevine.sites.management import find_site
from grapevine.sites.validation import CHANGEABLE, checked_changes
from grapevine.web.api.query_params import read_date, read_period, today
from grapevine.web.proxies import Proxies
from grapevine.web.public.about.languages import preferred
from grapevine.web.routes import routes
from tests.support.in_process_server import NOON, ORIGIN, serving
from tests.support.user_agents import CHROME

SECONDS: Final = float(os.environ.get("FUZZ_SECONDS", "15"))
EXAMPLES: Final = 100
TOKENS: Final = Tokens([b"k" * 32], b"site")
VISIT: Final = ids.pack(2500, 77, 123_456_789)
ORIGINS: Final = frozenset({ORIGIN})
KINDS: Final = (VisitRequest, ViewRequest, ShareRequest, ConversionRequest, KeyedConversionRequest, AnswerRequest)
PROXIES: Final = Proxies(["127.0.0.1", "10.0.0.0/8", "::1"])
NASTY: Final = (
    "\0", "\n", "\r\n", "\ud800", "\u202e", "\x85", "%", "%zz", "%00", "'", '"', "<", "&", "#", "?", "=", ",", ";q=",
    "[", "]", "{", "//", "\\", "@", ":", "..", "-1", "1e999", "NaN", "٣", "𝟘", "ß", "İ", "a" * 300, "9" * 400,
)  # fmt: skip

T = TypeVar("T")


@st.composite
def damaged(draw: st.DrawFn, seeds: Sequence[str]) -> str:
    """A good text with some edits, or any text."""
    if draw(st.integers(0, 5)) == 0:
        return draw(st.text(st.characters(), max_size=60))
    text = draw(st.sampled_from(seeds))
    for _ in range(draw(st.integers(0, 4))):
        at, to = sorted((draw(st.integers(0, len(text))), draw(st.integers(0, len(text)))))
        new = draw(st.one_of(st.sampled_from(NASTY), st.sampled_from(seeds), st.characters(), st.just("")))
        text = (text[:at] + new + text[draw(st.sampled_from((at, to))) :])[:4_000]
    return text


URLS: Final = damaged([
    f"{ORIGIN}/", f"{ORIGIN}/a?b=c&utm_source=x#gv=1", "https://[::1]:80/x", "http://xn--bcher-kva.example/", "//a/b",
    "android-app://com.slack/", "https://l.facebook.com/l.php?u=x", "https://bücher.example:8080/%2F?gv=&&#:~:text=a",
    f"{ORIGIN}/%7ea/./%2E%2e/%c3%9f;x=1/..;jsessionid=2/a|b?q={{y}}&s=it's&r=%%341",
])  # fmt: skip
TOKEN_TEXTS: Final = damaged([*TOKENS.mint(VISIT, list(channels.NAMES)[:8]), TOKENS.session(VISIT)])
AGENTS: Final = damaged(
    [CHROME, "Googlebot/2.1", "WhatsApp/2.23", "Slackbot-LinkExpanding 1.0", "curl/8", "HeadlessChrome"]
)
ADDRESSES: Final = damaged(
    ["127.0.0.1", "2001:db8::1", "::ffff:10.0.0.1", "fe80::1%eth0", "10.0.0.1, 192.0.2.1", "[::1]:80"]
)
LANGUAGES: Final = damaged(["en", "de-DE,de;q=0.9,en;q=0.8", "*;q=0", "fr;q=1.000", "zh-Hant-TW"])
DATES: Final = damaged(["2026-11-21", "0001-01-01", "9999-12-31", "2026-02-30"])
NUMBERS: Final = damaged(["49.00", "0", "-0", "1E+6", "1000000000", "0.0000001", "Infinity", "1e-400"])
PLAIN: Final = damaged(["signup", "EUR", "site-a", "all", "auto", "*", "x" * 16, "2026-11-21"])
JSON: Final = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), URLS, TOKEN_TEXTS, PLAIN),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(PLAIN, inner, max_size=3)),
    max_leaves=6,
)
FIELDS: Final = sorted({name for kind in KINDS for name in kind.__struct_fields__})
BODIES: Final = st.one_of(
    st.binary(max_size=100),
    damaged(['{"site": "site-a", "nonce": "nnnnnnnnnnnnnnnn"}', "[[[[", '{"a": 1e999}', '{"site": "\\ud800"}']).map(
        lambda text: text.encode("utf-8", "surrogatepass")
    ),
    st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=9).map(lambda body: json.dumps(body).encode()),
)


def fuzz(strategy: st.SearchStrategy[T], check: Callable[[T], object], share: float = 1.0) -> None:
    """Calls ``check`` with what is drawn, for its share of the seconds and at least once round."""
    until = time.process_time() + SECONDS * share / (len(TARGETS) + HTTP_SHARE)
    drawn = 0
    while not drawn or time.process_time() < until:

        @seed(drawn)
        @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(strategy)
        def once(value: T) -> None:
            check(value)

        once()
        drawn += 1
    print(f"{drawn * EXAMPLES} examples")


def read_token(text: str) -> None:
    with suppress(TokenError):
        TOKENS.read(text)


def read_page(text: str) -> None:
    """What is stored of an address has one spelling, and is the page that it shows itself."""
    for url, kept in ((text, None), (f"{ORIGIN}/{text}", None), (f"{ORIGIN}/{text}", frozenset({"q"}))):
        with suppress(UrlError):
            page = page_of(1, url, ORIGINS, "gv", kept)
            assert canonical_stored(page.url) == page.url
            assert page.url.isascii()
            assert page.url.isprintable()
            assert readable(page.url).isprintable()
            if len(page.url) <= MAX_LENGTH:
                assert page_of(1, page.url, ORIGINS, "gv", kept) == page
    with suppress(UrlError):
        parse_origin(text)
    tagged(text, "token", "gv", "auto", "-")
    leading_token(text)
    without_tokens(text, "gv")
    find_token(text, "gv")


def read_referrer(text: str) -> None:
    url = f"{ORIGIN}/?{text}"[:2_048]
    with suppress(UrlError):  # what is no page of the site has no source
        source_of(page_of(1, url, ORIGINS, "gv", None), url, text[:2_048], None, ORIGINS)
    source_of(Page(1, f"{ORIGIN}/", is_home=True), f"{ORIGIN}/", text[:2_048], None, ORIGINS)


def read_agent_text(text: str) -> None:
    read_agent(text)
    visitor_hash(b"salt", 1, "192.0.2.1", text, text)


def read_address(text: str) -> None:
    network_of(text)
    wide_network_of(text)
    network_hash(b"salt", 1, text)
    PROXIES.client("127.0.0.1", text)
    PROXIES.trusts(text)


def read_money(text: str) -> None:
    for value in (text, json.dumps(text)):
        body = f'{{"site": "s", "goal": "g", "nonce": "{"n" * 16}", "value": {value}, "currency": "EUR"}}'
        with suppress(Malformed, Invalid):
            errors: list[FieldError] = []
            goal = read_goal(decode(body.encode("utf-8", "surrogatepass"), ConversionRequest), errors)
            assert errors or goal.value is None or 0 <= goal.value < 1 << 63


def read_body(body: bytes) -> None:
    for kind in KINDS:
        with suppress(Malformed, Invalid):
            decode(body, kind)


def read_dates(text: str) -> None:
    for values in ({"from": text}, {"to": text}, {"from": text, "to": "2026-11-21"}):
        with suppress(Invalid):
            read_period(values, today(NOON))
        with suppress(Invalid):
            read_date(values, "from")


def read_site(text: str) -> None:
    for field in CHANGEABLE:
        with suppress(Invalid):
            checked_changes({field: [text]})


def read_settings(drawn: tuple[str, str], folder: Path) -> None:
    name, text = drawn
    file = folder / "settings.toml"
    file.write_bytes(f"{name} = {text}\n".encode("utf-8", "surrogatepass"))
    with suppress(SettingError):
        load({}, file)
    file.write_bytes(f"{name} = {json.dumps(text)}\n".encode())
    with suppress(SettingError):
        load({}, file)
    with suppress(SettingError):
        load({f"GRAPEVINE_{name.upper()}": text.replace("\0", "")})


TARGETS: Final[dict[str, tuple[st.SearchStrategy[Any], Callable[[Any], object]]]] = {
    "tokens": (TOKEN_TEXTS, read_token),
    "pages": (URLS, read_page),
    "referrers": (URLS, read_referrer),
    "user agents": (AGENTS, read_agent_text),
    "addresses": (ADDRESSES, read_address),
    "languages": (LANGUAGES, preferred),
    "money": (NUMBERS, read_money),
    "bodies": (BODIES, read_body),
    "dates": (DATES, read_dates),
    "fields of sites": (st.one_of(PLAIN, URLS), read_site),
}
HTTP_SHARE: Final = 6.0
"""How many times the seconds of one target a whole server gets."""


@pytest.mark.parametrize("target", TARGETS)
def test_a_parser_raises_only_the_stated_errors(target: str) -> None:
    fuzz(*TARGETS[target])


def test_settings_raise_only_the_stated_error(tmp_path: Path) -> None:
    names = st.sampled_from([setting.name for setting in SETTINGS])
    values = damaged(["1", '"x"', "[1, 2]", "2026-11-21", "sqlite:///x", "postgresql://a@b/c", "https://a.example/x"])
    fuzz(st.tuples(names, values), lambda drawn: read_settings(drawn, tmp_path))


def paths() -> Iterator[tuple[str, str]]:
    """The method and path of every route, but for the stream that does not end (tests/web/api/test_live.py)."""
    for route in routes(""):
        assert isinstance(route, Route), route
        if route.path == "/v1/live":
            continue
        for method in sorted((route.methods or {"GET"}) - {"HEAD"}):
            yield method, route.path


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, str, dict[str, str], dict[str, str], bytes, bool]:
    """Method, path, query, headers and body of a request, and whether it has a key."""
    method, path = draw(st.sampled_from(sorted(set(paths()))))
    texts = st.one_of(TOKEN_TEXTS, PLAIN, DATES, URLS)
    for name in ("token", "root", "table", "id", "delivery", "name", "rest"):
        if f"{{{name}}}" in path:
            value = draw(texts).encode("utf-8", "replace")
            path = path.replace(f"{{{name}}}", "".join(f"%{byte:02X}" for byte in value[:300]))
    named = st.sampled_from((
        "from", "to", "by", "page", "channel", "source", "metric", "interval", "limit", "cursor", "sort", "model",
        "goal", "format", "site", "token", "days", "url", "unknown", "app", "device", "currency",
        "reported_by", "reason", "verdict", "bound", "preview",
    ))  # fmt: skip
    query = draw(st.dictionaries(named, texts.map(lambda text: text.encode("utf-8", "replace").decode()), max_size=4))
    header = texts.map(lambda text: "".join(one for one in text if " " <= one <= "~")[:300].strip())
    others = st.sampled_from(("User-Agent", "Accept-Language", "Origin", "Referer", "Cookie", "Content-Type", "Accept",
                              "Idempotency-Key", "Sec-GPC", "If-None-Match", "X-Forwarded-For"))  # fmt: skip
    headers = draw(st.dictionaries(others, header, max_size=3))
    return method, path, query, headers, draw(BODIES), draw(st.booleans())


def test_no_request_ends_in_a_server_error(tmp_path: Path) -> None:
    settings_ = Settings(database=f"sqlite:///{tmp_path / 'fuzz.sqlite3'}", secret_keys=(b"k" * 32,), rate_limit=0)
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(serving(settings_)) as server:
        portal.call(server.add_site, "site-a", ORIGIN)

        async def make_key() -> str:
            site = await find_site(server.store.sites, server.site)
            return (await add_key(server.store.api_keys, [site], "admin", "fuzz", NOON)).secret

        key = portal.call(make_key)

        async def ask(drawn: tuple[str, str, dict[str, str], dict[str, str], bytes, bool]) -> int:
            method, path, query, headers, body, with_key = drawn
            sent = headers | ({"Authorization": f"Bearer {key}"} if with_key else {})
            answer = await server.http.request(method, path, params=query, headers=sent, content=body)
            return answer.status_code

        def check(drawn: tuple[str, str, dict[str, str], dict[str, str], bytes, bool]) -> None:
            assert portal.call(ask, drawn) < 500

        fuzz(requests(), check, HTTP_SHARE)
