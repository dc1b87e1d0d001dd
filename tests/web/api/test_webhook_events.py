"""The events of batches, ``share.proven`` and the like: each is sent once, to the endpoints that want it, in the
transaction of its cause."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from standardwebhooks import Webhook

from grapevine.config.settings import Settings
from grapevine.domain import ids
from grapevine.domain.events import Conversion, Event
from grapevine.domain.periods import rfc3339
from grapevine.store.repositories.webhooks import WebhookBatches
from grapevine.webhooks import subscriptions
from grapevine.writer import webhook_events
from tests.support.in_process_server import BOTH_BACKENDS, ORIGIN, Server, serving
from tests.support.webhook_receiver import Receiver, receiving
from tests.web.api.test_read_api import KeyClient, with_key

pytestmark = pytest.mark.anyio

DEADLINE = 60


@pytest.fixture
async def server(database: str) -> AsyncIterator[Server]:
    """A server that may send to this machine."""
    settings = Settings(database=database, secret_keys=(b"k" * 32,), rate_limit=0, webhook_networks=("127.0.0.0/8",))
    async with serving(settings) as server:
        await server.add_site("site-a", ORIGIN)
        yield server
        await server.hang_up()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


@pytest.fixture
async def owner(server: Server) -> KeyClient:
    return await with_key(server, "owner", scope="admin")


async def add(owner: KeyClient, url: str, *events: str) -> Any:
    response = await owner.http.post("/v1/webhooks", json={"url": url, "events": [*events]})
    assert response.status_code == 201, response.text
    return response.json()


async def came(receiver: Receiver, secret: str, number: int) -> list[Any]:
    """The events that were received, verified by the specification's own package; as many as are sent."""
    async with asyncio.timeout(DEADLINE):
        while len(receiver.received) < number:
            receiver.came.clear()
            await receiver.came.wait()
    for each in receiver.received:
        signed_at = int(each.headers["webhook-timestamp"])
        signature = Webhook(secret).sign(
            each.headers["webhook-id"], datetime.fromtimestamp(signed_at, UTC), each.body.decode()
        )
        assert each.headers["webhook-signature"] == signature
    assert len({each.headers["webhook-id"] for each in receiver.received}) == len(receiver.received) == number
    return in_order(json.loads(each.body) for each in receiver.received)


def in_order(events: Iterable[Any]) -> list[Any]:
    """Two deliveries may overtake each other."""
    return sorted(events, key=lambda event: json.dumps(event, sort_keys=True))


async def stored(server: Server) -> list[tuple[str, Any]]:
    rows = await server.store.look("SELECT event, payload FROM deliveries ORDER BY created_at, delivery_id")
    return [(name, json.loads(payload)["data"]) for name, payload in rows]


