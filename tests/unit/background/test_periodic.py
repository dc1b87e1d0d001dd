"""Jobs that are done again and again: one that fails is done the next time all the same."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest

from grapevine.background.leases import Leases
from grapevine.background.periodic import periodic
from grapevine.errors import StoreError

pytestmark = pytest.mark.anyio


class Free:
    """Leases without a competing process."""

    async def acquire(self, name: str) -> bool:
        return bool(name)

    async def release(self, name: str) -> None:
        """Nothing."""


async def test_a_job_that_fails_is_done_again(caplog: pytest.LogCaptureFixture) -> None:
    outcomes: list[Exception | None] = [StoreError("the store is away"), ValueError("wrong"), None]
    done = asyncio.Event()

    async def work() -> None:
        outcome = outcomes.pop(0)
        if outcome is not None:
            raise outcome
        done.set()
        await asyncio.Event().wait()

    async with asyncio.timeout(20), periodic("tidying", 0, work, cast("Leases", Free())):
        await done.wait()
    away, wrong = caplog.records
    assert away.getMessage() == "tidying failed and will be tried again: the store is away"
    assert (wrong.getMessage(), wrong.exc_info is not None) == ("tidying failed and will be tried again", True)
