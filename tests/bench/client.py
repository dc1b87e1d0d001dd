"""Load without wrk: a number of keep-alive connections, each with one request in flight, in one process.

Sends what wrk/traffic.lua sends, configured by the same environment (CALL, SITE, ORIGIN, DAY, TOKENS, SESSIONS, SEED),
and calls of the read API with the API key in KEY. ``python -m tests.bench.client HOST PORT CONNECTIONS SECONDS`` prints
a line of JSON. wrk is written in C and takes less of the machine than this client does, so rates differ; ratios of two
servers under the same client do less so.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Final, TypeVar, cast

import uvloop

_CHANNELS: Final = '["native","copy","whatsapp","telegram","email","sms","signal","messenger"]'
_HEADERS: Final = (
    "Content-Type: text/plain;charset=UTF-8\r\nAccept-Language: en-US,en;q=0.9\r\n"
    "User-Agent: Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 "
    "Safari/537.36\r\n"
)
_READY: Final = 5.0
_T = TypeVar("_T")


class Traffic:
    """Requests as bytes, each with a nonce of its own; one visit in five comes with a token."""

    def __init__(self, environment: Mapping[str, str], host: str) -> None:
        self._random = random.Random(environment.get("SEED"))  # noqa: S311
        self._site, self._origin = environment.get("SITE", ""), environment.get("ORIGIN", "")
        self._day, self._key = environment.get("DAY", ""), environment.get("KEY", "")
        self._tokens, self._sessions = _lines(environment.get("TOKENS")), _lines(environment.get("SESSIONS"))
        self._shared = list(zip(self._tokens, self._sessions, strict=False))
        self._start = f"HTTP/1.1\r\nHost: {host}\r\n"
        self._headers = f"{self._start}{_HEADERS}Origin: {self._origin}\r\n"
        self._count = 0
        calls: dict[str, Callable[[], bytes]] = {
            "bare": self._bare,
            "follow": self._follow,
            "visits": self._visits,
            "shares": self._shares,
            "views": self._views,
            "summary": partial(self._read, "stats/summary"),
            "breakdown": partial(self._read, "stats/breakdown?by=page"),
            "cascades": partial(self._read, "cascades"),
            "token": self._token,
        }
        self.next = calls[environment.get("CALL", "bare")]

    def _bare(self) -> bytes:
        return f"GET / {self._start}\r\n".encode()

    def _follow(self) -> bytes:
        return f"GET /s/{self._pick(self._tokens)} {self._headers}\r\n".encode()

    def _visits(self) -> bytes:
        token = f',"token":"{self._pick(self._tokens)}"' if self._random.random() < 0.2 else ""
        return self._post(
            "visits",
            f'{{"site":"{self._site}","url":"{self._page()}","nonce":"{self._nonce()}","day":"{self._day}",'
            f'"referrer":"https://www.google.com/","title":"An article","channels":{_CHANNELS}{token}}}',
        )

    def _shares(self) -> bytes:
        token, session = self._pick(self._shared)
        return self._post(
            "shares",
            f'{{"site":"{self._site}","session":"{session}","token":"{token}","url":"{self._page()}",'
            '"title":"An article"}',
        )

    def _views(self) -> bytes:
        session = self._pick(self._sessions)
        return self._post(
            "views",
            f'{{"site":"{self._site}","session":"{session}","url":"{self._page()}","nonce":"{self._nonce()}"}}',
        )

    def _token(self) -> bytes:
        return self._read(f"tokens/{self._pick(self._tokens)}")

    def _read(self, path: str) -> bytes:
        return f"GET /v1/{path} {self._start}Authorization: Bearer {self._key}\r\n\r\n".encode()

    def _post(self, call: str, body: str) -> bytes:
        return f"POST /v1/{call} {self._headers}Content-Length: {len(body)}\r\n\r\n{body}".encode()

    def _nonce(self) -> str:
        self._count += 1
        return f"n{os.getpid():07}{self._count:012}{self._random.getrandbits(20):07}"

    def _page(self) -> str:
        return f"{self._origin}/articles/{int(self._random.random() * 200) + 1}"

    def _pick(self, found: list[_T]) -> _T:
        return found[int(self._random.random() * len(found))]


class Tallied:
    """Results of all connections: seconds of each response in time, and how many were not 2xx or 3xx."""

    def __init__(self, until: float) -> None:
        self.until = until
        self.seconds: list[float] = []
        self.failed = 0


class _Connection(asyncio.Protocol):
    """Sends a request, waits for its response, sends the next."""

    def __init__(self, traffic: Traffic, tallied: Tallied, closed: asyncio.Event) -> None:
        self._traffic = traffic
        self._tallied = tallied
        self._closed = closed
        self._buffer = b""
        self._sent_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are none by their class
        self._send()

    def data_received(self, data: bytes) -> None:
        self._buffer = data if not self._buffer else self._buffer + data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0 or len(self._buffer) < end + 4 + _length(self._buffer[: end + 2]):
            return
        now = time.perf_counter()
        self._tallied.failed += self._buffer[9:10] not in b"23"
        self._buffer = b""
        if now >= self._tallied.until:
            self._transport.close()
            return
        self._tallied.seconds.append(now - self._sent_at)
        self._send()

    def connection_lost(self, _: Exception | None) -> None:
        if time.perf_counter() < self._tallied.until:
            self._tallied.failed += 1
        self._closed.set()

    def _send(self) -> None:
        request = self._traffic.next()
        self._sent_at = time.perf_counter()
        self._transport.write(request)


def _length(head: bytes) -> int:
    """Returns the length of the body; these servers always send it, or no body."""
    start = head.lower().find(b"\r\ncontent-length:")
    return int(head[start + 17 : head.index(b"\r\n", start + 17)]) if start >= 0 else 0


def _lines(path: str | None) -> list[str]:
    return Path(path).read_text("ascii").split() if path else []


async def _offer(host: str, port: int, connections: int, seconds: float) -> None:
    loop = asyncio.get_running_loop()
    traffic = Traffic(os.environ, f"{host}:{port}")
    start = time.perf_counter()
    tallied = Tallied(start + seconds)
    closed = [asyncio.Event() for _ in range(connections)]
    for one in closed:
        await loop.create_connection(lambda one=one: _Connection(traffic, tallied, one), host, port)  # type: ignore[misc]
    async with asyncio.timeout(seconds + _READY):
        for one in closed:
            await one.wait()
    slow = sorted(tallied.seconds)
    report = {
        "rate": len(slow) / seconds,
        "p99": slow[len(slow) * 99 // 100] if slow else seconds,
        "failed": tallied.failed,
    }
    sys.stdout.write(json.dumps(report) + "\n")


if __name__ == "__main__":
    uvloop.run(_offer(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])))
