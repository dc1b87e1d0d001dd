"""The live feed: server-sent events (WHATWG HTML, 9.2) as they come in, and the structs that they hold."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

import msgspec

from grapevine.api_schemas.live import LiveConversion, LiveGap, LiveShare, LiveStart, LiveVisit

LiveData = LiveVisit | LiveShare | LiveConversion | LiveStart | LiveGap

LONGEST_LINE: Final = 1 << 20
_KINDS: Final[Mapping[str, type[LiveData]]] = {
    "visit": LiveVisit,
    "return": LiveVisit,
    "share": LiveShare,
    "conversion": LiveConversion,
    "start": LiveStart,
    "gap": LiveGap,
}
_END_OF_LINE: Final = re.compile(rb"\r\n|\n|\r")
_ID: Final = re.compile(rb"[!-~]{0,1024}")
"""Ids that can be sent back in a header; the server has no others."""
_MOST_RETRY_SECONDS: Final = 60.0


class FeedEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One event of the live feed. ``kind`` is ``visit``, ``return``, ``share``, ``conversion``, ``start`` or ``gap``;
    ``data`` is what it says; ``id`` may be given as ``after`` to go on behind it."""

    kind: str
    id: str
    data: LiveData


class ServerSentEvent(NamedTuple):
    """An event as it was sent."""

    name: str
    data: bytes
    id: str


class EventStreamReader:
    """Makes events out of the pieces of a stream. ``last_id`` is that of the last event, or of a later line of its own;
    ``retry`` is after how many seconds the server wants to be asked again, if it said so."""

    def __init__(self, last_id: str | None) -> None:
        self.last_id = last_id
        self.retry: float | None = None
        self._rest = b""
        self._id = last_id
        self._name = ""
        self._data: list[bytes] = []

    def read(self, piece: bytes) -> Iterator[ServerSentEvent]:
        """Yields the events that end in this piece. Raises ValueError for a line that is too long."""
        text = self._rest + piece
        # A carriage return at the end may be the first half of a line's end.
        held = b"\r" if text.endswith(b"\r") else b""
        *lines, rest = _END_OF_LINE.split(text.removesuffix(b"\r") if held else text)
        self._rest = rest + held
        if len(self._rest) > LONGEST_LINE:
            raise ValueError("a line of it is too long")
        for line in lines:
            if line:
                self._field(line)
            elif (event := self._event()) is not None:
                yield event

    def _field(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"event":
            self._name = value.decode("utf-8", "replace")
        elif name == b"data":
            self._data.append(value)
        elif name == b"id" and _ID.fullmatch(value):
            self._id = value.decode("ascii")
        elif name == b"retry" and re.fullmatch(rb"[0-9]{1,9}", value):
            self.retry = min(int(value) / 1_000, _MOST_RETRY_SECONDS)

    def _event(self) -> ServerSentEvent | None:
        name, data = self._name, self._data
        self._name, self._data = "", []
        self.last_id = self._id
        return ServerSentEvent(name or "message", b"\n".join(data), self._id or "") if data else None


def live_event(sent: ServerSentEvent) -> FeedEvent | None:
    """Returns an event of the live feed; None for ``end``, behind which the client connects again, and for kinds of a
    later version. Raises ValueError for data that is not what its kind says."""
    kind = _KINDS.get(sent.name)
    if kind is None:
        return None
    return FeedEvent(kind=sent.name, id=sent.id, data=msgspec.json.decode(sent.data, type=kind))
