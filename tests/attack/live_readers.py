"""Many readers of the live feed, for ``attackers.submit``; one of them never reads."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import socket
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.attack.senders import SMALL_BUFFER
from tests.support.attacked_server import AttackedSite
from tests.support.raw_connection import connected, request

PATIENCE_SECONDS: Final = 120
_CONNECTIONS: Final = 8
_VISIT: Final = re.compile(rb'event: visit\ndata: {"visit":"(\w+)"')
_END: Final = re.compile(rb'event: end\ndata: {"reason":"([\w-]+)"')
_LONGEST: Final = 4_096


class Stream:
    """A reader: the visits that it was sent, and why the stream ended."""

    def __init__(self) -> None:
        self.visits: set[bytes] = set()
        self.end = b""
        self.started = asyncio.Event()
        self._wanted: set[bytes] | None = None
        self._has_all = asyncio.Event()

    async def follow(self, port: int, key: str) -> None:
        """Reads until the stream ends."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(asked(port, key))
        rest = b""
        while piece := await reader.read(65_536):
            text = rest + piece
            if b"event: start" in text:
                self.started.set()
            self.visits.update(_VISIT.findall(text))
            self.end = next(iter(_END.findall(text)), self.end)
            rest = text[-_LONGEST:]
            self._look()
        writer.close()

    async def sent(self, visits: set[bytes]) -> None:
        """Waits until it was sent all of these."""
        self._wanted = visits
        self._look()
        await self._has_all.wait()

    def _look(self) -> None:
        if self._wanted is not None and self._wanted <= self.visits:
            self._has_all.set()


def asked(port: int, key: str) -> bytes:
    """The request of a stream."""
    return request("GET", "/v1/live", headers={"host": f"127.0.0.1:{port}", "authorization": f"Bearer {key}"})


def follow_all(port: int, site: AttackedSite, keys: Sequence[str], visits: int, received: Path) -> Counter[str]:
    """Opens a stream for each key, and one that is never read; sends visits, and makes the file ``received`` when each
    reader was sent all of them. Reads on until the server ends the streams; returns why it did, as they were told."""
    return asyncio.run(_follow_all(port, site, keys, visits, received))


async def _follow_all(port: int, site: AttackedSite, keys: Sequence[str], visits: int, received: Path) -> Counter[str]:
    async with asyncio.timeout(PATIENCE_SECONDS), asyncio.TaskGroup() as group:
        with socket.socket() as deaf:
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
            deaf.connect(("127.0.0.1", port))
            deaf.sendall(asked(port, keys[0]))
            streams = [Stream() for _ in keys]
            tasks = [group.create_task(stream.follow(port, key)) for stream, key in zip(streams, keys, strict=True)]
            for stream in streams:
                await stream.started.wait()
            found = await asyncio.gather(*(_visits(port, site, visits) for _ in range(_CONNECTIONS)))
            for stream in streams:
                await stream.sent(set[bytes]().union(*found))
            await asyncio.to_thread(received.touch)
            await asyncio.gather(*tasks)
    return Counter(stream.end.decode() for stream in streams)


async def _visits(port: int, site: AttackedSite, number: int) -> set[bytes]:
    """Sends visits one after the other; returns their ids."""
    found = set[bytes]()
    async with connected(port) as connection:
        for _ in range(number):
            body = {"site": site.site, "url": f"{site.origin}/", "nonce": secrets.token_hex(16), "channels": ["copy"]}
            answer = await connection.ask("POST", "/v1/visits", body)
            assert answer.status == 200, answer
            found.add(json.loads(answer.body)["visit"].encode())
    return found
