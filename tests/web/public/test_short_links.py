"""``/s/{token}``: redirect, recorded unfurls, and the error page of a broken link."""

from __future__ import annotations

from typing import Any

import pytest

from grapevine.domain import ids
from grapevine.writer.queue import FairQueue
from tests.support.in_process_server import BOTH_BACKENDS, ORIGIN, Server
from tests.web.backend_pair import change

pytestmark = pytest.mark.anyio

SLACK = "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)"
WHATSAPP = "WhatsApp/2.23.20.0 A"
TAILS = [
    ".", ")", ",", ";", ":", "!", "*", "_", "-", "=", "'", "%20", "%20and%20more", "%29.", "%3E", "%22", "%2E", "%2F",
    "%C2%AD", "%E2%80%8B", "%ff", "%", "%zz", ";x=1", "%E2%80%9D", "%E2%80%A6", "%E3%80%82", "%0A", "%0A%0Amore",
    "/", "//", "/more", "&fbclid=x", "&page=2",
    "?utm_source=email&utm_medium=mail", ".?utm_source=email", "%3Futm_source%3Demail", "%26fbclid%3Dx",
]  # fmt: skip


async def location(server: Server, token: str, user_agent: str | None = None) -> str:
    headers = {"User-Agent": user_agent} if user_agent else {}
    response = await server.http.get(f"/s/{token}", headers=headers)
    assert response.status_code == 302
    return response.headers["location"]


async def test_leads_to_the_shared_page_with_the_token(server: Server) -> None:
    token = (await server.visit(url=f"{ORIGIN}/first?id=1"))["tokens"]["copy"]
    assert await location(server, token) == f"{ORIGIN}/#gv-{token}"  # no report named a page yet
    await server.share(token, url=f"{ORIGIN}/shared")
    assert await location(server, token) == f"{ORIGIN}/shared#gv-{token}"


async def test_a_report_without_the_session_leads_to_the_home_page_until_one_with_it(server: Server) -> None:
    """A recipient who reports the link must not learn on which page, with which query, its sharer's visit began."""
    token = (await server.visit(url=f"{ORIGIN}/reset?code=SECRET"))["tokens"]["copy"]
    for url in (f"{ORIGIN}/", f"{ORIGIN}/other", f"{ORIGIN}/reset?code=SECRET"):
        assert (await server.post("shares", token=token, url=url)).json() == {"next": None}
        assert await location(server, token) == f"{ORIGIN}/#gv-{token}"
    await server.share(token, url=f"{ORIGIN}/shared")
    assert await location(server, token) == f"{ORIGIN}/shared#gv-{token}"


async def test_a_link_from_before_reporters_were_kept_leads_where_it_led(server: Server) -> None:
    token = (await server.visit(url=f"{ORIGIN}/first"))["tokens"]["copy"]
    await server.share(token, url=f"{ORIGIN}/shared")
    await change(server, ["UPDATE shares SET reported_by = NULL"])
    assert await location(server, token) == f"{ORIGIN}/shared#gv-{token}"


async def test_a_link_followed_again_sees_that_a_site_has_changed(server: Server) -> None:
    token = (await server.visit(url=f"{ORIGIN}/page"))["tokens"]["copy"]
    await server.share(token, url=f"{ORIGIN}/page")
    for _ in range(2):
        assert await location(server, token) == f"{ORIGIN}/page#gv-{token}"
    await server.store.sites.change_site(1, {"param": "via", "place": "query"})
    server.clock.now += 1_000
    await server.visit()
    assert await location(server, token) == f"{ORIGIN}/page?via={token}"


async def test_a_repeated_report_leaves_the_link_cached(server: Server) -> None:
    token = (await server.visit(url=f"{ORIGIN}/page"))["tokens"]["copy"]
    await server.share(token, url=f"{ORIGIN}/page")
    await location(server, token)
    await server.share(token, url=f"{ORIGIN}/another")
    assert server.state.caches.redirects.get(token) is not None
    assert await location(server, token) == f"{ORIGIN}/page#gv-{token}"


