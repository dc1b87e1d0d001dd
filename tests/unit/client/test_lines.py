"""Lines of a stream, however it is cut into pieces."""

from __future__ import annotations

import re

import pytest

from grapevine.client.limits import LONGEST_LINE
from grapevine.client.lines import LineReader

LINE_FEED = re.compile(rb"\n")


class Counted:
    """A pattern that counts the bytes which it searches."""

    def __init__(self) -> None:
        self.searched = 0

    def split(self, text: bytes) -> list[bytes]:
        self.searched += len(text)
        return LINE_FEED.split(text)


def test_each_byte_of_a_long_line_is_searched_once() -> None:
    counted = Counted()
    reader = LineReader(counted)  # type: ignore[arg-type]  # of a pattern it is all that is used
    for _ in range(1_000):
        assert not reader.read(b"x" * 200)
    assert reader.read(b"\nrest") == [b"x" * 200_000]
    assert reader.has_rest
    assert counted.searched == 200_000 + len(b"\nrest")


@pytest.mark.parametrize("size", [1, 2, 3, 99])
def test_lines_come_out_whatever_the_pieces_are(size: int) -> None:
    text = b"one\n\ntwo\nthree\n"
    reader = LineReader(LINE_FEED)
    pieces = [text[start : start + size] for start in range(0, len(text), size)]
    assert [line for piece in pieces for line in reader.read(piece)] == [b"one", b"", b"two", b"three"]
    assert not reader.has_rest


def test_a_line_has_a_bound() -> None:
    reader = LineReader(LINE_FEED)
    assert not reader.read(b"x" * LONGEST_LINE)
    with pytest.raises(ValueError, match="a line of it is too long"):
        reader.read(b"x\n")
