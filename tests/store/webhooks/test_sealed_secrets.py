"""Secrets of webhooks are stored encrypted, also those of earlier versions, and again under a new key."""

from __future__ import annotations

import pytest

from grapevine.keyring.keyring import KeyRing
from grapevine.webhooks.sealed_secrets import place_of, seal_all
from tests.store.webhooks.outbox import RING, Outbox, signed
from tests.support.webhook_receiver import Receiver

pytestmark = pytest.mark.anyio


async def test_a_secret_is_stored_encrypted_and_encrypted_again_under_a_new_key(
    outbox: Outbox, receiver: Receiver
) -> None:
    endpoint = await outbox.endpoint(receiver.url)
    old, new = RING.keys[0], b"n" * 32
    ring = KeyRing([old, new])
    ((_, before),) = await outbox.hooks.secrets()
    assert await seal_all(outbox.hooks, ring) == []
    ((name, after),) = await outbox.hooks.secrets()
    assert name == endpoint.webhook_id
    assert endpoint.secret not in before + after
    assert KeyRing([new]).unseal(after, place_of(name)) == endpoint.secret
    assert await seal_all(outbox.hooks, ring) == []
    assert await outbox.hooks.secrets() == [(name, after)]
    assert await seal_all(outbox.hooks, RING) == [name]
    await outbox.happen()
    await outbox.sender(box=ring).send_due()
    assert signed(receiver.received[0], endpoint.secret)


async def test_a_plain_secret_of_an_earlier_version_signs_and_is_encrypted(outbox: Outbox, receiver: Receiver) -> None:
    endpoint = await outbox.endpoint(receiver.url)
    ((name, sealed),) = await outbox.hooks.secrets()
    await outbox.hooks.replace_secret(name, sealed, endpoint.secret)
    await outbox.hooks.replace_secret(name, "what it was before", "another")
    assert await outbox.hooks.secrets() == [(name, endpoint.secret)]
    await outbox.happen()
    await outbox.sender().send_due()
    assert await seal_all(outbox.hooks, RING) == []
    ((_, stored),) = await outbox.hooks.secrets()
    assert endpoint.secret.removeprefix("whsec_") not in stored
    await outbox.happen(2)
    await outbox.sender().send_due()
    assert [signed(each, endpoint.secret) for each in receiver.received] == [True, True]


async def test_a_secret_under_a_key_that_is_gone_sends_nothing(outbox: Outbox, receiver: Receiver) -> None:
    endpoint = await outbox.endpoint(receiver.url)
    await outbox.happen()
    await outbox.sender(box=KeyRing([b"another key" * 3])).send_due()
    row = await outbox.only(endpoint)
    assert row.error == "its secret cannot be used; delete the endpoint and add it again"
    assert receiver.received == []