async def test_a_robot_and_a_report_at_one_moment_leave_no_old_page_behind(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = (await server.visit(url=f"{ORIGIN}/first"))["tokens"]["copy"]
    real = server.state.collect_api.unfurl

    async def slow(*arguments: Any) -> None:
        await server.share(token, url=f"{ORIGIN}/shared")
        await real(*arguments)

    monkeypatch.setattr(server.state.collect_api, "unfurl", slow)
    await location(server, token, SLACK)
    assert await location(server, token) == f"{ORIGIN}/shared#gv-{token}"


async def test_the_place_and_name_of_the_token_are_the_sites(server: Server) -> None:
    await server.add_site("site-q", "https://q.example", param="via", place="query")
    client = server.browser(Origin="https://q.example")
    seen = await server.visit(client, site="site-q", url="https://q.example/x?a=1")
    token = seen["tokens"]["copy"]
    fields = {"site": "site-q", "token": token, "session": seen["session"], "url": "https://q.example/x?a=1"}
    await server.post("shares", client, **fields)
    assert await location(server, token) == f"https://q.example/x?a=1&via={token}"


async def test_an_erased_or_lost_visit_leads_home(server: Server) -> None:
    token = (await server.state.sites.all())[0].tokens.mint(ids.pack(2400, 1, 1), [0])[0]
    assert await location(server, token) == f"{ORIGIN}/#gv-{token}"


async def test_an_origin_that_was_given_up_is_not_redirected_to(server: Server) -> None:
    token = (await server.visit())["tokens"]["copy"]
    await server.store.sites.change_site(1, {"origins": ("https://new.example",)})
    server.clock.now += 1_000
    assert await location(server, token) == f"https://new.example/#gv-{token}"


@pytest.mark.parametrize("text", ["short", "x" * 23, "-" * 23, "session"])
async def test_a_broken_link_gets_a_page_for_people(server: Server, text: str) -> None:
    answer = await server.visit()
    response = await server.http.get(f"/s/{answer['session'] if text == 'session' else text}")
    assert response.status_code == 404
    assert "leads nowhere" in response.text
    assert response.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("tail", TAILS)
async def test_what_hangs_on_a_token_is_ignored(server: Server, tail: str) -> None:
    token = (await server.visit())["tokens"]["copy"]
    await server.share(token, url=f"{ORIGIN}/shared")
    for agent in (None, SLACK):
        assert await location(server, f"{token}{tail}", agent) == f"{ORIGIN}/shared#gv-{token}"
    assert server.state.caches.redirects.get(token) is not None
    assert await server.store.look("SELECT app FROM unfurls") == [("slack",)]
    for path in (f"/about/{token}{tail}", f"/s/{token}{tail.partition('?')[0]}/qr.svg"):
        response = await server.http.get(path)
        assert response.status_code == 200, path
        assert f"{token}{tail}" not in response.text


@pytest.mark.parametrize("unseen", ["%C2%AD", "%E2%80%8B", "%EF%BB%BF"])
async def test_a_token_may_be_broken_where_nobody_sees_it(server: Server, unseen: str) -> None:
    token = (await server.visit())["tokens"]["copy"]
    broken = f"{unseen}{token[:9]}{unseen}{token[9:]}"
    assert await location(server, broken) == f"{ORIGIN}/#gv-{token}"
    for path in (f"/about/{broken}", f"/s/{broken}/qr.svg"):
        assert (await server.http.get(path)).status_code == 200


@pytest.mark.parametrize("text", ["{}0", "{}x.", ".{}", "x/{}", "%20{}"])
async def test_what_does_not_begin_with_a_token_leads_nowhere(server: Server, text: str) -> None:
    token = (await server.visit())["tokens"]["copy"]
    assert (await server.http.get(f"/s/{text.format(token)}")).status_code == 404
    assert (await server.http.get(f"/about/{text.format(token)}")).status_code == 404


@BOTH_BACKENDS
async def test_a_preview_robot_is_evidence_and_never_a_visit(server: Server) -> None:
    token = (await server.visit())["tokens"]["copy"]
    for agent in (SLACK, SLACK, WHATSAPP):
        assert token in await location(server, token, agent)
    server.clock.now += ids.HOUR_MS
    await location(server, token, SLACK)
    assert await server.store.look("SELECT app, count(*) FROM unfurls GROUP BY app ORDER BY app") == [
        ("slack", 2),
        ("whatsapp", 1),
    ]
    assert await server.store.look("SELECT count(*) FROM visits") == [(1,)]
    assert await server.store.look("SELECT count(*) FROM shares WHERE proven_at IS NOT NULL") == [(0,)]


@BOTH_BACKENDS
async def test_people_and_other_robots_leave_no_unfurl(server: Server) -> None:
    token = (await server.visit())["tokens"]["copy"]
    await location(server, token)
    await location(server, token, "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)")
    assert await server.store.look("SELECT * FROM unfurls") == []


async def test_a_full_queue_does_not_stop_the_redirect(server: Server) -> None:
    token = (await server.visit())["tokens"]["copy"]
    server.state.writer.waiting = FairQueue(0, 0)
    assert token in await location(server, token, SLACK)


async def test_redirects_are_not_kept_by_caches(server: Server) -> None:
    token = (await server.visit())["tokens"]["copy"]
    response = await server.http.get(f"/s/{token}")
    assert response.headers["cache-control"] == "no-store"


async def test_a_qr_code(server: Server) -> None:
    token = (await server.visit())["tokens"]["copy"]
    response = await server.http.get(f"/s/{token}/qr.svg")
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("image/svg+xml")
    assert response.text.startswith("<svg")
    assert (await server.http.get(f"/s/{'x' * 23}/qr.svg")).status_code == 404
