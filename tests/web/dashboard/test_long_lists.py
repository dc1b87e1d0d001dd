"""Lists that strangers can make long: the first rows, one row for all others, and what exceeded a bound."""

from __future__ import annotations

import pytest

from grapevine.domain.currencies import CURRENCIES
from tests.support.in_process_server import ORIGIN, Server
from tests.web.dashboard.dashboard_browser import page, signed_in

pytestmark = pytest.mark.anyio

KEY = {"Authorization": "Bearer gv_secret1"}
GOALS = 55


async def convert(server: Server, number: int, goal: str, currency: str = "EUR") -> None:
    """Reaches a goal in a visit from an address of its own."""
    client = server.browser(f"192.0.2.{number % 250}")
    session = (await server.visit(client))["session"]
    answer = await server.post(
        "conversions", client, session=session, goal=goal, value="2", currency=currency, nonce=f"nonce{number:011}"
    )
    assert answer.status_code == 200, answer.text


async def test_goals_and_currencies_beyond_the_first_are_others(server: Server) -> None:
    currencies = [*sorted(CURRENCIES)[:7], "EUR", "USD"]
    for number in range(GOALS):
        await convert(server, number, f"goal {number:02}", currencies[number % len(currencies)])
    for number in range(3):
        await convert(server, GOALS + number, "order")
    owner = await signed_in(server)
    shown = await page(owner, "/conversions")
    assert f"Conversions {GOALS + 3} goals reached, of {GOALS + 1} kinds" in shown.text
    first, more = shown.tables["Conversions by goal"], shown.tables["More goals"]
    assert first[0][-1] == "Others"
    assert len(first[0]) == 3 + 6 + 1
    assert [row[0] for row in [*first[1:], *more[1:]]] == [
        "order",
        *(f"goal {number:02}" for number in range(49)),
        "all others",
    ]
    assert more[-1][1] == str(GOALS - 49)
    assert sum(int(row[1]) for row in [*first[1:], *more[1:]]) == GOALS + 3
    assert "and 3 other currencies" in shown.text
    summary = (await server.http.get("/v1/stats/summary", headers=KEY)).json()
    assert set(summary["value"]) == set(currencies)
    overview = await page(owner, "/")
    assert "and 3 other currencies" in overview.text


async def test_pages_beyond_the_first_hundred_are_others(server: Server) -> None:
    for number in range(103):
        await server.visit(server.browser(f"192.0.2.{number}"), url=f"{ORIGIN}/{number:03}")
    shown = await page(await signed_in(server), "/")
    more = shown.tables["More pages"]
    assert (more[-1][0], more[-1][1], more[-1][3:]) == ("all others", "3", ["0", "0"])
    assert len(shown.tables["Visits, shares and returns by page"]) + len(more) == 2 + 100 + 1


async def test_apps_beyond_the_first_are_others(server: Server) -> None:
    for number in range(105):
        referrer = f"android-app://org.example.reader{number:03}/"
        await server.visit(server.browser(f"192.0.2.{number}"), referrer=referrer)
    shown = await page(await signed_in(server), "/direct")
    assert "93 more apps" not in shown.text
    assert "88 more apps" in shown.text
    assert "all others 5" in shown.text
    evidence = (await server.http.get("/v1/stats/direct", headers=KEY)).json()["evidence"]
    assert (len(evidence["apps"]), evidence["apps"]["(other)"], evidence["app_referrer"]) == (101, 5, 105)


async def test_the_owner_sees_which_bound_was_hit(server: Server) -> None:
    await server.visit()
    owner = await signed_in(server)
    assert "Beyond a bound" not in (await page(owner, "/")).text
    client = server.browser("192.0.2.7")
    session = (await server.visit(client))["session"]
    for number in range(52):
        nonce = f"nonce{number:011}"
        await server.post(
            "conversions", client, session=session, goal=f"goal {number}", value="1", currency="EUR", nonce=nonce
        )
        if number == 30:  # so that no bound on the conversions of a session is met
            session = (await server.visit(client))["session"]
    shown = await page(owner, "/")
    rows = shown.tables["Events beyond a bound, by its kind"]
    assert [(row[0][:5], row[1]) for row in rows[1:]] == [("Goals", "2")]
    summary = (await server.http.get("/v1/stats/summary", headers=KEY)).json()
    assert summary["bound_hits"] == {"goals": 2}
    earlier = (await server.http.get("/v1/stats/summary?from=2026-01-01&to=2026-01-05", headers=KEY)).json()
    assert earlier["bound_hits"] == {}


async def test_a_menu_of_many_sites_has_the_chosen_one(server: Server) -> None:
    for number in range(105):
        await server.add_site(f"many-{number:03}", f"https://many{number}.example")
    client = await signed_in(server, site_id=0)
    shown = await page(client, "/?site=many-104")
    assert "other sites: add ?site=KEY to the address" in shown.text
    sites = {link for link in shown.values("a", "href") if link.startswith("/?site=many-") and "&" not in link}
    assert "/?site=many-104" in sites
    assert len(sites) == 100


async def test_a_currency_is_one_of_today(server: Server) -> None:
    session = (await server.visit())["session"]
    for currency in ("AAA", "DEM", "eu", "€€€"):
        refused = await server.post(
            "conversions", session=session, goal="order", value="1", currency=currency, nonce="n" * 16
        )
        assert refused.status_code == 422
        (error,) = refused.json()["errors"]
        assert error == {
            "field": "currency",
            "detail": "must be a current code of ISO 4217, such as EUR or USD, where there is a value",
        }
