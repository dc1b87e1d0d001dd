"""The live feed: server-sent events (WHATWG HTML, 9.2) as they come in, and the structs that they hold."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

import msgspec

from grapevine.api_schemas.live import LiveConversion, LiveGap, LiveShare, LiveStart, LiveVisit
from grapevine.client.limits import LONGEST_EVENT
from grapevine.client.lines import LineReader

LiveData = LiveVisit | LiveShare | LiveConversion | LiveStart | LiveGap

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
        self._lines = LineReader(_END_OF_LINE)
        self._is_after_return = False
        self._id = last_id
        self._name = ""
        self._data: list[bytes] = []
        self._bytes = 0

    def read(self, piece: bytes) -> Iterator[ServerSentEvent]:
        """Yields the events that end in this piece. Raises ValueError for a line or an event that is too long."""
        if not piece:
            return
        text = piece.removeprefix(b"\n") if self._is_after_return else piece  # the second half of a line's end
        self._is_after_return = text.endswith(b"\r")
        for line in self._lines.read(text):
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
            self._bytes += len(line)
            if self._bytes > LONGEST_EVENT:
                raise ValueError("an event of it is too long")
            self._data.append(value)
        elif name == b"id" and _ID.fullmatch(value):
            self._id = value.decode("ascii")
        elif name == b"retry" and re.fullmatch(rb"[0-9]{1,9}", value):
            self.retry = min(int(value) / 1_000, _MOST_RETRY_SECONDS)

    def _event(self) -> ServerSentEvent | None:
        name, data = self._name, self._data
        self._name, self._data, self._bytes = "", [], 0
        self.last_id = self._id
        return ServerSentEvent(name or "message", b"\n".join(data), self._id or "") if data else None


def live_event(sent: ServerSentEvent) -> FeedEvent | None:
    """Returns an event of the live feed; None for ``end``, behind which the client connects again, and for kinds of a
    later version. Raises ValueError for data that is not what its kind says."""
    kind = _KINDS.get(sent.name)
    if kind is None:
        return None
    return FeedEvent(kind=sent.name, id=sent.id, data=msgspec.json.decode(sent.data, type=kind))
