"""Ten thousand idle connections: visits are still served, and memory stays bounded."""

from __future__ import annotations

import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.chaos.audit import settled
from tests.chaos.serve_with_clock import OffsetFile, launched
from tests.chaos.widget_load import WidgetLoad
from tests.support.server_process import PATIENCE_SECONDS, Installation

pytestmark = pytest.mark.anyio

WANTED = 10_000
SPARE = 200
SOURCES = 8
BYTES_EACH = 16 << 10
"""The memory that an idle connection may cost: its parser, protocol and transport objects take about half of that."""


async def test_ten_thousand_idle_connections(installation: Installation, tmp_path: Path) -> None:
    load = WidgetLoad(installation.site, "beside-idle-ones")
    patient = launched(OffsetFile(tmp_path / "offset"), request_seconds=PATIENCE_SECONDS)
    with installation.serving(patient) as server, _all_descriptors() as most:
        server.limit(resource.RLIMIT_NOFILE, most)
        number = min(WANTED, most - SPARE)
        async with load.on(server.port):
            await load.reached(acknowledged=200)
            before = server.resident()
            with ExitStack() as stack:
                for index in range(number):
                    source = (f"127.0.0.{2 + index % SOURCES}", 0)
                    idle = socket.create_connection(("127.0.0.1", server.port), source_address=source)
                    stack.enter_context(idle)
                    if index % 500 == 0:
                        await load.reached(acknowledged=1)
                await load.reached(acknowledged=200)
                while server.descriptors() < number:  # the last of them are still to be accepted
                    await load.reached(acknowledged=1)
                cost = (server.resident() - before) // number
                print(f"{number} idle connections: {cost} bytes each, {server.resident() >> 20} MiB in all")
            await load.reached(acknowledged=200)
        assert cost < BYTES_EACH, f"{cost} bytes for each of {number} idle connections (of {most} files allowed here)"
        await load.settle(server.port)
        assert server.end().status == 0
    settled(installation.database, load)


@contextmanager
def _all_descriptors() -> Iterator[int]:
    """Raises this process's limit of file descriptors to the maximum; returns it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = min(hard, 1 << 20) if hard != resource.RLIM_INFINITY else 1 << 20
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    try:
        yield most
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
