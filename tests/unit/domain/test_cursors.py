"""Cursors lead back to their position, and to no other question."""

from __future__ import annotations

import base64
import json
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grapevine.domain import cursors
from grapevine.errors import Invalid


class Position(NamedTuple):
    """A position with a number and a text."""

    number: cursors.Number
    text: str


@given(st.integers(-(1 << 63), (1 << 63) - 1), st.text(max_size=300).filter(lambda text: text.isprintable()))
def test_a_cursor_leads_back_to_its_position(number: int, text: str) -> None:
    position = Position(number, text)
    assert cursors.read(cursors.written("size", position), "size", Position) == position


def test_questions_differ_by_each_of_their_parts() -> None:
    asked = {cursors.question(*parts) for parts in (("a", 1), ("a", 2), ("a", "1"), ("a1",), ("a", None), ())}
    assert len(asked) == 6


def made_up(*parts: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode()


@pytest.mark.parametrize(
    "text",
    [
        "", "!", "é", "a", "a" * 5_000, made_up(), made_up("size"), made_up("depth", 1, "x"),
        made_up("size", 1 << 63, ""),
        made_up("size", 1, 2), made_up("size", 1, "x", 3), made_up("size", 1.5, "x"), made_up("size", None, "x"),
        made_up(["size"], 1, "x"), base64.urlsafe_b64encode(b"{}").decode(), base64.urlsafe_b64encode(b"\xff").decode(),
        "W" * 4_000,
    ],
)  # fmt: skip
def test_what_was_not_handed_out_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as caught:
        cursors.read(text, "size", Position)
    assert [error.field for error in caught.value.errors] == ["cursor"]


@pytest.mark.parametrize("limit", [-1, 0, 101])
def test_a_page_is_bounded(limit: int) -> None:
    cursors.check_limit(1, 100)
    cursors.check_limit(100, 100)
    with pytest.raises(Invalid) as caught:
        cursors.check_limit(limit, 100)
    assert [error.field for error in caught.value.errors] == ["limit"]
