"""The least that a durable visit or share can cost here: a protocol class that stores one row and mints its tokens.

No site, no origin, no robots, no sources, no index, no counts and no chains; what it answers looks like the server's,
but no signature is verified, as the tokens are another server's. It says how much of the distance to the bare
application is tokens, JSON and the disk, and how much is the product.
"""

from __future__ import annotations

import asyncio
import sqlite3
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any, Final

import msgspec
import uvicorn

from grapevine.collect.schemas import ShareRequest, ShareResponse, VisitRequest, VisitResponse
from grapevine.domain import ids
from grapevine.domain.channels import CODES, SESSION
from grapevine.domain.tokens import Tokens
from grapevine.serving import runtime
from grapevine.serving.fast_path.cycles import FastCycle
from grapevine.serving.fast_path.timeouts import TimeoutProtocol

_HEAD: Final = (
    b"HTTP/1.1 200 OK\r\naccess-control-allow-origin: *\r\naccess-control-expose-headers: Grapevine-Dropped, "
    b"Retry-After\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b"
)
_TOKENS: Final = Tokens([b"k" * 32], b"s" * 16)
Request = VisitRequest | ShareRequest
_DECODERS: Final[dict[bytes, Callable[[bytes], Request]]] = {
    b"/v1/visits": msgspec.json.Decoder(VisitRequest).decode,
    b"/v1/shares": msgspec.json.Decoder(ShareRequest).decode,
}
_ENCODER: Final = msgspec.json.Encoder()


class Rows:
    """Group commit into one table: the events that arrive during one batch are the next batch."""

    def __init__(self, path: Path) -> None:
        self._waiting: list[tuple[FastCycle, Request]] = []
        self._writing: asyncio.Task[None] | None = None
        self._ids = count(1 << 50)
        self._disk = ThreadPoolExecutor(1)
        self._store = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._store.executescript(
            "PRAGMA journal_mode = wal; PRAGMA synchronous = full; PRAGMA wal_autocheckpoint = 0;"
            "CREATE TABLE rows (visit_id INTEGER PRIMARY KEY, nonce_check, at, page_id, visitor)"
        )

    def put(self, exchange: FastCycle, path: bytes, body: bytes) -> None:
        """Queues one event."""
        self._waiting.append((exchange, _DECODERS[path](body)))
        if self._writing is None:
            self._writing = asyncio.get_running_loop().create_task(self._write())

    async def _write(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            rows = [(next(self._ids), 1, 2, 3, 4) for _ in batch]
            self._store.execute("BEGIN IMMEDIATE")
            self._store.executemany("INSERT OR IGNORE INTO rows VALUES (?, ?, ?, ?, ?)", rows)
            await asyncio.get_running_loop().run_in_executor(self._disk, self._store.execute, "COMMIT")
            answers = [_answer(row[0], request) for row, (_, request) in zip(rows, batch, strict=True)]
            for (exchange, _), content in zip(batch, answers, strict=True):
                exchange.write(content)
        self._writing = None


def _answer(visit_id: int, request: Request) -> bytes:
    answer: msgspec.Struct
    if isinstance(request, VisitRequest):
        session, *tokens = _TOKENS.mint(visit_id, (SESSION, *(CODES[name] for name in request.channels)))
        named = dict(zip(request.channels, tokens, strict=True))
        answer = VisitResponse(ids.visit_text(visit_id), session, named, None)
    else:
        answer = ShareResponse(_TOKENS.mint(visit_id, (CODES["copy"],), 1)[0])
    body = _ENCODER.encode(answer)
    return _HEAD % (len(body), body)


class LeastProtocol(TimeoutProtocol):
    """Handles every request as a visit or a share."""

    rows: Rows

    def on_headers_complete(self) -> None:
        self.cycle = FastCycle(self)  # type: ignore[assignment]

    def on_body(self, body: bytes) -> None:
        self.cycle.body += body

    def on_message_complete(self) -> None:
        self.whole_request()
        self.rows.put(self.cycle, self.url, self.cycle.body)  # type: ignore[arg-type]


async def app(scope: dict[str, Any], _receive: Any, _send: Any) -> None:
    """Prints that the server is ready."""
    if scope["type"] == "lifespan":
        runtime.tune_interpreter()
        sys.stdout.write("ready\n")
        sys.stdout.flush()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        LeastProtocol.rows = Rows(Path(folder) / "least.sqlite3")
        uvicorn.run(
            app,
            port=int(sys.argv[1]),
            log_level="error",
            access_log=False,
            http=LeastProtocol,
        )
