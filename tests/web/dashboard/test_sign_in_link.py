"""The link that signs in: what it opens, what stays of its code, and that a usual server has no such link."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from grapevine.web.application import web_application
from grapevine.web.dashboard import session
from grapevine.web.dashboard.sign_in_link import SignInLink
from tests.support.in_process_server import Server
from tests.web.dashboard.dashboard_browser import HOME, add_key, page, signed_in

pytestmark = pytest.mark.anyio


async def linked(server: Server) -> tuple[SignInLink, Starlette]:
    """A link, and the server's application with it."""
    link = SignInLink(await add_key(server, "gv_demo"))
    app = web_application(server.state.settings, None, link)
    assert isinstance(app, Starlette)
    app.state.app_state = server.state
    return link, app


def browser(app: Starlette) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=HOME)


async def sessions(server: Server) -> list[str]:
    """The keys of the sessions that are stored."""
    return [key for (key,) in await server.store.look("SELECT key_id FROM sessions")]


async def test_it_opens_the_dashboard_in_several_browsers(server: Server) -> None:
    link, app = await linked(server)
    for number in (1, 2):
        client = browser(app)
        answer = await client.get(link.path())
        assert (answer.status_code, answer.headers["location"], answer.content) == (303, "/", b"")
        assert (await page(client, "/")).headings[0].startswith("Overview")
        assert await sessions(server) == ["id-gv_demo"] * number
        [cookie] = client.cookies.jar
        assert cookie.has_nonstandard_attr("HttpOnly")
        assert link.path().rsplit("/")[-1] not in str(cookie.value)


async def test_it_leads_to_a_page_of_this_server_alone(server: Server) -> None:
    link, app = await linked(server)
    answer = await browser(app).get(link.path("/cascades/ABC?days=7"))
    assert answer.headers["location"] == "/cascades/ABC?days=7"
    for elsewhere in ("https://evil.example/", "//evil.example/", "/\\evil.example"):
        answer = await browser(app).get(link.path(elsewhere))
        assert (answer.status_code, answer.headers["location"]) == (303, "/")


async def test_its_code_stays_nowhere(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    link, app = await linked(server)
    code = link.path().rsplit("/")[-1]
    answer = await browser(app).get(link.path())
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "private, no-store"
    logged = [record.getMessage() for record in caplog.records if record.name != "httpx"]  # which is the browser here
    assert code not in f"{answer.headers} {logged} {link!r}"


async def test_opened_again_it_keeps_the_session_and_no_other_key_stays_signed_in(server: Server) -> None:
    link, app = await linked(server)
    client = browser(app)
    await client.get(link.path())
    again = await client.get(link.path())
    assert (again.status_code, "set-cookie" in again.headers) == (303, False)
    before = (await signed_in(server)).cookies[session.COOKIE]
    other = browser(app)
    other.cookies.set(session.COOKIE, before)
    answer = await other.get(link.path())
    assert answer.cookies[session.COOKIE] != before
    assert await sessions(server) == ["id-gv_demo"] * 2


async def test_a_wrong_code_or_a_revoked_key_opens_nothing(server: Server) -> None:
    link, app = await linked(server)
    for path in (f"{link.path()}x", link.path()[:-1], "/sign-in/é", SignInLink("id-gv_demo").path()):
        refused = await browser(app).get(path)
        assert (refused.status_code, "set-cookie" in refused.headers) == (404, False)
        assert "This link was made by a demo that has ended." in refused.text
    assert (await browser(app).post(link.path())).status_code == 405
    await server.store.api_keys.revoke_key("id-gv_demo", server.clock())
    assert (await browser(app).get(link.path())).status_code == 404
    assert await sessions(server) == []


async def test_a_usual_server_has_no_such_link(server: Server) -> None:
    path = SignInLink(await add_key(server, "gv_demo")).path()
    for method in ("GET", "HEAD", "POST"):
        answer = await server.http.request(method, path)
        assert (answer.status_code, "set-cookie" in answer.headers) == (404, False)
    assert await sessions(server) == []


def test_the_demo_alone_makes_one(project_root: Path) -> None:
    package = project_root / "server" / "grapevine"
    making = [file for file in package.rglob("*.py") if re.search(r"(?<!class )SignInLink\(", file.read_text("utf-8"))]
    assert [file.relative_to(package).as_posix() for file in making] == ["cli/demo.py"]
