"""The dashboard page "Conversions": goals and their attribution equal those of the API."""

from __future__ import annotations

from decimal import Decimal

import pytest

from grapevine.analytics.models.attribution import MODELS, Attribution, CreditRow, Unshared
from grapevine.domain.periods import rfc3339
from grapevine.web.dashboard import formats, labels
from grapevine.web.dashboard.conversions import segments
from tests.support.in_process_server import Server
from tests.web.api.test_attribution import PurchaseChain
from tests.web.api.test_read_api import with_key
from tests.web.dashboard.dashboard_browser import DAY_MS, page, signed_in

pytestmark = pytest.mark.anyio

KEY = {"Authorization": "Bearer gv_secret1"}
LISTS = {"channels": "Credit by channel", "pages": "Credit by page", "shares": "Credit by share"}


@pytest.fixture
async def chain(server: Server) -> PurchaseChain:
    chain = PurchaseChain()
    await chain.play(server)
    return chain


@pytest.mark.usefixtures("chain")
@pytest.mark.parametrize("model", [None, *MODELS])
async def test_credit_is_what_the_api_says(server: Server, model: str | None) -> None:
    client = await signed_in(server)
    shown = await page(client, f"/conversions?model={model}" if model else "/conversions")
    said = (await server.http.get(f"/v1/attribution?model={model or 'linear'}", headers=KEY)).json()
    assert "Conversions 2 goals reached, of 2 kinds" in shown.text
    assert "Value 107.00 EUR" in shown.text
    assert "Owed to shares 50 % 1 came by a chain of shares, 1 without one" in shown.text
    for name, caption in LISTS.items():
        rows = [(formats.credit(row["conversions"]), formats.amount(row["value"]["EUR"])) for row in said[name]]
        rows += [("1", "7.00")] if name == "channels" else []
        assert [(row[1], row[3]) for row in shown.tables[caption][1:]] == rows, name
    exact = [title for tag, key, title in shown.attributes if (tag, key) == ("td", "title")]
    assert {row["conversions"] for name in LISTS for row in said[name]} <= set(exact)
    assert labels.MODELS[model or "linear"].text in shown.text


async def test_pages_and_keys_are_shown_apart(server: Server, chain: PurchaseChain) -> None:
    writer = await with_key(server, "writer", scope="write")
    sold = {"visit": chain.visits[0], "goal": "order", "id": "B-7", "value": "3.00", "currency": "EUR"}
    assert (await writer.http.post("/v1/conversions", json=sold)).status_code == 200
    client = await signed_in(server)
    caption = "Conversions by who reported them"
    shown = await page(client, "/conversions")
    assert [(row[1], row[3]) for row in shown.tables[caption][1:]] == [("1", "3.00"), ("2", "107.00")]
    assert [
        row[0].startswith(name) for row, name in zip(shown.tables[caption][1:], ("Your server", "A page"), strict=True)
    ]
    assert "values=keys" not in shown.text
    await server.store.sites.change_site(1, {"counted_values": "keys"})
    server.clock.now += 1_000
    await server.visit()  # the sites are read again
    shown = await page(client, "/conversions")
    assert [(row[1], row[3]) for row in shown.tables[caption][1:]] == [("1", "3.00"), ("2", "–")]
    assert "Value 3.00 EUR" in shown.text
    assert "values=keys" in shown.text


async def test_refunds_are_shown_apart_and_alone(server: Server, chain: PurchaseChain) -> None:
    writer = await with_key(server, "writer", scope="write")

    async def sell(number: str, value: str, currency: str = "EUR", **fields: str) -> None:
        sold = {"goal": "order", "id": number, "value": value, "currency": currency} | fields
        assert (await writer.http.post("/v1/conversions", json=sold)).status_code == 200

    await sell("A-1", "50.00", visit=chain.visits[1])
    await sell("A-2", "8", "USD", visit=chain.visits[0])
    before, note = server.clock.now, "A refund is no conversion."
    client = await signed_in(server)
    assert note not in (await page(client, "/conversions")).text
    server.clock.now += 2 * DAY_MS
    await sell("R-1", "-20.00", refund_of="A-1")
    await sell("R-2", "-8", "USD", refund_of="A-2")
    shown = await page(client, "/conversions")
    assert "Conversions 4 goals reached, of 2 kinds" in shown.text
    assert "Value 137.00 EUR 0.00 USD after 2 refunds: -20.00 EUR, -8.00 USD" in shown.text
    goals = [("Goal", "Conversions", "EUR", "USD"), ("order", "3", "130.00", "0.00"), ("letter", "1", "7.00", "–")]
    assert [(row[0], row[1], *row[3:]) for row in shown.tables["Conversions by goal"]] == goals  # and no others
    today = rfc3339(server.clock.now)[:10]
    alone = await page(client, f"/conversions?from={today}&to={today}")
    assert "Conversions 0 no goal reached, refunds alone" in alone.text
    assert "Value -20.00 EUR -8.00 USD after 2 refunds: -20.00 EUR, -8.00 USD" in alone.text
    assert note in alone.text
    assert "Owed to shares –" in alone.text
    for caption, rows in {
        "Conversions by goal": [("0", "-20.00", "-8.00")],
        "Conversions by who reported them": [("0", "-20.00", "-8.00"), ("0", "–", "–")],
        "Credit by channel": [("0", "-20.00", "–"), ("0", "–", "-8.00")],
        "Credit by share": [("0", "-20.00", "–")],
    }.items():
        assert [(row[1], *row[3:]) for row in alone.tables[caption][1:]] == rows, caption
    day = rfc3339(before)[:10]
    assert note not in (await page(client, f"/conversions?from={day}&to={day}")).text


