"""Bodies are unpacked in pieces of a bounded size, and only in the way that was asked for."""

from __future__ import annotations

import gzip

import httpx
import pytest

from grapevine.client.limits import MOST_PIECE
from grapevine.client.unpacking import Unpacker

TEXT = b"".join(b"%d" % (number * number) for number in range(2_000)) + b"a" * 300_000
PACKED = gzip.compress(TEXT)


def unpacked(unpacker: Unpacker, body: bytes, size: int) -> list[bytes]:
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    return [found for piece in pieces for found in unpacker.pieces(piece)]


@pytest.mark.parametrize("size", [1, 100, len(PACKED)])
def test_what_was_packed_comes_out(size: int) -> None:
    for encoding in ("gzip", "x-gzip", " GZip "):
        assert b"".join(unpacked(Unpacker(encoding), PACKED, size)) == TEXT
    for encoding in ("", "identity"):
        assert b"".join(unpacked(Unpacker(encoding), TEXT, size)) == TEXT


def test_a_small_piece_does_not_unpack_to_a_large_one() -> None:
    """Of 20 MB that come in as 20 KB, one piece is in memory at a time."""
    sizes = [len(piece) for piece in Unpacker("gzip").pieces(gzip.compress(bytes(20_000_000)))]
    assert (max(sizes), sum(sizes)) == (MOST_PIECE, 20_000_000)


def test_what_follows_the_end_is_left_out_and_not_kept() -> None:
    unpacker = Unpacker("gzip")
    assert b"".join(unpacked(unpacker, PACKED + b"junk", 1)) == TEXT
    assert [[*unpacker.pieces(b"junk" * 1_000)] for _ in range(3)] == [[b""]] * 3
    assert unpacker._gzip is not None  # noqa: SLF001
    assert len(unpacker._gzip.unused_data) <= 1  # noqa: SLF001


@pytest.mark.parametrize("encoding", ["gzip, gzip", "gzip,identity", "deflate", "br", "zstd", "gzip;q=1", "\xff" * 999])
def test_what_was_not_asked_for_is_refused_before_it_is_read(encoding: str) -> None:
    with pytest.raises(ValueError, match="although only gzip was asked for") as caught:
        Unpacker(encoding)
    assert len(str(caught.value)) < 300


def test_what_is_no_gzip() -> None:
    with pytest.raises(httpx.DecodingError):
        list(Unpacker("gzip").pieces(b"plain text"))
