"""What waits for a reader of the live feed, and how it ends."""

from __future__ import annotations

import asyncio

import pytest

from grapevine.live.limits import MOST_PENDING_BYTES
from grapevine.live.pieces import KEY_REVOKED, SHUTTING_DOWN, TOO_SLOW, NextPiece, Piece, Reader
from grapevine.live.position import Position

pytestmark = pytest.mark.anyio


def piece(size: int, at: int = 0) -> Piece:
    return Piece([("visit", b"x" * size)], Position.of(at, {}))


async def test_pieces_come_in_their_order_and_say_where_the_reader_is() -> None:
    reader = Reader("key", None)
    waiting = asyncio.create_task(reader.next())
    first, second = piece(1, 1), piece(2, 2)
    reader.add(first)
    reader.add(second)
    assert await waiting == NextPiece(first)
    assert reader.position == first.position
    assert await reader.next() == NextPiece(second)


async def test_a_reader_that_does_not_read_has_a_bounded_queue_and_is_ended() -> None:
    reader = Reader("key", None)
    reader.add(piece(MOST_PENDING_BYTES + 1))  # one piece is sent whatever its size
    assert not reader.has_ended
    reader.add(piece(1))
    assert await reader.next() == NextPiece(end=TOO_SLOW)
    reader.add(piece(1))
    reader.end(SHUTTING_DOWN)
    assert await reader.next() == NextPiece(end=TOO_SLOW)


async def test_what_waits_is_read_again_when_something_was_erased() -> None:
    reader = Reader("key", None)
    reader.fall_behind()  # nothing waits: what it was sent cannot be taken back
    reader.add(piece(1))
    reader.fall_behind()
    assert await reader.next() == NextPiece()
    reader.hold()
    reader.add(piece(1))
    reader.take()
    later = piece(2)
    reader.add(later)
    assert await reader.next() == NextPiece(later)


async def test_the_end_comes_before_what_waits() -> None:
    reader = Reader("key", None)
    reader.add(piece(1))
    reader.end(KEY_REVOKED)
    assert await reader.next() == NextPiece(end=KEY_REVOKED)


def test_a_piece_has_the_kinds_that_are_asked_for() -> None:
    both = Piece([("visit", b"v"), ("share", b"s")], Position.of(0, {}), b"before")
    assert both.of(None) == b"beforevs"
    assert both.of(frozenset({"share"})) == b"befores"
    assert both.of(frozenset()) == b"before"
