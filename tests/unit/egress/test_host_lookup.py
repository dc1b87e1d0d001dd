"""Look-ups of host names: in threads of their own, of which a purpose gets a share."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from typing import Any

import pytest

from grapevine.egress.host_lookup import BoundedLookup, resolve_host

pytestmark = pytest.mark.anyio

DEADLINE = 30


async def test_slow_names_of_strangers_hold_up_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    real, go_on, two_run = socket.getaddrinfo, threading.Event(), threading.Event()
    running: list[str] = []

    def slow(host: str, port: int, *others: Any, **named: Any) -> list[tuple[Any, ...]]:
        if str(host).startswith("slow"):
            running.append(threading.current_thread().name)
            if len(running) == 2:
                two_run.set()
            assert go_on.wait(DEADLINE)
            host = "192.0.2.1"
        return list(real(host, port, *others, **named))

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    strangers = BoundedLookup(2)
    async with asyncio.timeout(DEADLINE):
        try:
            asked = [asyncio.create_task(strangers(f"slow{number}.example", 80)) for number in range(8)]
            assert await asyncio.to_thread(two_run.wait, DEADLINE)
            for task in asked[:4]:
                task.cancel()  # as at the end of their time: the first two keep their threads
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.gather(*asked[:4])
            assert await resolve_host("127.0.0.1", 80) == ["127.0.0.1"]  # as a webhook's
            assert len(running) == 2
        finally:
            go_on.set()
        assert await asyncio.gather(*asked[4:]) == [["192.0.2.1"]] * 4
        assert await strangers("127.0.0.1", 80) == ["127.0.0.1"]
    assert all(name.startswith("dns") for name in running)
