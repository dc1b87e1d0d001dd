"""What people read whose form was refused: behind a proxy it names the setting that is missing, and never the key."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from typing import Any

import msgspec
import pytest
from starlette.applications import Starlette

from grapevine.web.dashboard.foreign_forms import ANOTHER_WEBSITE, HIDDEN, NO_WEBSITE, NOT_SAID
from tests.support.in_process_server import Server
from tests.web.dashboard.dashboard_browser import HOME, HOSTILE, add_key
from tests.web.page_markup import Page

pytestmark = pytest.mark.anyio

FORMS = ("/sign-in", "/sign-out", "/sign-out-everywhere", "/tokens/erase", "/check")
STRANGER = "another website sent this form: close its page"


def set_up(server: Server, **changed: Any) -> None:
    """Changes settings of the running server."""
    assert isinstance(server.app, Starlette)
    settings = msgspec.structs.replace(server.state.settings, **changed)
    server.app.state.app_state = replace(server.state, settings=settings)


async def refusal(server: Server, path: str = "/sign-in", **headers: str) -> str:
    """The text of the page for a form with a good key that is refused."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    client = server.browser(**sent)
    if "Origin" not in sent:
        del client.headers["Origin"]
    answer = await client.post(path, data={"key": "gv_abc"})
    assert answer.status_code == 403, answer.text
    assert "set-cookie" not in answer.headers
    assert Page(answer.text).headings == ["This form was not accepted"]
    assert HOSTILE not in answer.text
    sentences = "\n".join(re.findall("<p>(?!<a)(.*)</p>", answer.text))
    assert "key" not in sentences
    return unescape(re.sub("</?code>", "", sentences))


@pytest.mark.parametrize("path", FORMS)
async def test_every_form_names_the_setting_that_is_missing(server: Server, path: str) -> None:
    await add_key(server, "gv_abc")
    shown = await refusal(server, path, Origin="http://stats.lan")
    assert "the setting GRAPEVINE_BASE_URL is missing" in shown
    assert "set GRAPEVINE_BASE_URL=http://stats.lan and start the server again." in shown
    assert "GRAPEVINE_TRUSTED_PROXIES" not in shown
    assert f"If http://stats.lan is not the address of your dashboard, {STRANGER}." in shown


@pytest.mark.parametrize(
    "origin", ["http://nas:8080", "https://stats.example", "http://[fd00::1]:81", "http://10.0.0.7"]
)
async def test_the_value_is_the_address_in_the_browser(server: Server, origin: str) -> None:
    assert f"set GRAPEVINE_BASE_URL={origin} and start" in await refusal(server, Origin=origin)
    assert f"set GRAPEVINE_BASE_URL={origin} and start" in await refusal(server, Referer=f"{origin}/sign-in?next=/")


async def test_a_proxy_that_is_not_trusted_is_named_with_it(server: Server) -> None:
    ended = HOME.replace("http:", "https:")
    assert "GRAPEVINE_TRUSTED_PROXIES" not in await refusal(server, Origin=ended)
    shown = await refusal(server, Origin=ended, X_Forwarded_Proto="https")
    assert f"set GRAPEVINE_BASE_URL={ended} and start" in shown
    assert "Set GRAPEVINE_TRUSTED_PROXIES to the address of the proxy, too" in shown
    set_up(server, trusted_proxies=("10.9.9.9",))
    assert "GRAPEVINE_TRUSTED_PROXIES" in await refusal(server, Origin=ended, X_Forwarded_Proto="https")
    assert "GRAPEVINE_TRUSTED_PROXIES" not in await refusal(server, Origin="http://stats.lan", X_Forwarded_Proto="http")


@pytest.mark.parametrize("origin", ["https://other.example", "https://stats.example:8443"])
async def test_a_wrong_address_in_the_setting_is_named(server: Server, origin: str) -> None:
    set_up(server, base_url="https://stats.example")
    shown = await refusal(server, Origin=origin)
    assert (
        "set up for https://stats.example (GRAPEVINE_BASE_URL).\nOpen the dashboard at https://stats.example." in shown
    )
    assert f"if {origin} is its right address, set GRAPEVINE_BASE_URL={origin} and start" in shown
    assert "missing" not in shown
    assert STRANGER in shown


async def test_without_https_the_https_address_is_named(server: Server) -> None:
    set_up(server, base_url="https://stats.example")
    for headers in ({}, {"Sec_Fetch_Site": "cross-site"}):  # the latter where a proxy redirects the form to https
        shown = await refusal(server, Origin="http://stats.example", **headers)
        assert "Open https://stats.example instead." in shown


async def test_a_cookie_that_the_browser_would_drop_is_a_refusal(server: Server) -> None:
    """The server believes https by its setting, the browser uses http: it would sign in, and land at the form again."""
    await add_key(server, "gv_abc")
    set_up(server, base_url=HOME.replace("http:", "https:"))
    assert "Open https://grapevine.example instead." in await refusal(server, Origin=HOME)
    answer = await server.browser(Origin=HOME.replace("http:", "https:")).post("/sign-in", data={"key": "gv_abc"})
    assert answer.status_code == 303


@pytest.mark.parametrize(
    ("headers", "sentence"),
    [
        ({}, NOT_SAID),
        ({"Origin": ""}, NOT_SAID),
        ({"Referer": f"{HOME}/sign-in"}, NOT_SAID),
        ({"Origin": "null"}, HIDDEN),
        ({"Origin": "null", "Sec_Fetch_Site": "cross-site"}, ANOTHER_WEBSITE),
        ({"Origin": "https://evil.example", "Sec_Fetch_Site": "cross-site"}, ANOTHER_WEBSITE),
        ({"Origin": HOME, "Sec_Fetch_Site": "same-site"}, ANOTHER_WEBSITE),
        ({"Origin": HOME, "Sec_Fetch_Site": "none"}, ANOTHER_WEBSITE),
        ({"Origin": "chrome-extension://abcdef"}, NO_WEBSITE),
        ({"Origin": HOSTILE}, NO_WEBSITE),
        ({"Origin": f"http://{HOSTILE}"}, NO_WEBSITE),
    ],
)
async def test_where_no_setting_is_missing_none_is_named(
    server: Server, headers: dict[str, str], sentence: str
) -> None:
    await add_key(server, "gv_abc")
    shown = await refusal(server, **headers)
    assert sentence.replace("`", "") in shown
    assert "GRAPEVINE_" not in shown


async def test_a_port_that_browsers_leave_out_is_no_other_address(server: Server) -> None:
    await add_key(server, "gv_abc")
    client = server.browser(Origin=HOME, Host="grapevine.example:80")
    assert (await client.post("/sign-in", data={"key": "gv_abc"})).status_code == 303
