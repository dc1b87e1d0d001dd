"""Signing in and out of the dashboard, its cookie, foreign forms, and the headers of every response."""

from __future__ import annotations

import hashlib
import re

import httpx
import pytest

from grapevine.background.cleanup import tidy
from grapevine.web.dashboard import session
from tests.support.in_process_server import BOTH_BACKENDS, NOON, Server, serving
from tests.web.dashboard.dashboard_browser import (
    DAY_MS,
    HOME,
    HOSTILE,
    PAGES,
    add_key,
    chain_of_three,
    page,
    signed_in,
)
from tests.web.page_markup import Page

pytestmark = pytest.mark.anyio


async def test_nothing_is_shown_without_a_key(server: Server) -> None:
    for url in PAGES:
        answer = await server.http.get(url)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/sign-in")
        assert not answer.content


async def test_signing_in_leads_to_the_page_that_was_wanted(server: Server) -> None:
    await add_key(server, "gv_abc")
    client = server.browser(Origin=HOME)
    answer = await client.get("/cascades?sort=depth")
    form = await page(client, answer.headers["location"])
    assert "/cascades?sort=depth" in form.values("input", "value")
    answer = await client.post("/sign-in", data={"key": " gv_abc\n", "next": "/cascades?sort=depth"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/cascades?sort=depth")
    assert (await page(client, "/cascades?sort=depth")).headings == ["Cascades measured"]
    assert (await client.get("/sign-in")).headers["location"] == "/"


async def test_the_cookie_keeps_nothing_but_an_id_and_keeps_it_well(server: Server) -> None:
    await add_key(server, "gv_abc")
    answer = await server.browser(Origin=HOME).post("/sign-in", data={"key": "gv_abc"})
    cookie = answer.headers["set-cookie"]
    assert re.search(r"^grapevine_session=\S+; HttpOnly; Max-Age=2592000; Path=/; SameSite=lax$", cookie)
    value = answer.cookies[session.COOKIE]
    keys = server.state.keyring.keys
    session_id = session.session_id_in(value, session.cookie_keys(keys))
    assert session_id is not None
    assert re.fullmatch("[0-9a-f]{32}", session_id)
    assert session.session_id_in(value, session.cookie_keys([b"another key"])) is None
    assert session.session_id_in(value[:-1] + "xy", session.cookie_keys(keys)) is None
    stored = await server.store.look("SELECT hash, key_id FROM sessions")
    assert stored == [(hashlib.sha256(session_id.encode()).hexdigest(), "id-gv_abc")]


async def test_a_cookie_stays_good_when_another_key_signs(server: Server) -> None:
    client = await signed_in(server)
    server.state.keyring.keys = (*server.state.keyring.keys, b"another-key-that-signs-from-now-on")
    assert (await client.get("/")).status_code == 200
    server.state.keyring.keys = server.state.keyring.keys[1:]
    assert (await client.get("/")).status_code == 303


async def test_a_session_lasts_for_thirty_days(server: Server) -> None:
    client = await signed_in(server)
    server.clock.now += 30 * DAY_MS - 1
    assert (await client.get("/")).status_code == 200
    server.clock.now += 1
    assert (await client.get("/")).status_code == 303


async def test_the_cookie_belongs_to_this_host_over_https(server: Server) -> None:
    await add_key(server, "gv_abc")
    client = server.browser(Origin="https://grapevine.example")
    url = "https://grapevine.example"
    answer = await client.post(f"{url}/sign-in", data={"key": "gv_abc"})
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-grapevine_session=")
    assert cookie.endswith("; HttpOnly; Max-Age=2592000; Path=/; SameSite=lax; Secure")
    assert "domain" not in cookie.lower()
    assert (await client.get(f"{url}/")).status_code == 200
    ended = (await client.post(f"{url}/sign-out")).headers["set-cookie"]
    assert ended.startswith('__Host-grapevine_session="";')
    assert ended.endswith("; expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; Max-Age=0; Path=/; SameSite=lax; Secure")
    assert (await client.get(f"{url}/")).status_code == 303


@pytest.mark.parametrize("server", ["asgi /g"], indirect=True)
async def test_the_cookie_claims_no_host_that_is_shared(server: Server) -> None:
    await add_key(server, "gv_abc")
    client = server.browser(Origin="https://grapevine.example")
    answer = await client.post("https://grapevine.example/sign-in", data={"key": "gv_abc"})
    assert answer.headers["set-cookie"].startswith("__Secure-grapevine_session=")
    assert answer.headers["set-cookie"].endswith("; Secure")
    assert (await client.get("https://grapevine.example/")).status_code == 200


@pytest.mark.parametrize("key", ["", "gv_wrong", "site-a", HOSTILE])
async def test_a_wrong_key_gets_instructions(server: Server, key: str) -> None:
    answer = await server.browser(Origin=HOME).post("/sign-in", data={"key": key, "next": HOSTILE})
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers
    shown = Page(answer.text)
    assert "That key does not open anything here" in shown.text
    assert HOSTILE not in answer.text
    assert shown.values("input", "value") == ["/"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": HOME.replace("http:", "https:")},
        {"Origin": f"{HOME}:8000"},
        {"Origin": f"{HOME}/"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": HOME, "Sec-Fetch-Site": "cross-site"},
        {"Origin": HOME, "Sec-Fetch-Site": "same-site"},
        {"Origin": HOME, "Sec-Fetch-Site": "none"},
    ],
)
@pytest.mark.parametrize("path", ["/sign-in", "/sign-out", "/sign-out-everywhere"])
async def test_a_foreign_page_cannot_post(server: Server, headers: dict[str, str], path: str) -> None:
    client = await signed_in(server)
    answer = await client.post(path, data={"key": "gv_secret1"}, headers=headers)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers
    assert (await client.get("/")).status_code == 200


async def test_the_browsers_own_word_is_enough(server: Server) -> None:
    await add_key(server, "gv_abc")
    client = server.browser(**{"Origin": "null", "Sec-Fetch-Site": "same-origin"})
    assert (await client.post("/sign-in", data={"key": "gv_abc"})).status_code == 303


def stolen(server: Server, client: httpx.AsyncClient) -> httpx.AsyncClient:
    """A browser with a copy of another one's cookies."""
    thief = server.browser(Origin=HOME)
    thief.cookies = httpx.Cookies(client.cookies)
    return thief


async def test_signing_out_ends_the_session_and_no_other(server: Server) -> None:
    client = await signed_in(server)
    other = server.browser(Origin=HOME)
    await other.post("/sign-in", data={"key": "gv_secret1"})
    copy = stolen(server, client)
    assert (await copy.get("/")).status_code == 200
    await client.post("/sign-out")
    answer = await copy.get("/")
    assert answer.status_code == 303
    assert "Max-Age=0" in answer.headers["set-cookie"]
    assert (await other.get("/")).status_code == 200


async def test_signing_out_everywhere_ends_every_session_of_the_key(server: Server) -> None:
    clients = [await signed_in(server)]
    for _ in range(3):
        clients.append(server.browser(Origin=HOME))
        await clients[-1].post("/sign-in", data={"key": "gv_secret1"})
    await server.add_site("site-b", "https://b.example")
    neighbour = await signed_in(server, 2)
    answer = await clients[1].post("/sign-out-everywhere")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    assert [(await client.get("/")).status_code for client in clients] == [303] * 4
    assert (await neighbour.get("/")).status_code == 200
    assert (await clients[2].post("/sign-out-everywhere")).status_code == 303
    assert (await neighbour.get("/")).status_code == 200


@BOTH_BACKENDS
@pytest.mark.parametrize("path", ["/sign-out", "/sign-out-everywhere"])
async def test_a_session_that_ends_in_one_process_ends_in_all(server: Server, path: str) -> None:
    client = await signed_in(server)
    async with serving(server.state.settings) as other:
        elsewhere = stolen(other, client)
        assert (await elsewhere.get("/")).status_code == 200
        await client.post(path)
        assert (await elsewhere.get("/")).status_code == 303


async def test_signing_in_again_ends_the_session_before(server: Server) -> None:
    client = await signed_in(server)
    before = stolen(server, client)
    await client.post("/sign-in", data={"key": "gv_secret1"})
    assert (await before.get("/")).status_code == 303
    assert (await client.get("/")).status_code == 200


async def test_a_key_has_a_bounded_number_of_sessions(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "MOST_SESSIONS", 3)
    clients = [await signed_in(server)]
    for _ in range(3):
        server.clock.now += 1
        clients.append(server.browser(Origin=HOME))
        await clients[-1].post("/sign-in", data={"key": "gv_secret1"})
    assert [(await client.get("/")).status_code for client in clients] == [303, 200, 200, 200]


async def test_expired_sessions_are_deleted(server: Server) -> None:
    await signed_in(server)
    now = server.clock.now
    await tidy(server.state.store, now + 30 * DAY_MS - 1)
    assert await server.store.look("SELECT count(*) FROM sessions") == [(1,)]
    await tidy(server.state.store, now + 30 * DAY_MS)
    assert await server.store.look("SELECT count(*) FROM sessions") == [(0,)]


async def test_signing_out_and_revoking(server: Server) -> None:
    client = await signed_in(server)
    assert (await client.post("/sign-out")).headers["location"] == "/sign-in"
    assert (await client.get("/")).status_code == 303
    await client.post("/sign-in", data={"key": "gv_secret1"})
    assert (await client.get("/")).status_code == 200
    await server.store.api_keys.revoke_key("id-gv_secret1", NOON)
    answer = await client.get("/")
    assert answer.status_code == 303
    assert session.COOKIE not in client.cookies
    assert (await client.post("/sign-in", data={"key": "gv_secret1"})).status_code == 401


@pytest.mark.parametrize(
    ("body", "status"), [(b"key=" + b"x" * 9_000, 413), (b"key=%ff", 400), (b"&".join([b"a=1"] * 30), 400)]
)
async def test_a_form_that_is_none(server: Server, body: bytes, status: int) -> None:
    answer = await server.browser(Origin=HOME).post("/sign-in", content=body)
    assert answer.status_code == status
    assert len(Page(answer.text).headings) == 1


async def test_every_answer_is_guarded(server: Server) -> None:
    chain = await chain_of_three(server)
    client = await signed_in(server)
    for url in [
        *PAGES,
        f"/cascades/{chain['root']}",
        f"/tokens?token={chain['last']}",
        "/sign-in",
        "/cascades/nothing",
    ]:
        answer = await client.get(url)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert answer.headers["cache-control"] == "private, no-store"
        shown = Page(answer.text)
        names = {name for _, name, _ in shown.attributes}
        assert "style" not in names
        assert not {name for name in names if name.startswith("on")}
        assert "<script" not in answer.text
        assert "<style" not in answer.text


async def test_an_address_that_nothing_has_is_a_page_for_people_and_a_problem_for_programs(server: Server) -> None:
    answer = await server.http.get("/nothing/here", headers={"Accept": "text/html,*/*;q=0.8"})
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert Page(answer.text).headings == ["Nothing is here"]
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; style-src 'self'")
    answer = await server.http.get("/nothing/here")
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
    answer = await server.http.post("/nothing/here", headers={"Accept": "text/html"})
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
