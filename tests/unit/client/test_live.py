"""Server-sent events, as the standard describes them, in pieces of every size."""

from __future__ import annotations

import msgspec
import pytest

from grapevine.api_schemas.live import LiveGap
from grapevine.client.limits import LONGEST_EVENT, LONGEST_LINE
from grapevine.client.live import EventStreamReader, ServerSentEvent, live_event

TEXT = (
    b": a comment\n\n"
    b"retry: 3000\n\n"
    b"id: 1\nevent: share\ndata: one\n\n"
    b"data:two\r\ndata: three\r\nid: 2\r\n\r\n"
    b"event: nothing\r\rdata\rid\r\r"
    b"id: 7\n\n"
    b"unknown: x\ndata:  four\n\ndata: five"
)
EVENTS = [
    ServerSentEvent("share", b"one", "1"),
    ServerSentEvent("message", b"two\nthree", "2"),
    ServerSentEvent("message", b"", ""),
    ServerSentEvent("message", b" four", "7"),
]


@pytest.mark.parametrize("size", [1, 2, 3, 7, len(TEXT)])
def test_events_come_out_whatever_the_pieces_are(size: int) -> None:
    reader = EventStreamReader("0")
    pieces = [TEXT[start : start + size] for start in range(0, len(TEXT), size)]
    assert [event for piece in pieces for event in reader.read(piece)] == EVENTS
    assert (reader.last_id, reader.retry) == ("7", 3.0)


def test_an_id_counts_when_its_event_ends() -> None:
    reader = EventStreamReader("0")
    assert not [*reader.read(b"id: 1\ndata: x\n")]
    assert reader.last_id == "0"
    assert [*reader.read(b"\n")]
    assert reader.last_id == "1"


@pytest.mark.parametrize("line", [b"id: a\0b", b"id: two words", "id: ü".encode(), b"id: " + b"x" * 1_025])
def test_ids_that_cannot_be_sent_back_are_left_out(line: bytes) -> None:
    reader = EventStreamReader("0")
    assert [*reader.read(line + b"\ndata: x\n\n")] == [ServerSentEvent("message", b"x", "0")]


@pytest.mark.parametrize(("text", "seconds"), [(b"999999999", 60.0), (b"0", 0.0), (b"-1", None), (b"1.5", None)])
def test_how_long_the_server_wants_to_be_left_alone(text: bytes, seconds: float | None) -> None:
    reader = EventStreamReader(None)
    assert not [*reader.read(b"retry: " + text + b"\n\n")]
    assert reader.retry == seconds


def test_a_line_has_a_bound() -> None:
    reader = EventStreamReader(None)
    half = b"x" * (LONGEST_LINE // 2 + 1)
    assert not [*reader.read(half)]
    with pytest.raises(ValueError, match="too long"):
        list(reader.read(half))


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_an_event_that_does_not_end_has_a_bound(end: bytes) -> None:
    """Empty lines of data count, too."""
    reader = EventStreamReader(None)
    lines = (b"data:" + end) * 10_000
    pieces = LONGEST_EVENT // (len(b"data:") * 10_000)
    for _ in range(pieces):
        assert not [*reader.read(lines)]
    with pytest.raises(ValueError, match="an event of it is too long"):
        list(reader.read(lines))


def test_the_bound_is_on_one_event() -> None:
    reader = EventStreamReader(None)
    event = b"data: " + b"x" * (LONGEST_EVENT // 2) + b"\n\n"
    assert sum(len([*reader.read(event)]) for _ in range(4)) == 4


def test_events_of_the_feed() -> None:
    gap = b'{"since":null,"at":"2026-11-30T12:00:00.000Z","reason":"too-old","detail":"It is so."}'
    found = live_event(ServerSentEvent("gap", gap, "5"))
    assert found is not None
    assert (found.kind, found.id, type(found.data)) == ("gap", "5", LiveGap)
    assert live_event(ServerSentEvent("of a later version", b"?", "6")) is None
    assert live_event(ServerSentEvent("end", b"{}", "6")) is None
    with pytest.raises(msgspec.ValidationError):
        live_event(ServerSentEvent("gap", b"{}", "6"))
