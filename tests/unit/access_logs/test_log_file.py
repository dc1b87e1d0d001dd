"""Reading a log: blocks, compression, and lines without end."""

from __future__ import annotations

import gzip
import tracemalloc
from io import BufferedReader, BytesIO, RawIOBase
from itertools import chain

import pytest

from grapevine.access_logs.log_file import LONGEST_LINE, LogFile, UnreadableLog


def lines_of(content: bytes) -> tuple[list[bytes], int]:
    log = LogFile(BufferedReader(BytesIO(content)))
    return [line for block in log.blocks() for line in block], log.too_long


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize(
    ("content", "lines", "too_long"),
    [
        (b"", [], 0),
        (b"a\nb", [b"a", b"b"], 0),
        (b"a\r\n\nb\n", [b"a\r", b"", b"b"], 0),
        (b"x" * LONGEST_LINE + b"\nb\n", [b"x" * LONGEST_LINE, b"b"], 0),
        (b"a\n" + b"x" * (LONGEST_LINE + 1) + b"\nb\n", [b"a", b"", b"b"], 1),
        (b"a\n" + b"x" * 5_000_000 + b"\nb\n" + b"y" * 3_000_000 + b"\n" + b"z" * 100_000, [b"a", b"", b"b", b""], 3),
        (b"line\n" * 300_000, [b"line"] * 300_000, 0),
    ],
)
def test_lines(content: bytes, lines: list[bytes], too_long: int, compressed: bool) -> None:
    found, skipped = lines_of(gzip.compress(content, 1) if compressed else content)
    assert ([line for line in found if line or line in lines], skipped) == (lines, too_long)


def test_several_compressed_parts_are_one_file() -> None:
    assert lines_of(gzip.compress(b"a\nb") + gzip.compress(b"c\nd\n"))[0] == [b"a", b"bc", b"d"]


def test_what_comes_before_the_damage_is_read() -> None:
    whole = gzip.compress(b"".join(b"line %d\n" % number for number in range(100_000)))
    for damaged, says in (
        (whole[: len(whole) // 2], "ends in the middle"),
        (whole + b"garbage", "Not a gzipped file"),
        (whole[:-8] + b"\0" * 8, "CRC check failed"),
    ):
        log, found = LogFile(BufferedReader(BytesIO(damaged))), list[bytes]()
        with pytest.raises(UnreadableLog, match=says):
            found.extend(chain.from_iterable(log.blocks()))
        assert found[:3] == [b"line 0", b"line 1", b"line 2"]
        assert len(found) > 30_000


def test_a_bomb_needs_little_memory() -> None:
    """Some kilobytes that expand to a line of 64 MiB, or to two million lines."""
    for piece, size in ((b"\0", 64 << 20), (b"\n", 2 << 20)):
        bomb = gzip.compress(piece * size, 9)
        assert len(bomb) < 100_000
        log = LogFile(BufferedReader(BytesIO(bomb)))
        tracemalloc.start()
        number = sum(len(block) for block in log.blocks())
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert number == (0 if piece == b"\0" else size)
        assert peak < 16 << 20


def test_a_pipe_is_read_as_it_comes() -> None:
    class Pipe(RawIOBase):
        """Hands out one byte a time."""

        left = b"one\ntwo\nthree"

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
            buffer[:1] = self.left[:1] or buffer[:1]
            read, self.left = len(self.left[:1]), self.left[1:]
            return read

    assert [line for block in LogFile(BufferedReader(Pipe())).blocks() for line in block] == [b"one", b"two", b"three"]
