"""``/v1/webhooks`` and ``/v1/spikes`` over HTTP: authorization, responses, and the delivery of a spike."""

from __future__ import annotations

import asyncio
import base64
from datetime import UTC, datetime
from typing import Any

import pytest
from standardwebhooks import Webhook

from grapevine.config.settings import Settings
from grapevine.domain.ids import DAY_MS
from grapevine.domain.periods import rfc3339
from grapevine.domain.urls import page_id
from grapevine.store.repositories.spikes import SpikeRow
from grapevine.webhooks.signing import EVENTS, event
from tests.support.in_process_server import BOTH_BACKENDS, NOON, ORIGIN, Server, serving
from tests.support.webhook_receiver import receiving
from tests.web.api.test_read_api import KeyClient, refused, with_key

pytestmark = pytest.mark.anyio

URL = "https://hook.example/grapevine?x=1"


@pytest.fixture
async def owner(server: Server) -> KeyClient:
    return await with_key(server, "owner", scope="admin")


async def add(owner: KeyClient, **fields: Any) -> Any:
    answer = await owner.http.post("/v1/webhooks", json={"url": URL} | fields)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def happen(server: Server, number: int = 1) -> str:
    published = event(1, "spike.detected", server.clock.now, {"number": number})
    await server.store.webhooks.publish(published, lambda: f"msg_{number}")
    return f"msg_{number}"


async def test_an_endpoint_is_added_shown_changed_and_taken_away(server: Server, owner: KeyClient) -> None:
    added = await add(owner)
    secret = added.pop("secret")
    assert secret.startswith("whsec_")
    assert len(base64.b64decode(secret.removeprefix("whsec_"))) == 32
    assert added == {
        "id": added["id"],
        "url": URL,
        "events": [*EVENTS],
        "created_at": rfc3339(server.clock.now),
        "enabled": True,
        "disabled": None,
        "paused": None,
    }
    assert await owner.json("/v1/webhooks") == {"webhooks": [added]}
    path = f"/v1/webhooks/{added['id']}"
    assert await owner.json(path) == added
    changed = await owner.http.patch(path, json={"url": "https://other.example/", "events": ["spike.detected"]})
    assert changed.json() == added | {"url": "https://other.example/", "events": ["spike.detected"]}
    gone = await owner.http.delete(path)
    assert (gone.status_code, gone.content) == (204, b"")
    assert await owner.json("/v1/webhooks") == {"webhooks": []}
    for answer in (await owner.get(path), await owner.http.delete(path), await owner.http.patch(path, json={})):
        assert refused(answer)[:2] == (404, "not-found")


