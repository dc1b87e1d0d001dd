"""Webhooks on their way: signed, tried again, given up, taken by one process, and never to where they must not go."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Sequence

import pytest
import trustme
from msgspec.structs import replace
from standardwebhooks import Webhook, WebhookVerificationError

from grapevine.egress.policy import EgressPolicy
from grapevine.telemetry.job_runs import JobRuns
from grapevine.webhooks import delivery
from grapevine.webhooks.delivery import DISABLE_MS, PAUSE_MS, PROBE_MS, RETENTION_MS
from grapevine.webhooks.retry_schedule import CLAIM_MS, RETRY_DELAYS_MS
from grapevine.webhooks.signing import EVENTS, event, new_secret
from tests.store.webhooks.outbox import SITE, Outbox, signed
from tests.support.backends import Backend
from tests.support.talks import serving
from tests.support.webhook_receiver import HALF, Receiver, Says, receiving

pytestmark = pytest.mark.anyio

KILLED = """
import asyncio, sys, time
from grapevine.egress.policy import EgressPolicy
from grapevine.webhooks.delivery import Sender
from grapevine.store.factory import make_store
from grapevine.config.settings import Settings
from grapevine.keyring.keyring import KeyRing
from grapevine.telemetry.job_runs import JobRuns

async def main() -> None:
    store = make_store(Settings(database=sys.argv[1]))
    await store.open()
    egress, ring = EgressPolicy(["127.0.0.0/8"]), KeyRing([b"k" * 32])
    sender = Sender(store.webhooks, egress, lambda: time.time_ns() // 1_000_000, lambda: 0.0, ring)
    await sender.send_due()

asyncio.run(main())
"""


async def test_an_event_is_delivered_and_verified(outbox: Outbox, receiver: Receiver) -> None:
    endpoint, other_site = await outbox.endpoint(receiver.url), await outbox.happen(site=8)
    assert (await outbox.happen(), other_site) == (1, 0)
    assert await outbox.sender().send_due() == 1
    (received,) = receiver.received
    assert received.line == "POST /hook HTTP/1.1"
    delivered = Webhook(endpoint.secret).verify(received.body, received.headers)
    assert delivered["type"] == "spike.detected"
    assert delivered["data"] == {"page": "https://a.example/1", "title": "Brot & Käse"}
    row = await outbox.only(endpoint)
    assert received.headers["webhook-id"] == row.delivery_id
    assert (row.delivered_at, row.next_at, row.attempts, row.status) == (outbox.now, None, 1, 204)
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret(secrets.token_bytes)).verify(received.body, received.headers)
    outbox.now += 10 * RETENTION_MS
    assert await outbox.sender().send_due() == 0


async def test_only_events_that_are_wanted(outbox: Outbox, receiver: Receiver) -> None:
    await outbox.endpoint(receiver.url)
    assert await outbox.happen(name="share.proven") == 0


async def test_an_endpoint_that_fails_is_asked_again_with_growing_pauses(outbox: Outbox, receiver: Receiver) -> None:
    endpoint = await outbox.endpoint(receiver.url)
    elsewhere = f"{receiver.url}/elsewhere"
    receiver.says = [(500, {}), (302, {"location": elsewhere}), (404, {}), (429, {"retry-after": "10000"}), (200, {})]
    await outbox.happen()
    waits = []
    for attempt in range(1, 5):
        assert await outbox.sender().send_due() == 1
        row = await outbox.only(endpoint)
        assert row.next_at is not None
        assert (row.attempts, row.delivered_at) == (attempt, None)
        waits.append(row.next_at - outbox.now)
        outbox.now = row.next_at - 1
        assert await outbox.sender().send_due() == 0
        outbox.now += 1
        outbox.chance = 1.0
    assert waits == [RETRY_DELAYS_MS[0], RETRY_DELAYS_MS[1] * 1.2, RETRY_DELAYS_MS[2] * 1.2, 10_000_000]
    await outbox.sender().send_due()
    row = await outbox.only(endpoint)
    assert (row.delivered_at, row.attempts, row.status, row.error) == (outbox.now, 5, 200, None)
    assert [each.line for each in receiver.received] == ["POST /hook HTTP/1.1"] * 5
    assert {each.headers["webhook-id"] for each in receiver.received} == {row.delivery_id}
    assert len({each.headers["webhook-timestamp"] for each in receiver.received}) == 5
    assert all(signed(each, endpoint.secret) for each in receiver.received)


async def test_an_endpoint_that_fails_for_an_hour_is_paused_tried_now_and_then_and_loses_nothing(
    outbox: Outbox, receiver: Receiver
) -> None:
    endpoint = await outbox.endpoint(receiver.url)
    other = await outbox.endpoint(f"{receiver.url}/other")
    await outbox.hooks.change(SITE, other.webhook_id, lambda row: replace(row, disabled_at=1, reason="off"))
    for number in range(5):
        await outbox.happen(number)
    began = outbox.now
    while (found := await outbox.reread(endpoint)).paused_at is None:
        receiver.says = [(503, {})] * 10
        await outbox.sender().send_due()
        await outbox.wait_until_due(endpoint)
    assert (found.failing_since, found.reason, found.disabled_at) == (began, "answered 503", None)
    assert found.paused_at is not None
    assert PAUSE_MS <= found.paused_at - began < 4 * PAUSE_MS
    receiver.says = [(503, {})] * 10
    for number in range(5, 8):  # events go on being kept, and one an hour is sent
        await outbox.happen(number)
        assert await outbox.sender().send_due() == (number == 5)
    again = await outbox.reread(endpoint)
    assert again.paused_at == found.paused_at
    assert again.paused_until == outbox.now + PROBE_MS
    outbox.now, receiver.says = outbox.now + PROBE_MS, []
    assert await outbox.sender().send_due() == 1
    assert (await outbox.reread(endpoint)).paused_at is None  # accepted: it goes on
    while any(row.delivered_at is None for row in await outbox.all(endpoint)):
        assert await outbox.sender().send_due() > 0
    bodies = {each.body for each in receiver.received}
    assert len(bodies) == 8


async def test_a_paused_endpoint_is_tried_by_one_process_and_with_one_event(outbox: Outbox, receiver: Receiver) -> None:
    endpoint = await outbox.endpoint(receiver.url)
    for number in range(5):
        await outbox.happen(number)
    await outbox.hooks.pause((await outbox.hooks.due(outbox.now, 1))[0], outbox.now, outbox.now + 5, 500, "bad")
    assert await outbox.sender().send_due() == 0
    outbox.now += 5
    first, second, *_ = await outbox.hooks.due(outbox.now, 9)
    until = outbox.now + CLAIM_MS
    assert await outbox.hooks.claim(first, outbox.now, until) == 1
    assert await outbox.hooks.claim(second, outbox.now, until) is None
    assert await outbox.hooks.due(outbox.now, 9) == []  # a paused one hides no other
    outbox.now = until
    assert len(await outbox.hooks.due(outbox.now, 9)) == 5  # the process that claimed it was killed
    assert (await outbox.reread(endpoint)).paused_at is not None


async def test_what_waits_for_a_paused_endpoint_is_bounded_and_the_oldest_given_up(
    outbox: Outbox, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "MOST_WAITING", 3)
    endpoint = await outbox.endpoint(receiver.url)
    for number in range(5):
        outbox.now += 1
        await outbox.happen(number)
    await outbox.hooks.pause((await outbox.hooks.due(outbox.now, 1))[0], outbox.now, outbox.now + 5, 500, "bad")
    sender = outbox.sender()
    await sender.clean_up()
    rows = await outbox.all(endpoint)
    assert [row.failed_at is None for row in rows] == [True, True, True, False, False]
    assert sender.attempts["given-up"] == 2
    assert await outbox.hooks.resend(SITE, endpoint.webhook_id, outbox.now, 9, outbox.now) == 0  # they are older
    assert await outbox.hooks.resend(8, endpoint.webhook_id, 0, 9, outbox.now) == 0  # another site's
    assert await outbox.hooks.resend(SITE, endpoint.webhook_id, 0, 1, outbox.now) == 1
    assert [row.failed_at is None for row in await outbox.all(endpoint)] == [True, True, True, False, True]


async def test_what_fails_for_days_is_disabled_and_its_events_can_be_sent_again(
    outbox: Outbox, receiver: Receiver
) -> None:
    endpoint, began = await outbox.endpoint(receiver.url), outbox.now
    await outbox.happen()
    await outbox.happen(2)
    while (found := await outbox.reread(endpoint)).disabled_at is None:
        receiver.says = [(503, {})] * 3
        assert await outbox.sender().send_due() > 0
        await outbox.wait_until_due(endpoint)
    assert DISABLE_MS <= found.disabled_at - began < DISABLE_MS + 2 * PROBE_MS
    assert (found.reason, found.paused_at, found.failing_since) == ("answered 503", None, None)
    assert all(row.failed_at for row in await outbox.all(endpoint))
    assert await outbox.happen() == 0
    await outbox.hooks.change(SITE, endpoint.webhook_id, lambda row: replace(row, disabled_at=None, reason=None))
    receiver.says = []
    assert await outbox.hooks.resend(SITE, endpoint.webhook_id, began, 9, outbox.now) == 2
    assert await outbox.sender().send_due() == 2
    assert all(row.delivered_at for row in await outbox.all(endpoint))


async def test_an_endpoint_that_took_something_meanwhile_stays(outbox: Outbox, receiver: Receiver) -> None:
    endpoint = await outbox.endpoint(receiver.url)
    await outbox.happen(1)
    for number in range(2, len(RETRY_DELAYS_MS) + 3):
        receiver.says = [(500, {})]
        assert await outbox.sender().send_due() == 1
        await outbox.happen(number)
        assert await outbox.sender().send_due() == 1
        outbox.now = max(row.next_at or outbox.now for row in await outbox.all(endpoint))
    rows = await outbox.all(endpoint)
    assert [(row.attempts, row.failed_at is not None) for row in rows if row.delivered_at is None] == [(10, True)]
    assert (await outbox.reread(endpoint)).disabled_at is None


async def test_an_endpoint_that_is_gone_gets_nothing_more(outbox: Outbox, receiver: Receiver) -> None:
    endpoint = await outbox.endpoint(receiver.url)
    for number in range(5):
        await outbox.happen(number)
    receiver.says = [(410, {})] * 2
    await outbox.sender().send_due()
    outbox.now += 10 * CLAIM_MS
    assert await outbox.sender().send_due() == 0
    assert all(row.failed_at for row in await outbox.all(endpoint))
    found = await outbox.reread(endpoint)
    assert (found.disabled_at is not None, found.reason) == (True, "the endpoint answered 410 Gone")
    assert len(receiver.received) == 2


async def test_a_slow_endpoint_delays_no_other(outbox: Outbox, receiver: Receiver) -> None:
    async with receiving() as slow:
        endpoint = await outbox.endpoint(slow.url)
        slow.says = [None] * 2
        for number in range(6):
            await outbox.happen(number)
        other = await outbox.endpoint(receiver.url)
        await outbox.happen(6)
        assert await outbox.sender(seconds=2).send_due() == 3
    assert (await outbox.only(other)).delivered_at == outbox.now
    rows = await outbox.all(endpoint)
    assert {row.error for row in rows if row.attempts} == {"no answer within 2 seconds"}
    assert all(row.next_at and row.next_at > outbox.now for row in rows)  # the others wait as long


async def test_of_two_processes_one_sends_each_event(outbox: Outbox, receiver: Receiver) -> None:
    endpoint = await outbox.endpoint(receiver.url)
    for number in range(30):
        await outbox.happen(number)
    async with outbox.sender().running(JobRuns()), outbox.sender().running(JobRuns()):
        async with asyncio.timeout(60):
            while any(row.delivered_at is None for row in await outbox.all(endpoint)):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    bodies = [received.body for received in receiver.received]
    assert len(bodies) == len(set(bodies)) == 30


async def test_no_event_is_lost_or_misdelivered_by_receivers_that_fail_hang_redirect_inside_or_die_half_way(
    outbox: Outbox, receiver: Receiver
) -> None:
    """One event of each name, to an endpoint of its own and to one that wants all; each trouble at one attempt."""
    async with receiving() as inside:
        alone = {name: await outbox.endpoint(f"{receiver.url}/{name}", name) for name in EVENTS}
        everything = await outbox.endpoint(f"{receiver.url}/all", " ".join(EVENTS))
        endpoints = [*alone.values(), everything]
        for name in EVENTS:
            assert await outbox.happen(name=name) == 2
        troubles: list[Says] = [(503, {}), None, (307, {"location": inside.url}), HALF]
        for trouble in troubles:
            receiver.says = [trouble] * 2 * len(EVENTS)
            assert await outbox.sender(seconds=0.5).send_due() >= len(EVENTS)
            rows = [row for endpoint in endpoints for row in await outbox.all(endpoint)]
            assert len(rows) == 2 * len(EVENTS)
            assert not [row for row in rows if row.delivered_at or row.failed_at or row.next_at is None]
            outbox.now = max(row.next_at or 0 for row in rows)
        receiver.says, tried = [], len(receiver.received)
        while await outbox.sender().send_due():
            pass
        rows = [row for endpoint in endpoints for row in await outbox.all(endpoint)]
        assert [row for row in rows if row.delivered_at is None] == []
    assert inside.received == []
    secrets_of = {f"/hook/{name}": endpoint.secret for name, endpoint in alone.items()}
    secrets_of["/hook/all"] = everything.secret
    for received in receiver.received:  # at every attempt, to the endpoint that it is for
        path, name = received.line.split(" ")[1], json.loads(received.body)["type"]
        assert path in (f"/hook/{name}", "/hook/all")
        assert signed(received, secrets_of[path])
    taken = [(each.line.split(" ")[1], json.loads(each.body)["type"]) for each in receiver.received[tried:]]
    assert sorted(taken) == sorted(
        [(f"/hook/{name}", name) for name in EVENTS] + [("/hook/all", name) for name in EVENTS]
    )


@pytest.mark.process
async def test_what_a_killed_process_was_sending_is_sent_again(outbox: Outbox, receiver: Receiver) -> None:
    endpoint = await outbox.endpoint(receiver.url)
    await outbox.happen()
    assert isinstance(outbox.store, Backend)
    setting = getattr(outbox.store, "url", None) or f"sqlite:///{outbox.store.path}"  # type: ignore[union-attr]
    receiver.says = [None]
    process = subprocess.Popen([sys.executable, "-c", KILLED, setting])  # noqa: ASYNC220, S603
    async with asyncio.timeout(60):
        await receiver.came.wait()
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    outbox.now = time.time_ns() // 1_000_000
    assert await outbox.sender().send_due() == 0
    outbox.now += CLAIM_MS
    assert await outbox.sender().send_due() == 1
    row = await outbox.only(endpoint)
    assert (row.delivered_at, row.attempts) == (outbox.now, 2)
    assert [each.headers["webhook-id"] for each in receiver.received] == [row.delivery_id] * 2


async def test_a_name_that_leads_inside_is_refused_at_every_attempt(outbox: Outbox, receiver: Receiver) -> None:
    """Also where it led outside when the endpoint was added."""
    endpoint = await outbox.endpoint(f"https://hook.example:{receiver.port}/")

    async def inside(_: str, __: int) -> Sequence[str]:
        return ["93.184.215.14", "127.0.0.1"]

    await outbox.happen()
    await outbox.sender(EgressPolicy(), lookup=inside).send_due()
    row = await outbox.only(endpoint)
    assert row.error is not None
    assert "which is no public address" in row.error
    assert "127.0.0.1" not in row.error
    assert receiver.received == []


async def test_a_name_that_leads_nowhere(outbox: Outbox) -> None:
    async def nowhere(_: str, __: int) -> Sequence[str]:
        raise OSError("Name or service not known")

    endpoint = await outbox.endpoint("https://hook.example/")
    await outbox.happen()
    await outbox.sender(lookup=nowhere).send_due()
    assert (await outbox.only(endpoint)).error == "the host was not found: Name or service not known"


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 500 " + b"x" * 90_000 + b"\r\n\r\n",
        b"HTTP/1.1 10.0.0.1 \x1b[31m\x9b\r\n\r\n",
        b"\x00" * 100,
        b"",
        b"HTTP/1.1 500 \x1b]0;x\x07 10.0.0.1\r\ncontent-length: 0\r\n\r\n",
    ],
    ids=["long", "address", "binary", "nothing", "reason"],
)
async def test_an_error_is_a_short_printable_line_without_addresses(outbox: Outbox, said: bytes) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said)

    async with serving(talk) as port:
        endpoint = await outbox.endpoint(f"http://127.0.0.1:{port}/")
        await outbox.happen()
        await outbox.sender().send_due()
    error = (await outbox.only(endpoint)).error
    assert error
    assert len(error) <= 200
    assert error.isprintable()
    assert not re.search(r"\d+\.\d+\.\d+", error)


async def test_the_certificate_is_the_names_although_the_address_was_looked_up_before(outbox: Outbox) -> None:
    authority = trustme.CA()
    served = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("hook.example").configure_cert(served)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)

    async def here(_: str, __: int) -> Sequence[str]:
        return ["127.0.0.1"]

    async with receiving(served) as receiver:
        good = await outbox.endpoint(f"https://hook.example:{receiver.port}/x?y=1")
        bad = await outbox.endpoint(f"https://other.example:{receiver.port}/x")
        await outbox.happen()
        await outbox.sender(lookup=here, tls=trusting).send_due()
        await outbox.sender(lookup=here, tls=trusting).send_due()
    (received,) = receiver.received
    assert (received.line, received.headers["host"]) == ("POST /x?y=1 HTTP/1.1", f"hook.example:{receiver.port}")
    assert (await outbox.only(good)).delivered_at == outbox.now
    row = await outbox.only(bad)
    assert row.error is not None
    assert "certificate" in row.error.lower()


async def test_what_was_settled_long_ago_is_forgotten(outbox: Outbox, receiver: Receiver) -> None:
    endpoint = await outbox.endpoint(receiver.url)
    await outbox.happen()
    await outbox.sender().send_due()
    await outbox.hooks.forget(outbox.now)
    assert len(await outbox.all(endpoint)) == 1
    await outbox.hooks.forget(outbox.now + 1)
    assert await outbox.all(endpoint) == []


def test_payloads_are_what_is_signed() -> None:
    delivered = event(SITE, "spike.detected", 1_800_000_000_123, {"x": 1})
    assert json.loads(delivered.payload) == {
        "type": "spike.detected",
        "timestamp": "2027-01-15T08:00:00.123Z",
        "data": {"x": 1},
    }
