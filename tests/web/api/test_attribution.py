"""``GET /v1/attribution`` over HTTP."""

from __future__ import annotations

import secrets
from fractions import Fraction
from typing import Any

import pytest

from grapevine.analytics.models.attribution import MODELS
from tests.support.in_process_server import ORIGIN, Server
from tests.web.api.test_read_api import KeyClient, refused, with_key

pytestmark = pytest.mark.anyio

PATH = "/v1/attribution"


@pytest.fixture
async def asker(server: Server) -> KeyClient:
    return await with_key(server, "reader")


class PurchaseChain:
    """Four people, each brought by the one before through another channel, and a stranger; all buy something."""

    def __init__(self) -> None:
        self.tokens: list[str] = []
        self.visits: list[str] = []

    async def play(self, server: Server) -> None:
        token, session = None, ""
        for number, channel in enumerate(("copy", "whatsapp", "copy", "whatsapp")):
            browser = server.browser(f"192.0.2.{number}")
            visit = await server.visit(browser, token=token, url=f"{ORIGIN}/page-{number}")
            token, session = visit["tokens"][channel], visit["session"]
            self.tokens.append(token)
            self.visits.append(visit["visit"])
        await server.share(self.tokens[0], url=f"{ORIGIN}/shared")
        await self.buy(server, session, "100.00", "order")
        stranger = await server.visit(server.browser("192.0.2.77"))
        await self.buy(server, stranger["session"], "7.00", "letter")

    async def buy(self, server: Server, session: str, value: str, goal: str) -> None:
        answer = await server.post(
            "conversions", session=session, goal=goal, value=value, currency="EUR", nonce=secrets.token_hex(8)
        )
        assert answer.status_code == 200, answer.text


@pytest.fixture
async def chain(server: Server) -> PurchaseChain:
    chain = PurchaseChain()
    await chain.play(server)
    return chain


def worth(rows: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    return [(row["key"], row["conversions"], row["value"]["EUR"]) for row in rows]


async def test_each_model_credits_the_chain_in_its_own_way(asker: KeyClient, chain: PurchaseChain) -> None:
    one, two, three, _ = chain.tokens
    expected = {
        "first": [(one, "1", "100.00")],
        "last": [(three, "1", "100.00")],
        "linear": [(one, "0.333334", "33.333334"), (two, "0.333333", "33.333333"), (three, "0.333333", "33.333333")],
        "position": [(one, "0.4", "40.00"), (three, "0.4", "40.00"), (two, "0.2", "20.00")],
    }
    for model, rows in expected.items():
        found = await asker.json(PATH, model=model)
        assert sorted(worth(found["shares"])) == sorted(rows), model
        assert found["without_share"] == {"conversions": "1", "value": {"EUR": "7.00"}}
        assert (found["model"], found["conversions"], found["value"], found["truncated"]) == (
            model,
            2,
            {"EUR": "107.00"},
            0,
        )
    linear = await asker.json(PATH, model="linear")
    assert worth(linear["channels"]) == [("copy", "0.666667", "66.666667"), ("whatsapp", "0.333333", "33.333333")]
    assert [row["key"] for row in linear["pages"]] == [f"{ORIGIN}/shared", f"{ORIGIN}/page-1", f"{ORIGIN}/page-2"]
    shares = {row["key"]: (row["channel"], row["url"]) for row in linear["shares"]}
    assert shares == {
        one: ("copy", f"{ORIGIN}/shared"),
        two: ("whatsapp", f"{ORIGIN}/page-1"),
        three: ("copy", f"{ORIGIN}/page-2"),
    }


@pytest.mark.usefixtures("chain")
@pytest.mark.parametrize("limit", [1, 2, 100])
async def test_every_list_adds_up_to_the_whole(asker: KeyClient, limit: int) -> None:
    for model in MODELS:
        found = await asker.json(PATH, model=model, limit=limit)
        for name in ("channels", "pages", "shares"):
            rows = [*found[name], found["without_share"]]
            assert sum(Fraction(row["conversions"]) for row in rows) == found["conversions"]
            assert sum(Fraction(row["value"]["EUR"]) for row in rows) == Fraction(found["value"]["EUR"])
            assert all(row["key"] != "(other)" for row in found[name][:limit])


@pytest.mark.usefixtures("chain")
async def test_filters_and_goals_narrow_what_is_credited(asker: KeyClient) -> None:
    async def conversions(**params: str) -> Any:
        return (await asker.json(PATH, model="linear", **params))["conversions"]

    assert await conversions(goal="letter") == 1
    assert await conversions(goal="nothing") == 0
    assert await conversions(source="share") == 1
    assert await conversions(page=f"{ORIGIN}/page-3") == 1
    assert await conversions(channel="whatsapp") == 0
    assert await conversions(device="phone") == 0
    assert await conversions(to="2026-11-01") == await conversions(**{"from": "2026-11-08", "to": "2026-11-08"}) == 0


async def test_nothing_is_credited_where_nothing_was_sold(asker: KeyClient) -> None:
    nothing = {"conversions": "0", "value": {}}
    assert await asker.json(PATH, model="first") == {
        "model": "first", "conversions": 0, "value": {}, "truncated": 0, "without_share": nothing, "channels": [],
        "pages": [], "shares": [],
        "conversions_by": {name: {"conversions": 0, "value": {}} for name in ("key", "page")},
    }  # fmt: skip


async def test_what_cannot_be_asked(server: Server, asker: KeyClient) -> None:
    wrong: list[tuple[dict[str, Any], str]] = [
        ({}, "model"),
        ({"model": "taste"}, "model"),
        ({"model": "last", "limit": 0}, "limit"),
        ({"model": "last", "by": "page"}, "by"),
        ({"model": "last", "from": "x"}, "from"),
    ]
    for params, field in wrong:
        assert refused(await asker.get(PATH, **params)) == (422, "invalid", [field])
    assert (await server.http.get(PATH, params={"model": "last"})).status_code == 401