async def test_an_endpoint_that_is_switched_off_gets_nothing_and_can_be_switched_on(
    server: Server, owner: KeyClient
) -> None:
    path = f"/v1/webhooks/{(await add(owner))['id']}"
    before = await happen(server)
    off = (await owner.http.patch(path, json={"enabled": False})).json()
    assert (off["enabled"], off["disabled"]) == (False, {"at": rfc3339(server.clock.now), "reason": "switched off"})
    again = await owner.http.post(f"{path}/deliveries/{before}/retry")
    assert refused(again) == (409, "conflict", [])
    assert again.json()["detail"] == "The endpoint is disabled; enable it first."
    server.clock.now += 1
    await happen(server, 2)
    (given_up,) = (await owner.json(f"{path}/deliveries"))["deliveries"]
    assert (given_up["id"], given_up["state"], given_up["error"]) == (before, "failed", "switched off")
    on = (await owner.http.patch(path, json={"enabled": True})).json()
    assert (on["enabled"], on["disabled"]) == (True, None)
    again = await owner.http.post(f"{path}/deliveries/{before}/retry")
    assert (again.status_code, again.json()) == (202, {})
    assert refused(await owner.http.post(f"{path}/deliveries/msg_none/retry"))[:2] == (404, "not-found")


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"url": "http://hook.example/"}, "url"), ({"url": "ftp://hook.example/"}, "url"), ({"url": "hook"}, "url"),
        ({"url": "https://127.0.0.1/"}, "url"), ({"url": "https://10.1.2.3/"}, "url"),
        ({"url": "https://[::1]/"}, "url"), ({"url": "https://[::ffff:10.0.0.1]/"}, "url"),
        ({"url": "https://169.254.169.254/latest/meta-data"}, "url"), ({"url": "https://[64:ff9b::a00:1]/"}, "url"),
        ({"url": "https://[2002:a00:1::]/"}, "url"), ({"url": "https://0.0.0.0/"}, "url"),
        ({"url": "https://224.0.1.1/"}, "url"), ({"url": "https://100.64.0.1/"}, "url"),
        ({"url": "https://me:secret@hook.example/"}, "url"), ({"url": "https://hook.example/#x"}, "url"),
        ({"events": []}, "events"), ({"events": ["spike"]}, "events"), ({"events": ["mention"]}, "events"),
        ({"secret": "whsec_mine"}, "secret"), ({"url": 5}, "url"),
    ],
)  # fmt: skip
async def test_what_cannot_be_an_endpoint(owner: KeyClient, fields: dict[str, Any], wrong: str) -> None:
    kept = (await add(owner))["id"]
    for answer in (
        await owner.http.post("/v1/webhooks", json={"url": URL} | fields),
        await owner.http.patch(f"/v1/webhooks/{kept}", json=fields),
    ):
        assert refused(answer) == (422, "invalid", [wrong])
    assert len((await owner.json("/v1/webhooks"))["webhooks"]) == 1


async def test_a_site_has_so_many_endpoints_at_most(owner: KeyClient) -> None:
    for number in range(20):
        await add(owner, url=f"https://hook.example/{number}")
    assert refused(await owner.http.post("/v1/webhooks", json={"url": URL})) == (422, "invalid", ["url"])


@BOTH_BACKENDS
async def test_many_endpoints_added_at_once_keep_the_bound(owner: KeyClient) -> None:
    answers = await asyncio.gather(
        *(owner.http.post("/v1/webhooks", json={"url": f"https://hook.example/{number}"}) for number in range(40))
    )
    assert sorted(answer.status_code for answer in answers) == [201] * 20 + [422] * 20
    assert len((await owner.json("/v1/webhooks"))["webhooks"]) == 20


@BOTH_BACKENDS
async def test_concurrent_changes_of_an_endpoint_are_all_kept(owner: KeyClient) -> None:
    path = f"/v1/webhooks/{(await add(owner))['id']}"
    changes: list[dict[str, Any]] = [
        {"url": "https://hook.example/new"}, {"events": ["spike.detected"]}, {"enabled": False},
    ]  # fmt: skip
    answers = await asyncio.gather(*(owner.http.patch(path, json=each) for each in changes * 3))
    assert {answer.status_code for answer in answers} == {200}
    found = await owner.json(path)
    assert (found["url"], found["enabled"]) == ("https://hook.example/new", False)


