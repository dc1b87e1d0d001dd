"""Rows of memory that workers share: each writes its own, all are read, a successor goes on."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from grapevine.telemetry.rows import MOST_NUMBERS, Row, Rows, shared_rows

LAYOUT = 2**32 - 1


@pytest.fixture
def memory() -> Iterator[int]:
    """The memory of three workers."""
    descriptor = shared_rows(3)
    yield descriptor
    os.close(descriptor)


def test_each_worker_reads_what_all_wrote(memory: int) -> None:
    first, third = Rows(LAYOUT, 1, memory), Rows(LAYOUT, 3, memory)
    first.write([1.0, 2.5])
    third.write([2.0**53, 0.0])
    found = [Row(1, os.getpid(), [1.0, 2.5]), Row(3, os.getpid(), [2.0**53, 0.0])]
    assert list(first.read(2)) == list(third.read(2)) == found
    assert first.shared


def test_a_successor_begins_with_what_is_left_behind(memory: int) -> None:
    before = Rows(LAYOUT, 2, memory)
    assert before.left_behind(2) == [0.0, 0.0]
    before.write([7.0, 8.0])
    successor = Rows(LAYOUT, 2, memory)
    successor.write([9.0, 9.0])
    assert successor.left_behind(2) == [7.0, 8.0]


def test_another_release_neither_goes_on_nor_is_added_up(memory: int) -> None:
    Rows(LAYOUT, 1, memory).write([7.0, 8.0])
    newer = Rows(LAYOUT - 1, 1, memory)
    assert newer.left_behind(2) == [0.0, 0.0]
    assert list(newer.read(2)) == []
    newer.write([1.0, 1.0])
    assert [row.numbers for row in newer.read(2)] == [[1.0, 1.0]]
    assert list(Rows(LAYOUT, 2, memory).read(2)) == []


def test_one_process_has_one_row_of_its_own() -> None:
    rows = Rows(LAYOUT)
    assert list(rows.read(1)) == []
    rows.write([1.0])
    assert [row.numbers for row in rows.read(1)] == [[1.0]]
    assert not rows.shared


def test_more_numbers_than_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="a row holds"):
        Rows(LAYOUT).write([0.0] * (MOST_NUMBERS + 1))