@BOTH_BACKENDS
async def test_a_first_return_and_each_conversion_are_told_once_with_the_link_they_began_with(
    server: Server, owner: KeyClient, receiver: Receiver
) -> None:
    secret = (await add(owner, receiver.url, "share.proven", "conversion.created"))["secret"]
    await add(owner, "https://hook.example/", "spike.detected")
    made = (await owner.http.post("/v1/links", json={"url": f"{ORIGIN}/deep/page", "external_id": "crm-7"})).json()
    named = {"token": made["token"], "visit": made["visit"], "external_id": "crm-7", "label": None, "campaign": None}
    first = await server.visit(server.browser("192.0.2.1"), token=made["token"])
    await server.visit(server.browser("192.0.2.2"), token=made["token"])  # the link is proven already
    token = first["tokens"]["whatsapp"]
    await server.share(token, url=f"{ORIGIN}/shared")
    friend = await server.visit(server.browser("192.0.2.3"), token=token, url=f"{ORIGIN}/shared")
    fields: dict[str, Any] = {"goal": "order", "id": "A-1", "value": "49", "currency": "EUR"}
    for _ in range(2):
        await server.post("conversions", session=friend["session"], nonce="n" * 16, **fields)
        keyed = await owner.http.post("/v1/conversions", json=fields | {"visit": friend["visit"], "value": "45.5"})
        assert keyed.status_code == 200
    alone = await server.visit(server.browser("192.0.2.4"))
    at = rfc3339(server.clock.now - ids.HOUR_MS)
    await owner.http.post("/v1/conversions", json={"visit": alone["visit"], "goal": "call", "id": "1", "at": at})
    now, site = rfc3339(server.clock.now), "site-a"
    page = f"{ORIGIN}/deep/page"
    shared = {"site": site, "channel": "whatsapp", "n": 0, "page": f"{ORIGIN}/shared", "depth": 1, "at": now}
    order = {"site": site, "visit": friend["visit"], "goal": "order", "id": "A-1", "currency": "EUR", "at": now}
    via = {"token": token, "visit": first["visit"], "channel": "whatsapp", "n": 0}
    order |= {"page": f"{ORIGIN}/shared", "source": "share", "depth": 2, "via": via, "link": named}
    link = {"site": site, "channel": "link", "n": 0, "page": page, "depth": 0, "at": now, "link": named}
    expected = [
        ("share.proven", link | {"token": made["token"], "visit": made["visit"]}),
        ("share.proven", shared | {"token": token, "visit": first["visit"], "link": named}),
        ("conversion.created", order | {"value": "49.00", "by": "page", "replaces": False}),
        ("conversion.created", order | {"value": "45.50", "by": "key", "replaces": True}),
        ("conversion.created", {
            "site": site, "visit": alone["visit"], "goal": "call", "id": "1", "value": None, "currency": None,
            "by": "key", "replaces": False, "page": page, "source": "direct-deep", "depth": 0, "at": at, "via": None,
            "link": None,
        }),
    ]  # fmt: skip
    events = await came(receiver, secret, len(expected))
    lines = (await owner.http.get("/v1/export/conversions")).text.splitlines()
    numbers = {(row["goal"], row["id"]): row["conversion"] for row in map(msgspec.json.decode, lines)}
    wanted = [
        {
            "type": name,
            "timestamp": now,
            "data": data | {"conversion": numbers[data["goal"], data["id"]], "refund_of": None}
            if name == "conversion.created"
            else data,
        }
        for name, data in expected
    ]
    assert in_order(events) == in_order(wanted)
    for payload, *visits in await server.store.look("SELECT payload, visit_id, via_id, link_id FROM deliveries"):
        texts = re.findall('"visit":"([^"]+)"', payload)
        assert {ids.visit_number(each) for each in texts} == {*visits} - {None}
    # An erasure takes the events away that name the visit.
    assert (await owner.http.delete(f"/v1/visits/{friend['visit']}")).status_code == 204
    left = sorted(name for name, _ in await stored(server))
    assert left == ["conversion.created", "share.proven", "share.proven"]