async def test_authorization(server: Server, owner: KeyClient) -> None:
    await server.add_site("site-b", "https://b.example")
    added = await add(owner)
    path = f"/v1/webhooks/{added['id']}"
    anonymous = server.browser()
    assert (await anonymous.get("/v1/webhooks")).status_code == 401
    reader, writer = await with_key(server, "reader"), await with_key(server, "writer", scope="write")
    for asker in (reader, writer):
        for answer in (
            await asker.get("/v1/webhooks"),
            await asker.http.post("/v1/webhooks", json={"url": URL}),
            await asker.get(path),
            await asker.http.patch(path, json={}),
            await asker.http.delete(path),
            await asker.get(f"{path}/deliveries"),
            await asker.http.post(f"{path}/deliveries/x/retry"),
        ):
            assert refused(answer)[:2] == (403, "forbidden")
    neighbour = await with_key(server, "neighbour", site_id=2, scope="admin")
    assert (await neighbour.json("/v1/webhooks")) == {"webhooks": []}
    for answer in (
        await neighbour.get(path),
        await neighbour.http.patch(path, json={"enabled": False}),
        await neighbour.http.delete(path),
        await neighbour.get(f"{path}/deliveries"),
        await neighbour.http.post(f"{path}/deliveries/x/retry"),
    ):
        assert refused(answer)[:2] == (404, "not-found")
    assert refused(await neighbour.get("/v1/webhooks", site="site-a"))[:2] == (403, "forbidden")
    everywhere = await with_key(server, "everywhere", site_id=0, scope="admin")
    assert refused(await everywhere.get("/v1/webhooks")) == (422, "invalid", ["site"])
    found = await everywhere.json("/v1/webhooks", site="site-a")
    assert [each["id"] for each in found["webhooks"]] == [added["id"]]
    assert "secret" not in found["webhooks"][0]


async def test_an_event_arrives_and_its_delivery_is_shown(database: str) -> None:
    """The whole server at work: from the outbox to an endpoint of this machine, which the settings allow."""
    settings = Settings(database=database, secret_keys=(b"k" * 32,), webhook_networks=("127.0.0.0/8",))
    async with receiving() as receiver, serving(settings) as server:
        await server.add_site("site-a", ORIGIN)
        owner = await with_key(server, "owner", scope="admin")
        added = await add(owner, url=receiver.url)
        await happen(server)
        await receiver.came.wait()
        (received,) = receiver.received
        assert received.headers["webhook-id"] == "msg_1"
        assert received.headers["webhook-timestamp"] == str(server.clock.now // 1000)
        at = datetime.fromtimestamp(server.clock.now // 1000, UTC)
        signature = Webhook(added["secret"]).sign("msg_1", at, received.body.decode())
        assert received.headers["webhook-signature"] == signature
        shown: dict[str, Any] = {"state": "pending"}
        while shown["state"] == "pending":
            await asyncio.sleep(0.01)
            (shown,) = (await owner.json(f"/v1/webhooks/{added['id']}/deliveries"))["deliveries"]
        assert (shown["state"], shown["attempts"], shown["status"]) == ("delivered", 1, 204)
        assert shown["payload"]["data"] == {"number": 1}
        assert refused(await owner.get(f"/v1/webhooks/{added['id']}/deliveries", limit=0))[2] == ["limit"]


async def test_spikes_are_shown(server: Server) -> None:
    asker = await with_key(server, "reader")
    assert await asker.json("/v1/spikes") == {"spikes": []}
    await server.visit()
    at = server.clock.now
    published = event(1, "spike.detected", at, {})
    spike = SpikeRow(
        page_id=page_id(1, f"{ORIGIN}/deep/page"), started_at=at, last_at=at, returns=52, expected=1.98765, peak=52
    )
    await server.store.spikes.raise_spike(1, spike, published, lambda: "msg_1")
    await server.store.spikes.prolong(1, spike.page_id, at, at + 300_000, 70)
    shown = {
        "page": f"{ORIGIN}/deep/page",
        "at": rfc3339(at),
        "last_at": rfc3339(at + 300_000),
        "over": False,
        "returns": 52,
        "expected": 1.99,
        "peak": 70,
    }
    assert await asker.json("/v1/spikes") == {"spikes": [shown]}
    server.clock.now = NOON + 2 * DAY_MS
    assert await asker.json("/v1/spikes") == {"spikes": [shown | {"over": True}]}
    assert await asker.json("/v1/spikes", **{"from": "2020-01-01", "to": "2020-01-02"}) == {"spikes": []}
    assert refused(await asker.get("/v1/spikes", limit=1001)) == (422, "invalid", ["limit"])
    assert refused(await asker.get("/v1/spikes", page="x")) == (422, "invalid", ["page"])
