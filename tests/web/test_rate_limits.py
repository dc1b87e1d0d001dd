"""Rate limits over HTTP: every route that needs no key has one, and a refusal is readable where people read it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
from starlette.routing import Route

from grapevine.collect.rate_limit import ANSWER_CORRECTIONS, SITE_CHANGES, WIDE_FACTOR
from grapevine.config.settings import Settings
from grapevine.web.routes import COLLECT, DASHBOARD, HEALTH, SHORT_LINKS
from tests.support.in_process_server import ORIGIN, Server, serving
from tests.web.api.test_read_api import refused, with_key
from tests.web.dashboard.dashboard_browser import add_key

pytestmark = pytest.mark.anyio

LIMIT = 3
SIGNED_IN = {
    "/", "/cascades", "/cascades/{root}", "/tokens", "/tokens/erase", "/direct", "/links", "/links/{token}",
    "/conversions", "/mentions", "/answers", "/answers/correct", "/check", "/first-steps",
}  # fmt: skip
"""Pages behind the sign-in, to which everybody else is redirected."""

FREE = {
    "/widget{rest}": "a file in memory, or a row found by its key; unknown names cost one query a second",
    "/static/{name}": "a file in memory, which costs as much as its refusal",
    "/healthz": "a constant",
    "/readyz": "writes once a second, however often it is asked",
    "/metrics": "needs an API key unless the setting opens it, and then it is limited",
    "/sign-in": "the form is a constant; sending it has a limit of its own",
    "/sign-out": "needs a form from a page of the dashboard",
    "/sign-out-everywhere": "needs a form from a page of the dashboard",
}


@pytest.fixture
async def limited(database: str, anyio_backend: str) -> AsyncIterator[Server]:
    """A server with one site and a limit of three calls a minute."""
    assert anyio_backend == "asyncio"
    async with serving(Settings(database=database, secret_keys=(b"k" * 32,), rate_limit=LIMIT)) as server:
        await server.add_site("site-a", ORIGIN)
        yield server


async def test_too_many_calls(limited: Server) -> None:
    responses = [await limited.post("visits") for _ in range(4)]
    assert [response.status_code for response in responses] == [200, 200, 200, 429]
    assert responses[-1].json()["code"] == "rate-limited"
    assert 0 < int(responses[-1].headers["retry-after"]) <= 60
    assert (await limited.post("visits", limited.browser("192.0.2.2"))).status_code == 200
    limited.clock.now += 60_000
    assert (await limited.post("visits")).status_code == 200


async def test_another_user_agent_is_no_other_network(limited: Server) -> None:
    agents = [limited.browser(user_agent=f"Mozilla/5.0 Firefox/{number}") for number in range(6)]
    assert [(await limited.post("visits", agent)).status_code for agent in agents] == [200] * 3 + [429] * 3


@pytest.mark.parametrize("body", ["{", '{"site": "nobody"}', '{"site": "site-a", "url": "https://other.example/"}'])
async def test_calls_that_are_refused_for_what_they_say_count_for_the_network(limited: Server, body: str) -> None:
    headers = {"Origin": "https://other.example"}
    statuses = [(await limited.http.post("/v1/visits", content=body, headers=headers)).status_code for _ in range(40)]
    assert 429 not in statuses[:30]
    assert set(statuses[30:]) == {429}


async def test_changes_of_a_site_are_limited_whatever_key_asks(limited: Server) -> None:
    await limited.add_site("site-b", "https://b.example")
    one, every = [await with_key(limited, f"to-{number}", scope="admin", site_id=number) for number in (1, 0)]
    for number in range(SITE_CHANGES):
        asker = (one, every)[number % 2]
        assert (await asker.http.patch("/v1/sites/site-a", json={"name": f"Shop {number}"})).status_code == 200
    version = await limited.store.sites.version()
    for asker in (one, every):
        answer = await asker.http.patch("/v1/sites/site-a", json={"name": "One too many"})
        assert refused(answer)[:2] == (429, "rate-limited")
        assert answer.headers["retry-after"] == "1"
    assert await limited.store.sites.version() == version
    assert limited.state.rate_limit.hits["rate-site-changes"] == 2
    assert (await every.http.patch("/v1/sites/site-b", json={"name": "Another"})).status_code == 200
    limited.clock.now += 1_000
    assert (await one.http.patch("/v1/sites/site-a", json={"name": "Later"})).json()["name"] == "Later"


async def test_corrections_of_answers_are_limited_whatever_key_asks(limited: Server) -> None:
    await limited.add_site("site-b", "https://b.example")
    one, every = [await with_key(limited, f"to-{number}", scope="admin", site_id=number) for number in (1, 0)]
    body, missing = {"class": "friend"}, f"/v1/answers/{'0' * 22}?site="
    for number in range(ANSWER_CORRECTIONS):
        asker = (one, every)[number % 2]
        assert (await asker.http.patch(f"{missing}site-a", json=body)).status_code == 404
    for asker in (one, every):
        answer = await asker.http.patch(f"{missing}site-a", json=body)
        assert refused(answer)[:2] == (429, "rate-limited")
        assert answer.headers["retry-after"] == "1"
    assert limited.state.rate_limit.hits["rate-answer-corrections"] == 2
    assert (await every.http.patch(f"{missing}site-b", json=body)).status_code == 404
    limited.clock.now += 1_000
    assert (await one.http.patch(f"{missing}site-a", json=body)).status_code == 404


async def test_every_route_is_limited_or_needs_a_key_or_is_free_for_a_reason(limited: Server) -> None:
    tried = [*COLLECT, *SHORT_LINKS, *HEALTH, *DASHBOARD]
    unlimited = set()
    for number, route in enumerate(tried):
        assert isinstance(route, Route)
        client = limited.browser(f"198.51.100.{number}", Origin="http://grapevine.example")
        path = re.sub(r"{\w+}", "x", route.path)
        method = "POST" if "POST" in (route.methods or ()) else "GET"
        answers = [await client.request(method, path) for _ in range(WIDE_FACTOR * LIMIT + 1)]
        if answers[-1].status_code != 429:
            unlimited.add(route.path)
    assert unlimited == FREE.keys() | SIGNED_IN


@pytest.mark.parametrize("path", ["/v1/counts?site=site-a&url=https://a.example/", "/s/x", "/s/x/qr.svg", "/about/x"])
async def test_a_refusal_is_a_page_for_people_and_a_problem_for_programs(limited: Server, path: str) -> None:
    statuses = [(await limited.http.get(path)).status_code for _ in range(5)]
    assert statuses[2:].count(429) == 2
    refused = await limited.http.get(path, headers={"Accept": "application/json"})
    assert refused.headers["content-type"] == "application/problem+json"
    assert (refused.json()["code"], refused.headers["retry-after"]) == ("rate-limited", "20")
    assert refused.headers["access-control-allow-origin"] == "*"
    page = await limited.http.get(path, headers={"Accept": "text/html,*/*;q=0.8"})
    assert (page.status_code, page.headers["retry-after"]) == (429, "20")
    assert page.headers["content-type"].startswith("text/html")
    assert "Wait 20 s" in page.text
    limited.clock.now += 20_000
    assert (await limited.http.get(path)).status_code != 429


async def test_ten_sign_ins_a_minute(limited: Server) -> None:
    client = limited.browser(Origin="http://grapevine.example")
    answers = [await client.post("/sign-in", data={"key": "gv_wrong"}) for _ in range(12)]
    assert [answer.status_code for answer in answers] == [401] * 10 + [429] * 2
    assert answers[-1].headers["retry-after"] == "6"
    assert "attempts to sign in" in answers[-1].text
    assert answers[-1].headers["content-type"].startswith("text/html")
    elsewhere = limited.browser("192.0.2.2", Origin="http://grapevine.example")
    assert (await elsewhere.post("/sign-in", data={"key": "gv_wrong"})).status_code == 401


async def test_a_foreign_form_uses_up_nobodys_sign_ins(limited: Server) -> None:
    foreign = limited.browser(Origin="https://evil.example")
    assert {(await foreign.post("/sign-in", data={"key": "x"})).status_code for _ in range(20)} == {403}
    own = limited.browser(Origin="http://grapevine.example")
    assert (await own.post("/sign-in", data={"key": "x"})).status_code == 401


async def test_a_wrong_key_counts_as_a_sign_in_and_a_right_one_is_always_read(limited: Server) -> None:
    await add_key(limited, "gv_right")

    async def summary(key: str) -> int:
        answer = await limited.http.get("/v1/stats/summary", headers={"Authorization": f"Bearer {key}"})
        return answer.status_code

    assert [await summary("gv_wrong") for _ in range(12)] == [401] * 10 + [429] * 2
    assert await summary("gv_right") == 200
    client = limited.browser(Origin="http://grapevine.example")
    assert (await client.post("/sign-in", data={"key": "gv_right"})).status_code == 429
