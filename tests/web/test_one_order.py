"""One order wherever it is spoken of: two hops from a newsletter, told, paid late by key, and partly refunded."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import KeySet

from grapevine.config.settings import Settings
from grapevine.domain import ids
from grapevine.domain.periods import rfc3339
from tests.support.in_process_server import BOTH_BACKENDS, ORIGIN, Server, serving
from tests.support.webhook_receiver import receiving
from tests.web.api.test_read_api import KeyClient, with_key
from tests.web.api.test_webhook_events import add, came

pytestmark = [
    pytest.mark.anyio,
    # RFC 9864 prefers the name Ed25519, which few libraries know yet.
    pytest.mark.filterwarnings("ignore:EdDSA is deprecated via RFC 9864"),
]

ARTICLE = f"{ORIGIN}/articles/bread"
NEWSLETTER = f"{ARTICLE}?utm_source=letter&utm_medium=email&utm_campaign=spring"
TEXT = "a friend sent me your article"
PERIOD = {"from": "2026-11-01", "to": "2026-12-31"}
PAID, REFUNDED, LEFT = "49.00", "-9.00", "40.00"


@pytest.fixture
async def server(database: str) -> AsyncIterator[Server]:
    settings = Settings(
        database=database, secret_keys=(b"k" * 32,), rate_limit=0, base_url="https://share.example.com",
        webhook_networks=("127.0.0.0/8",),
    )  # fmt: skip
    async with serving(settings) as server:
        await server.add_site("site-a", ORIGIN)
        yield server
        await server.hang_up()


class Order:
    """The chain that the order was at the end of, and what is asked about it with a key."""

    def __init__(self, owner: KeyClient, visits: list[Any], tokens: list[str]) -> None:
        self.owner = owner
        self.visits = [visit["visit"] for visit in visits]
        self.tokens = tokens

    async def ask(self, path: str, **parameters: str) -> Any:
        response = await self.owner.http.get(path, params=parameters)
        assert response.status_code == 200, response.text
        return response.json()

    async def rows(self, table: str) -> list[dict[str, Any]]:
        response = await self.owner.http.get(f"/v1/export/{table}")
        return [json.loads(line) for line in response.text.splitlines()]


@BOTH_BACKENDS
async def test_one_order_is_the_same_everywhere(server: Server) -> None:
    owner = await with_key(server, "owner", scope="admin")
    async with receiving() as receiver:
        hook = await add(owner, receiver.url, "share.proven", "conversion.created", "answer.created")
        order = await _happens(server, owner)
        await _resolution(order)
        await _statistics(order)
        await _exports(order)
        await _answers(order)
        await _webhooks(await came(receiver, hook["secret"], 5), order)
        await _receipt(order)


async def _happens(server: Server, owner: KeyClient) -> Order:
    """The newsletter's reader copies the link, a friend opens and copies it again, and the friend's friend buys."""
    reader, friend, buyer = (server.browser(f"192.0.2.{number}") for number in (10, 20, 30))
    first = await server.visit(reader, url=NEWSLETTER)
    copied = first["tokens"]["copy"]
    await server.share(copied, reader, url=ARTICLE)
    server.clock.now += ids.HOUR_MS
    second = await server.visit(friend, url=ARTICLE, token=copied)
    passed_on = second["tokens"]["copy"]
    await server.share(passed_on, friend, url=ARTICLE)
    server.clock.now += ids.HOUR_MS
    third = await server.visit(buyer, url=ARTICLE, token=passed_on)
    answered = await server.post("answers", buyer, session=third["session"], text=TEXT, nonce="n" * 16)
    assert answered.status_code == 200
    server.clock.now += 20 * ids.DAY_MS
    paid = {"goal": "order", "id": "A-1", "value": PAID, "currency": "EUR", "token": passed_on}
    refund = {"goal": "order", "id": "R-1", "value": REFUNDED, "currency": "EUR", "refund_of": "A-1"}
    for body in (paid, paid, refund, refund):  # a shop that sends everything twice
        response = await owner.http.post("/v1/conversions", json=body)
        assert response.status_code == 200, response.text
    return Order(owner, [first, second, third], [copied, passed_on])


async def _resolution(order: Order) -> None:
    for depth, token in enumerate(order.tokens):
        found = await order.ask(f"/v1/tokens/{token}")
        assert [visit["visit"] for visit in found["chain"]] == order.visits[: depth + 1]
        assert found["chain"][0]["source"] == "campaign"
        assert (found["reach"]["conversions"], found["reach"]["value"]) == (1, {"EUR": LEFT})
        assert found["reach"]["visits"] == 2 - depth
    cascade = await order.ask(f"/v1/cascades/{order.visits[0]}")
    assert (cascade["size"], cascade["max_depth"], cascade["conversions"]) == (3, 2, 1)
    assert cascade["value"] == {"EUR": LEFT}
    assert [node["conversions"] for node in cascade["nodes"]] == [0, 0, 1]


async def _statistics(order: Order) -> None:
    summary = await order.ask("/v1/stats/summary", **PERIOD)
    assert (summary["conversions"], summary["value"]) == (1, {"EUR": LEFT})
    by_source = {row["key"]: row for row in await order.ask("/v1/stats/breakdown", by="source", **PERIOD)}
    assert (by_source["share"]["conversions"], by_source["share"]["value"]) == (1, {"EUR": LEFT})
    by_channel = {row["key"]: row for row in await order.ask("/v1/stats/breakdown", by="channel", **PERIOD)}
    assert (by_channel["copy"]["conversions"], by_channel["copy"]["value"]) == (1, {"EUR": LEFT})
    linear = await order.ask("/v1/attribution", model="linear", **PERIOD)
    assert sum(Decimal(row["conversions"]) for row in linear["channels"]) == 1, linear
    assert sum(Decimal(row["value"].get("EUR", 0)) for row in linear["channels"]) == Decimal(LEFT), linear


async def _exports(order: Order) -> None:
    paid, refund = sorted(await order.rows("conversions"), key=lambda row: row["id"])
    assert (paid["visit"], paid["value"], paid["refund_of"]) == (order.visits[2], PAID, None)
    assert (refund["visit"], refund["value"], refund["refund_of"]) == (order.visits[2], REFUNDED, "A-1")
    assert {paid["by"], refund["by"]} == {"key"}


async def _answers(order: Order) -> None:
    (row,) = await order.rows("answers")
    assert (row["visit"], row["text"], row["class"]) == (order.visits[2], TEXT, "friend")
    compared = await order.ask("/v1/stats/answers", **PERIOD)
    (friend,) = compared["classes"]
    assert (friend["class"], friend["sources"], friend["channels"]) == ("friend", {"share": 1}, {"copy": 1})
    assert (friend["agree"], friend["differ"], compared["agreement"]["n"]) == (1, 0, 1)
    (listed,) = (await order.ask("/v1/answers", **PERIOD))["answers"]
    assert (listed["id"], listed["text"], listed["source"], listed["arrived_by"]) == (row["id"], TEXT, "share", "copy")


async def _webhooks(events: list[Any], order: Order) -> None:
    told: dict[str, list[Any]] = {}
    for event in events:
        told.setdefault(event["type"], []).append(event["data"])
    assert sorted(share["token"] for share in told["share.proven"]) == sorted(order.tokens)
    paid, refund = sorted(told["conversion.created"], key=lambda data: data["id"])
    assert (paid["visit"], paid["depth"], paid["value"]) == (order.visits[2], 2, PAID)
    assert (refund["visit"], refund["value"], refund["refund_of"]) == (order.visits[2], REFUNDED, "A-1")
    assert paid["via"]["token"] == order.tokens[1]
    (answer,) = told["answer.created"]
    assert (answer["visit"], answer["text"], answer["source"]) == (order.visits[2], TEXT, "share")
    assert (answer["class"], answer["by"]) == ("friend", "page")
    assert [answer["answer"]] == [row["id"] for row in await order.rows("answers")]
    rows = {row["id"]: row["conversion"] for row in await order.rows("conversions")}
    assert (paid["conversion"], refund["conversion"]) == (rows["A-1"], rows["R-1"])


async def _receipt(order: Order) -> None:
    receipt = await order.ask("/v1/receipts", goal="order", id="A-1")
    keys = KeySet.import_key_set(await order.ask("/v1/receipt-keys", site="site-a"))
    says = json.loads(jws.deserialize_compact(receipt["document"], keys, algorithms=["EdDSA"]).payload)
    assert says == receipt["says"]
    assert (says["conversion"]["amount"], says["conversion"]["currency"]) == (LEFT, "EUR")
    assert [(hop["channel"], hop["generation"], hop["credit"]) for hop in says["hops"]] == [
        ("copy", 1, "20.00"), ("copy", 2, "20.00"),
    ]  # fmt: skip
    assert says["conversion"]["day"] == rfc3339(ids.day_start(2520))[:10]
    assert not any(text in json.dumps(says) for text in (*order.visits, *order.tokens, "bread", "A-1"))
