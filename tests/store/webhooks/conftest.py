"""An outbox on each backend, and a server that receives webhooks."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from grapevine.store.base import Store
from tests.store.webhooks.outbox import Outbox
from tests.support.webhook_receiver import Receiver, receiving


@pytest.fixture
def outbox(store: Store) -> Outbox:
    return Outbox(store)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as opened:
        yield opened
