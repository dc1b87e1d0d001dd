"""What is sent at once to all readers of a site, and the queue of it that each reader has."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec

from grapevine.api_schemas.live import LiveEnd
from grapevine.live.limits import MOST_PENDING_BYTES
from grapevine.live.position import Position

Kinds = frozenset[str]

_ENCODER: Final = msgspec.json.Encoder()

SHUTTING_DOWN: Final = LiveEnd(
    reason="shutting-down", detail="The server stops; connect again in a moment, and nothing is lost."
)
KEY_REVOKED: Final = LiveEnd(reason="key-revoked", detail="The API key was revoked.")
SITE_DELETED: Final = LiveEnd(reason="site-deleted", detail="The site was deleted.")
UNAVAILABLE: Final = LiveEnd(
    reason="unavailable", detail="The database cannot be used at the moment; connect again, and nothing is lost."
)
TOO_SLOW: Final = LiveEnd(
    reason="too-slow",
    detail="This stream was not read fast enough; connect again with `Last-Event-ID`, and nothing is lost.",
)


def event_bytes(name: str, data: msgspec.Struct, position: Position | None = None) -> bytes:
    """Returns an event as *server-sent events* write it (WHATWG HTML, 9.2); JSON has no line ends."""
    where = b"" if position is None else b"id: %b\n" % position.text()
    return b"%bevent: %b\ndata: %b\n\n" % (where, name.encode(), _ENCODER.encode(data))


def heartbeat(position: Position) -> bytes:
    """Returns a comment, and the position as the last id."""
    return b": heartbeat\nid: %b\n\n" % position.text()


class Piece:
    """Some events, each with its name, and the position behind them. Readers share it."""

    def __init__(self, events: Sequence[tuple[str, bytes]], position: Position, before: bytes = b"") -> None:
        self.position = position
        self._events = events
        self._before = before
        self._whole = before + b"".join([written for _, written in events])
        self.size = len(self._whole)

    def of(self, kinds: Kinds | None) -> bytes:
        """Returns the events of these kinds; of all kinds where they are None."""
        if kinds is None:
            return self._whole
        return self._before + b"".join([written for name, written in self._events if name in kinds])


class NextPiece(NamedTuple):
    """What a reader does next: send ``piece``, or end, or read what it missed where both are None."""

    piece: Piece | None = None
    end: LiveEnd | None = None


class Reader:
    """One stream: the pieces that wait for it, up to a bound, and where it is."""

    def __init__(self, key_id: str, kinds: Kinds | None) -> None:
        self.key_id = key_id
        self.kinds = kinds
        self.position: Position | None = None
        """Where it is, of what its client was sent; None before the first piece."""
        self._pending: deque[Piece] = deque()
        self._bytes = 0
        self._end: LiveEnd | None = None
        self._is_behind = False
        self._is_held = False
        self._woken = asyncio.Event()

    def add(self, piece: Piece) -> None:
        """Queues a piece; ends the stream when too much waits."""
        if self._end is not None or self._is_held:
            return
        if self._pending and self._bytes + piece.size > MOST_PENDING_BYTES:
            self.end(TOO_SLOW)
            return
        self._pending.append(piece)
        self._bytes += piece.size
        self._woken.set()

    def clear(self) -> None:
        """Drops what waits."""
        self._pending.clear()
        self._bytes = 0

    def hold(self) -> None:
        """Takes no pieces, since it reads what it missed, these among it."""
        self.clear()
        self._is_held = True

    def take(self) -> None:
        """Takes pieces from now on."""
        self._is_held = False

    def fall_behind(self) -> None:
        """Drops what waits, of which something was erased; the reader reads the rest again."""
        if self._pending:
            self.clear()
            self._is_behind = True
            self._woken.set()

    def end(self, end: LiveEnd) -> None:
        """Ends the stream, with this as its last event; what waits is dropped."""
        if self._end is None:
            self.clear()
            self._end = end
            self._woken.set()

    @property
    def has_ended(self) -> bool:
        """Whether nothing is to be sent any more but the last event."""
        return self._end is not None

    async def next(self) -> NextPiece:
        """Waits for what is to be done next."""
        while True:
            if self._end is not None:
                return NextPiece(end=self._end)
            if self._is_behind:
                self._is_behind = False
                return NextPiece()
            if self._pending:
                piece = self._pending.popleft()
                self._bytes -= piece.size
                self.position = piece.position
                return NextPiece(piece)
            self._woken.clear()
            await self._woken.wait()