@BOTH_BACKENDS
async def test_a_batch_that_fails_leaves_no_event_and_its_repeat_one(
    server: Server, owner: KeyClient, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    await add(owner, receiver.url, "conversion.created")
    visit = ids.visit_number((await server.visit())["visit"]) or 0
    event = Conversion(
        site_id=1, visit_id=visit, goal="order", once="id 5 order 1", external_id="1", at=server.clock.now,
        value=None, currency=None, reported_by=1,
    )  # fmt: skip
    recorder, events = server.state.writer.recorder, list[Event]([event, event])
    with monkeypatch.context() as patched:
        posted = WebhookBatches.post

        async def die(*given: Any) -> None:
            await posted(*given)
            raise RuntimeError("killed after the event was written")

        patched.setattr(WebhookBatches, "post", die)
        with pytest.raises(RuntimeError):
            await recorder.record(events)
    assert await stored(server) == []
    for _ in range(2):  # the second time is the retry of a batch whose COMMIT was not heard of
        await recorder.record(events)
    assert [name for name, _ in await stored(server)] == ["conversion.created"]


async def test_who_wants_no_such_event_costs_no_statement_and_gets_none(
    server: Server, owner: KeyClient, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unwanted(_: object) -> None:
        raise AssertionError("a batch looked for endpoints")

    async def pass_on(server: Server) -> None:
        visit = await server.visit()
        await server.visit(server.browser("192.0.2.9"), token=visit["tokens"]["copy"])
        converted = await server.post("conversions", session=visit["session"], goal="g", nonce="n" * 16)
        assert converted.status_code == 200

    with monkeypatch.context() as patched:
        patched.setattr(webhook_events, "post", unwanted)
        await pass_on(server)
        added = await add(owner, receiver.url, "spike.detected")
        await pass_on(server)
    changed = {"events": ["share.proven"]}
    assert (await owner.http.patch(f"/v1/webhooks/{added['id']}", json=changed)).status_code == 200
    await pass_on(server)
    assert [name for name, _ in await stored(server)] == ["share.proven"]
    off = {"enabled": False}
    assert (await owner.http.patch(f"/v1/webhooks/{added['id']}", json=off)).status_code == 200
    with monkeypatch.context() as patched:
        patched.setattr(webhook_events, "post", unwanted)
        await pass_on(server)
    # Another process has not heard of it yet: the row of the endpoint decides.
    monkeypatch.setattr(server.state.subscriptions, "_wanting", {"share.proven": frozenset({1, 2})})
    await pass_on(server)
    assert len(await stored(server)) == 1


async def test_suspects_self_returns_and_repeats_prove_nothing(
    server: Server, owner: KeyClient, receiver: Receiver
) -> None:
    await add(owner, receiver.url, "share.proven", "conversion.created")
    driven = server.browser("192.0.2.5", user_agent="Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/142.0.0.0")
    visit = await server.visit()
    token = visit["tokens"]["copy"]
    await server.visit(token=token, own=True)
    suspect = await server.visit(driven, token=token)
    await server.post("conversions", driven, session=suspect["session"], goal="g", nonce="n" * 16)
    assert await stored(server) == []


async def test_a_flood_of_returns_is_no_flood_of_events(
    server: Server, owner: KeyClient, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    monkeypatch.setattr(subscriptions, "MOST_AN_HOUR", 3)
    await add(owner, receiver.url, "share.proven", "conversion.created")

    async def flood(times: int, name: str) -> None:
        for number in range(times):
            visit = await server.visit()
            token = visit["tokens"]["copy"]
            await server.visit(server.browser(f"192.0.2.{number + 2}"), token=token)
            fields: dict[str, Any] = {"goal": "g", "nonce": f"nonce-of-{name}-{number:04}"}
            await server.post("conversions", session=visit["session"], **fields)

    await flood(5, "first")
    visit = (await server.visit())["visit"]
    keyed = {"visit": visit, "goal": "order", "id": "1"}  # bounded apart: strangers use up nothing of the owner's
    assert (await owner.http.post("/v1/conversions", json=keyed)).status_code == 200
    names = [name for name, _ in await stored(server)]
    assert (names.count("share.proven"), names.count("conversion.created")) == (3, 4)
    assert server.state.subscriptions.withheld == {
        "share.proven": 2, "conversion.created": 2, "answer.created": 0, "cascade.milestone": 0
    }  # fmt: skip
    assert "no more of them are sent" in caplog.text
    server.clock.now += ids.HOUR_MS
    await flood(1, "later")
    assert len(await stored(server)) == 9


async def test_one_network_does_not_silence_others_and_all_of_them_no_minted_links(
    server: Server, owner: KeyClient, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscriptions, "MOST_OF_NETWORK", 1)
    monkeypatch.setattr(subscriptions, "MOST_AN_HOUR", 3)
    await add(owner, receiver.url, "share.proven", "conversion.created")

    async def pass_on(network: str, number: int) -> None:
        sharer = server.browser(f"192.0.2.{network}")
        visit = await server.visit(sharer)
        await server.visit(server.browser("198.51.100.9"), token=visit["tokens"]["copy"])
        await server.post("conversions", sharer, session=visit["session"], goal="g", nonce=f"{network}{number:n>15}")

    for network, expected in (("2", 1), ("3", 2), ("4", 3), ("5", 3)):
        for number in range(2):
            await pass_on(network, number)
        names = [name for name, _ in await stored(server)]
        assert (names.count("share.proven"), names.count("conversion.created")) == (expected, expected)
    for _ in range(2):
        link = (await owner.http.post("/v1/links", json={"url": f"{ORIGIN}/deep/page"})).json()
        await server.visit(server.browser("198.51.100.9"), token=link["token"])
    assert len(await stored(server)) == 8


@BOTH_BACKENDS
async def test_an_answer_is_told_once_with_and_without_a_visit(
    server: Server, owner: KeyClient, receiver: Receiver
) -> None:
    secret = (await add(owner, receiver.url, "answer.created"))["secret"]
    sharer = await server.visit()
    token = sharer["tokens"]["whatsapp"]
    friend = await server.visit(server.browser("192.0.2.3"), token=token)
    for _ in range(2):
        await server.post(
            "answers", session=friend["session"], text="a friend", contact="ann@a.example", nonce="n" * 16
        )
        await server.post("answers", text="the radio", nonce="m" * 16)
    events = await came(receiver, secret, 2)
    assert {event["type"] for event in events} == {"answer.created"}
    told = {event["data"]["text"]: event["data"] for event in events}
    answers = await server.store.look("SELECT visit_id, event_key FROM answers ORDER BY visit_id DESC")
    assert [told[text].pop("answer") for text in ("a friend", "the radio")] == [
        ids.visit_text(visit) + ids.key_text(key) for visit, key in answers
    ]
    now = rfc3339(server.clock.now)
    assert told["a friend"] == {
        "site": "site-a", "visit": friend["visit"], "text": "a friend", "class": "friend",
        "channel": None, "by": "page", "contact": "ann@a.example",
        "page": f"{ORIGIN}/deep/page", "source": "share", "depth": 1, "at": now, "link": None,
        "via": {"token": token, "visit": sharer["visit"], "channel": "whatsapp", "n": 0},
    }  # fmt: skip
    assert told["the radio"] == {
        "site": "site-a", "visit": None, "text": "the radio", "class": "press",
        "channel": None, "by": "page", "contact": None, "page": None, "source": None,
        "depth": None, "at": now, "via": None, "link": None,
    }  # fmt: skip
    assert (await owner.http.delete(f"/v1/visits/{friend['visit']}")).status_code == 204
    assert [data["text"] for _, data in await stored(server)] == ["the radio"]


@BOTH_BACKENDS
async def test_a_milestone_is_told_once_although_a_cascade_shrinks_and_grows_again(
    server: Server, owner: KeyClient, receiver: Receiver
) -> None:
    secret = (await add(owner, receiver.url, "cascade.milestone"))["secret"]
    root = await server.visit()
    token = root["tokens"]["copy"]
    friends = [await server.visit(server.browser(f"192.0.2.{number}"), token=token) for number in range(2, 11)]
    last = await server.visit(server.browser("192.0.2.20"), token=friends[0]["tokens"]["copy"])
    (event,) = await came(receiver, secret, 1)
    now = rfc3339(server.clock.now)
    assert event["data"] == {
        "site": "site-a", "root": root["visit"], "page": f"{ORIGIN}/deep/page", "milestone": 10, "size": 10,
        "max_depth": 1, "started_at": now, "at": now, "link": None,
    }  # fmt: skip
    for visit in (last, friends[-1]):
        assert (await owner.http.delete(f"/v1/visits/{visit['visit']}")).status_code == 204
    for number in range(3):
        await server.visit(server.browser(f"192.0.2.{number + 30}"), token=token)
    assert [data["milestone"] for _, data in await stored(server)] == [10]
    # A minted link begins a cascade whose node is no visit.
    made = (await owner.http.post("/v1/links", json={"url": f"{ORIGIN}/deep/page", "label": "Spring"})).json()
    for number in range(10):
        await server.visit(server.browser(f"198.51.100.{number}"), token=made["token"])
    told = {data["root"]: data for _, data in await stored(server)}
    assert told[made["visit"]]["link"]["label"] == "Spring"
    assert told[made["visit"]]["size"] == 10
    # An erasure of its first visit takes the event away.
    assert (await owner.http.delete(f"/v1/visits/{root['visit']}")).status_code == 204
    assert [data["root"] for _, data in await stored(server)] == [made["visit"]]
