"""One page in several spellings is one page to every call, and no address that a browser can show costs a visit."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.in_process_server import BOTH_BACKENDS, ORIGIN, Server
from tests.web.api.test_read_api import with_key

pytestmark = pytest.mark.anyio

SPELLINGS = {
    "/stra%C3%9Fe/%7Bid%7D?q=it%27s": ("/stra%c3%9fe/{id}?q=it's", "/straße/%7bid}?q=it%27s"),
    "/~ann/b?f=%7Cx%5E": ("/%7Eann/./b?f=|x^", "/%7eann/c/%2e%2E/b?f=%7cx%5e"),
    "/%E6%97%A5": ("/日", "/%e6%97%a5#:~:text=a%20b"),
}


@BOTH_BACKENDS
async def test_every_call_reads_every_spelling(server: Server) -> None:
    asker = await with_key(server, "reader")
    for stored, others in SPELLINGS.items():
        spellings = [f"{ORIGIN}{path}" for path in (stored, *others)]
        spellings.append(f"{ORIGIN.upper()}:443{others[0]}")
        for number, url in enumerate(spellings):
            visit = await server.visit(server.browser(f"192.0.2.{number + 1}"), url=url)
            assert (await server.post("views", session=visit["session"], url=spellings[0])).status_code == 200
            token = visit["tokens"]["copy"]
            assert (await server.share(token, url=url)).json()["next"]
            link = await server.http.get(f"/s/{token}")
            assert link.headers["location"].split("#gv")[0] == spellings[0]
        server.clock.now += 60_000  # numbers on buttons are a minute old at most
        for url in spellings:
            counts = await server.http.get("/v1/counts", params={"site": "site-a", "url": url})
            assert counts.json()["total"] == len(spellings), url
            for page in (url, f"{url.partition('#')[0]}&utm_source=x" if "?" in url else f"{url}?utm_source=x#x"):
                summary = await asker.json("/v1/stats/summary", page=page)
                assert (summary["visits"], summary["shares"]["total"]) == (len(spellings),) * 2, page
    rows = await asker.json("/v1/stats/breakdown", by="page")
    assert {row["key"]: row["visits"] for row in rows} == {f"{ORIGIN}{path}": 4 for path in SPELLINGS}


async def test_no_address_that_a_browser_shows_costs_a_visit(server: Server) -> None:
    """Every character that ``new URL(…).href`` leaves as it is, and what older browsers leave."""
    as_they_are = "!$&'()*+,-./:;=@[]_~|^%"
    tails: list[Any] = [f"/{as_they_are}", f"/?{as_they_are}`{{}}?\\", f"/#{as_they_are}{{}}?\\#", "/%zz?%#%", "/a%2"]
    tails += [
        '/#"quoted" <text>',
        "/#a b`c",
        "/#!/route?x={y}",
        "/?a[]=1&b[c]=2",
        "//",
        "/;/;x",
        "/@x",
        "/\u00e4#\u00e4",
    ]
    tails += [f"/?q={'%F0%9F%8D%87' * 160}", f"/?q={'|' * 2_000}"]
    for number, tail in enumerate(tails):
        answer = await server.post("visits", server.browser(f"192.0.2.{number + 1}"), url=f"{ORIGIN}{tail}")
        assert answer.status_code == 200, (tail, answer.text)


@pytest.mark.parametrize(
    "url",
    [
        "https://elsewhere.example/", f"{ORIGIN}.elsewhere.example/", f"{ORIGIN}:444/", ORIGIN.replace("https", "http"),
        ORIGIN.replace("://", "://me@"), ORIGIN.replace("://", "://me%40"), f"{ORIGIN}/{'x' * 2_048}", f"{ORIGIN}/\0",
        f"{ORIGIN}\\@elsewhere.example/", f"{ORIGIN}/\\elsewhere.example", f"{ORIGIN}%2felsewhere.example/", "", "/",
        f"{ORIGIN}/?q={'ü' * 400}", "data:,x", f"{ORIGIN}/#\0",
    ],
)  # fmt: skip
async def test_what_is_refused(server: Server, url: str) -> None:
    answer = await server.post("visits", url=url)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["url"]
