"""Minted links as people follow them: where they lead, what is a click, places, expiry, QR codes."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import anyio
import pytest
import segno

from grapevine.domain.channels import NAMES
from grapevine.domain.ids import DAY_MS
from grapevine.domain.periods import rfc3339
from grapevine.errors import StoreError
from grapevine.writer.queue import FairQueue
from tests.support.in_process_server import BOTH_BACKENDS, ORIGIN, Server
from tests.support.user_agents import CHROME
from tests.web.api.test_read_api import KeyClient, with_key

pytestmark = pytest.mark.anyio

SLACK = "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)"
PAGE = f"{ORIGIN}/spring?id=1"
CHROMES = {"User-Agent": CHROME}


@pytest.fixture
async def shop(server: Server) -> KeyClient:
    return await with_key(server, "shop", scope="admin")


async def made(shop: KeyClient, **fields: Any) -> Any:
    response = await shop.http.post("/v1/links", json={"url": PAGE} | fields)
    assert response.status_code == 201, response.text
    return response.json()


async def clicked(server: Server, path: str, headers: Mapping[str, str] = CHROMES) -> str:
    response = await server.http.get(path, headers={**CHROMES, **headers})
    assert response.status_code == 302, response.text
    return str(response.headers.get("location", ""))


async def clicks(server: Server, number: int) -> dict[tuple[str, int], int]:
    """The clicks by channel and place, once so many have been stored since the server started."""
    with anyio.fail_after(60):
        while server.state.collect_api.accepted["clicks"] < number:  # noqa: ASYNC110  # the writer calls no test
            await anyio.sleep(0.005)
    rows = await server.store.look("SELECT channel, n, clicks FROM link_clicks ORDER BY channel, n")
    return {(NAMES[channel], n): int(count) for channel, n, count in rows}


def path_of(url: str) -> str:
    return "/" + url.partition("://")[2].partition("/")[2]


@BOTH_BACKENDS
async def test_clicks_and_scans_of_a_link_and_its_places(server: Server, shop: KeyClient) -> None:
    link = await made(shop, places=["table-4", "door"], channel="email")
    token, (table, door) = link["token"], link["places"]
    scan = path_of(link["qr_url"]).removesuffix("/qr.svg")
    assert await clicked(server, f"/s/{token}") == f"{PAGE}#gv-{token}" == link["url"]
    assert await clicked(server, f"/s/{token}.") == link["url"]
    assert await clicked(server, path_of(table["short_url"])) == table["url"]
    assert await clicked(server, f"/s/{door['token']}") == door["url"]
    assert await clicked(server, scan) == f"{PAGE}#gv-{scan.removeprefix('/s/')}"
    of_door = await clicked(server, f"{scan}?at=door")
    assert of_door == f"{PAGE}#gv-{path_of(door['qr_url']).split('/')[2]}"
    for query in ("?at=nowhere", "?at=door&at=table-4", "?at=", "?at=DOOR", "?at=door%00", "?at=link", "?utm_source=x"):
        assert await clicked(server, f"/s/{token}{query}") == link["url"]
    counted = {("email", 0): 9, ("email", 1): 1, ("email", 2): 1, ("qr", 0): 1, ("qr", 2): 1}
    assert await clicks(server, 13) == counted
    ((last,),) = set(await server.store.look("SELECT DISTINCT clicked_at FROM link_clicks"))
    assert last == server.clock.now


@pytest.mark.parametrize("server", ["asgi", "socket"], indirect=True)
async def test_robots_prefetches_and_people_who_are_not_to_be_followed_are_no_clicks(
    server: Server, shop: KeyClient
) -> None:
    link = await made(shop)
    path = f"/s/{link['token']}"
    for headers in (
        {"User-Agent": SLACK},
        {"User-Agent": "Googlebot/2.1 (+http://www.google.com/bot.html)"},
        {"User-Agent": "curl/8.5.0"},
        {"User-Agent": ""},
        {"User-Agent": CHROME.replace("Chrome/", "HeadlessChrome/")},
        {"Sec-Purpose": "prefetch"},
        {"Sec-Purpose": "prefetch;prerender"},
        {"Purpose": "prefetch"},
        {"Purpose": "Prerender"},
        {"X-Moz": "prefetch"},
        {"X-Purpose": "preview"},
        {"Sec-GPC": "1"},
        {"DNT": "1"},
    ):
        assert await clicked(server, path, headers) == link["url"], headers
    assert (await server.http.head(path)).headers["location"] == link["url"]
    assert await clicked(server, path) == await clicked(server, path) == link["url"]  # the second one by the fast path
    assert await clicks(server, 2) == {("link", 0): 2}
    assert await server.store.look("SELECT app FROM unfurls") == [("slack",)]
    await made(shop)  # a link that is not followed has no row
    assert await server.store.look("SELECT count(*) FROM link_clicks") == [(1,)]


async def test_clicks_on_ordinary_shares_are_not_counted(server: Server, shop: KeyClient) -> None:
    share = (await server.visit())["tokens"]["copy"]
    for _ in range(3):
        assert await clicked(server, f"/s/{share}") == f"{ORIGIN}/#gv-{share}"
    link = await made(shop)
    await clicked(server, f"/s/{link['token']}")
    assert await clicks(server, 1) == {("link", 0): 1}
    assert server.state.caches.redirects.get(link["token"]) is None


async def test_a_full_queue_loses_the_click_and_not_the_redirect(server: Server, shop: KeyClient) -> None:
    link = await made(shop)
    room = server.state.writer.waiting
    server.state.writer.waiting = FairQueue(0, 0)
    for agent in (CHROME, SLACK):
        assert await clicked(server, f"/s/{link['token']}", {"User-Agent": agent}) == link["url"]
    server.state.writer.waiting = room
    assert await server.drops() == {"busy": 2}
    assert await server.store.look("SELECT count(*) FROM link_clicks") == [(0,)]


async def test_a_click_that_the_store_does_not_take_is_a_drop(
    server: Server, shop: KeyClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: Any) -> None:
        raise StoreError("the disk is full")

    link = await made(shop)
    with monkeypatch.context() as patch:
        patch.setattr(server.state.writer.recorder, "record", away)
        assert await clicked(server, f"/s/{link['token']}") == link["url"]
        with anyio.fail_after(60):
            while not server.state.collect_api.drops:  # noqa: ASYNC110  # the writer calls no test
                await anyio.sleep(0.005)
    assert await server.drops() == {"busy": 1}


async def test_an_expired_link_says_so_at_once(server: Server, shop: KeyClient) -> None:
    await server.store.sites.change_site(1, {"origins": (ORIGIN, "https://b.example")})
    server.clock.now += 1_000
    link = await made(shop, word="summer", expires_at=rfc3339(server.clock.now + DAY_MS))
    for path in (f"/s/{link['token']}", "/go/summer"):
        assert await clicked(server, path) == link["url"]
    server.clock.now += DAY_MS - 1
    assert await clicked(server, "/go/summer") == link["url"]
    server.clock.now += 1
    for path in (f"/s/{link['token']}", "/go/summer"):
        for agent in (CHROME, SLACK):
            response = await server.http.get(path, headers={"User-Agent": agent})
            assert response.status_code == 410
            assert f'<a href="{ORIGIN}/">a.example</a>' in response.text
            assert response.headers["content-type"].startswith("text/html")
    returned = await server.visit(server.browser("192.0.2.9"), url=PAGE, token=link["token"])
    assert returned["returned"]["valid"]  # a URL with the token still counts
    assert await clicks(server, 3) == {("link", 0): 3}


async def test_an_origin_that_was_given_up_is_not_redirected_to(server: Server, shop: KeyClient) -> None:
    link = await made(shop, word="summer")
    await server.store.sites.change_site(1, {"origins": ("https://new.example",)})
    server.clock.now += 1_000
    for path in (f"/s/{link['token']}", "/go/summer"):
        assert await clicked(server, path) == f"https://new.example/#gv-{link['token']}"


@pytest.mark.parametrize("server", ["asgi /g"], indirect=True)
async def test_qr_codes_as_pictures_of_both_kinds(server: Server, shop: KeyClient) -> None:
    link = await made(shop, places=["door"], word="summer")
    qr = path_of(link["qr_url"]).removeprefix("/g").removesuffix(".svg")
    place = path_of(link["places"][0]["qr_url"]).removeprefix("/g").removesuffix(".svg")

    def drawn(short: str, kind: str, **how: Any) -> bytes:
        out = io.BytesIO()
        url = f"http://grapevine.example/g{short.removesuffix('/qr')}"
        segno.make_qr(url, error="m").save(out, kind=kind, **how)
        return out.getvalue()

    for start in ("", "/g"):
        for path, short in (
            (qr, qr),
            ("/go/summer/qr", qr),
            (f"{qr}?at=door", place),
            ("/go/summer/qr?at=door", place),
        ):
            name, _, query = path.partition("?")
            png = await server.http.get(f"{start}{name}.png?{query}")
            assert (png.status_code, png.headers["content-type"]) == (200, "image/png")
            assert png.content == drawn(short, "png", scale=600 // 41, border=4)
            assert png.headers["cache-control"].startswith("public, max-age=")
            svg = await server.http.get(f"{start}{name}.svg?{query}")
            assert svg.content == drawn(short, "svg", scale=8, border=2, xmldecl=False, svgns=True)
    for size, width in ((100, 82), (1_200, 1_189)):
        picture = (await server.http.get(f"{qr}.png?size={size}")).content
        assert int.from_bytes(picture[16:20], "big") == int.from_bytes(picture[20:24], "big") == width
    for query in ("size=99", "size=1201", "size=-1", "size=99999999999", "size=x", "at=nowhere", "at=door&at=door"):
        assert (await server.http.get(f"{qr}.png?{query}")).status_code == 422, query
    assert (await server.http.get("/go/winter/qr.png")).status_code == 404
    assert (await server.http.get(f"/s/{'x' * 23}/qr.png")).status_code == 404
    behind = await server.http.get(f"{qr}.png", headers={"X-Forwarded-Proto": "https"})
    assert behind.status_code == 404
    assert await server.store.look("SELECT count(*) FROM link_clicks") == [(0,)]
