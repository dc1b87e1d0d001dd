"""Runs servers, or the workers that a supervisor starts, until a signal ends them."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, Protocol

from grapevine.errors import GrapevineError


class Service(Protocol):
    """A server, or a worker process, that runs until ``stop``. ``ready`` is set as soon as it takes requests."""

    ready: asyncio.Event

    async def work(self) -> None:
        """Serves until ``stop``. Raises GrapevineError when it cannot start, or did not end in good order."""
        ...

    def stop(self, *, at_once: bool = False) -> None:
        """Takes no more connections and ends after the requests in flight; ``at_once`` without waiting for them."""
        ...


async def run_until_signal(services: Sequence[Service], when_ready: Callable[[], Awaitable[None]]) -> None:
    """Runs the services until SIGTERM or SIGINT; a second SIGINT does not wait for requests in flight.

    ``when_ready`` starts once all of them are ready, and is cancelled when they stop. A GrapevineError from it, or from
    a service, stops all services in good order and is raised when they have ended.
    """
    stopping = asyncio.Event()
    failures: list[GrapevineError] = []

    def stop(*, impatient: bool = False) -> None:
        for service in services:
            service.stop(at_once=impatient and stopping.is_set())
        stopping.set()

    async def guarded(work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except GrapevineError as error:
            failures.append(error)
            stop()

    async def companion() -> None:
        for service in services:
            await service.ready.wait()
        await when_ready()

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop)
    loop.add_signal_handler(signal.SIGINT, lambda: stop(impatient=True))
    try:
        async with asyncio.TaskGroup() as group:
            for service in services:
                group.create_task(guarded(service.work()))
            beside_them = group.create_task(guarded(companion()))
            await stopping.wait()
            beside_them.cancel()
    finally:
        loop.remove_signal_handler(signal.SIGTERM)
        loop.remove_signal_handler(signal.SIGINT)
        stop()
    if failures:
        raise failures[0]
