"""An owner who has mended an endpoint ends its pause: what waited for it is sent at once, on every database."""

from __future__ import annotations

import pytest

from grapevine.webhooks import endpoints
from grapevine.webhooks.delivery import PROBE_MS
from grapevine.webhooks.endpoints import EndpointChanges
from grapevine.webhooks.retry_schedule import CLAIM_MS
from tests.store.webhooks.outbox import HERE, SITE, Outbox
from tests.support.webhook_receiver import Receiver

pytestmark = pytest.mark.anyio


async def test_ending_a_pause_makes_all_that_waits_due(outbox: Outbox, receiver: Receiver) -> None:
    for changes in (EndpointChanges(enabled=True), EndpointChanges(url=f"{receiver.url}/new")):
        endpoint = await outbox.endpoint(receiver.url)
        for number in range(4):
            await outbox.happen(number)
        first, second, *_ = await outbox.hooks.due(outbox.now, 9)
        assert await outbox.hooks.claim(second, outbox.now, outbox.now + CLAIM_MS) == 1  # another process sends it
        assert await outbox.hooks.failing(first, outbox.now) == outbox.now
        await outbox.hooks.pause(first, outbox.now, outbox.now + PROBE_MS, 500, "bad")
        assert await outbox.sender().send_due() == 0
        found = await endpoints.change(outbox.hooks, HERE, SITE, endpoint.webhook_id, changes, outbox.now)
        assert (found.enabled, found.paused) == (True, None)
        sent = 0
        while more := await outbox.sender().send_due():
            sent += more
        assert sent == 3
        rows = {row.delivery_id: row.delivered_at for row in await outbox.all(endpoint)}
        assert [name for name, delivered_at in rows.items() if delivered_at is None] == [second.delivery_id]
        await endpoints.remove(outbox.hooks, SITE, endpoint.webhook_id)


async def test_a_change_of_an_endpoint_that_works_moves_nothing(outbox: Outbox, receiver: Receiver) -> None:
    endpoint = await outbox.endpoint(receiver.url)
    await outbox.happen()
    (due,) = await outbox.hooks.due(outbox.now, 9)
    await outbox.hooks.put_off(due, outbox.now, outbox.now + PROBE_MS, 500, "bad")
    await endpoints.change(outbox.hooks, HERE, SITE, endpoint.webhook_id, EndpointChanges(enabled=True), outbox.now)
    assert await outbox.sender().send_due() == 0