async def test_every_view_is_a_url(server: Server, chain: PurchaseChain) -> None:
    client = await signed_in(server)
    shown = await page(client, "/conversions?model=last&goal=order&days=7&source=share")
    links = shown.values("a", "href")
    for model in MODELS:
        assert f"/conversions?model={model}&goal=order&days=7&source=share" in links
    assert "/conversions?model=last&days=7&source=share" in links  # the goal's chip
    assert "/conversions?model=last&goal=order&days=7" in links  # the source's
    assert f"/tokens?token={chain.tokens[2]}" in links
    assert "goals reached of this name" in shown.text
    hidden = dict(zip(shown.values("input", "name"), shown.values("input", "value"), strict=True))
    assert hidden == {"model": "last", "goal": "order", "source": "share", "from": "2026-10-30", "to": "2026-11-05"}


@pytest.mark.usefixtures("chain")
async def test_goals_lead_to_their_own_view(server: Server) -> None:
    client = await signed_in(server)
    shown = await page(client, "/conversions")
    assert [(row[0], row[1], row[3]) for row in shown.tables["Conversions by goal"]] == [
        ("Goal", "Conversions", "EUR"),
        ("letter", "1", "7.00"),
        ("order", "1", "100.00"),
    ]
    assert "/conversions?goal=letter" in shown.values("a", "href")
    letter = await page(client, "/conversions?goal=letter")
    assert [row[0] for row in letter.tables["Credit by channel"][1:]] == ["No shareno shared link led to it"]
    assert "Value 7.00 EUR" in letter.text
    assert "Credit by page" not in letter.tables
    nothing = await page(client, "/conversions?goal=nothing")
    assert "Owed to shares –" in nothing.text
    assert len(nothing.tables["Conversions by goal"]) == 3


async def test_currencies_have_columns_of_their_own(server: Server, chain: PurchaseChain) -> None:
    visit = await server.visit(server.browser("192.0.2.99"), token=chain.tokens[0])
    answer = await server.post(
        "conversions", session=visit["session"], goal="order", value="5", currency="USD", nonce="n" * 16
    )
    assert answer.status_code == 200
    shown = await page(await signed_in(server), "/conversions")
    head, *rows = shown.tables["Conversions by goal"]
    assert head[3:] == ["EUR", "USD"]
    assert {row[0]: row[3:] for row in rows} == {"order": ["100.00", "5.00"], "letter": ["7.00", "–"]}


async def test_a_goal_is_named_by_strangers(server: Server) -> None:
    goal = "<b onclick=alert(1)>"
    visit = await server.visit()
    await server.post("conversions", session=visit["session"], goal=goal, nonce="n" * 16)
    client = await signed_in(server)
    for params in ({}, {"goal": goal}):
        answer = await client.get("/conversions", params=params)
        assert goal not in answer.text
        assert "&lt;b onclick" in answer.text


async def test_before_the_first_conversion_there_is_how_to_tell_of_one(server: Server) -> None:
    shown = await page(await signed_in(server), "/conversions")
    assert 'grapevine.convert("order"' in shown.text
    assert not shown.tables


def credited(conversions: int, without: str, **channels: str) -> Attribution:
    rows = [CreditRow(channel, number, {}) for channel, number in channels.items()]
    return Attribution("linear", conversions, {}, 0, Unshared(without, {}), rows, [], [], {})


def test_the_bar_holds_all_conversions_by_family() -> None:
    drawn = segments(credited(8, "5", whatsapp="1.5", copy="1", telegram="0.5"))
    assert [(part.tone, part.conversions) for part in drawn] == [
        ("chat", Decimal(2)),
        ("link", Decimal(1)),
        ("none", Decimal(5)),
    ]
    assert [(part.x, part.width) for part in drawn] == [(0, 25), (25, 12.5), (37.5, 62.5)]


def test_a_part_that_is_nothing_is_not_drawn() -> None:
    assert segments(credited(0, "0")) == []
    assert [part.tone for part in segments(credited(1, "0", copy="1"))] == ["link"]
