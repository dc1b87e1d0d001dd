"""Rows of numbers that the workers of one server share: each writes its own row, and any of them reads all.

The supervisor makes the memory and keeps it, so that a worker that takes the place of a dead one goes on with its
counters (docs/decisions/0068). Numbers are 64-bit floats, exact for counts up to 2⁵³; each is written at once, so no
lock is needed.
"""

from __future__ import annotations

import mmap
import os
import tempfile
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

_CELL: Final = 8
_ROW_CELLS: Final = 4_096
_HEAD: Final = 2
MOST_NUMBERS: Final = _ROW_CELLS - _HEAD
"""So many numbers has a process at most."""


def shared_rows(workers: int) -> int:
    """Returns the descriptor of new memory for the rows of ``workers``, for processes that a parent starts."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("grapevine-metrics")
    else:
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    os.truncate(descriptor, workers * _ROW_CELLS * _CELL)
    return descriptor


class Row(NamedTuple):
    """The numbers of one worker (1, 2, …) and its process, the last one where that is dead."""

    worker: int
    pid: int
    numbers: Sequence[float]


class Rows:
    """The rows of all workers, of which this process, ``worker``, writes its own. One process alone has one row.

    ``layout`` identifies what the numbers mean: a worker of another release, which took the place of a dead one after
    an upgrade, neither goes on with a row of this one nor is read by it.
    """

    def __init__(self, layout: int, worker: int = 1, descriptor: int | None = None) -> None:
        size = _ROW_CELLS * _CELL
        memory = bytearray(size) if descriptor is None else mmap.mmap(descriptor, os.fstat(descriptor).st_size)
        self._cells = memoryview(memory).cast("B").cast("d")
        self._layout = float(layout)
        self._number = len(memory) // size
        self.worker = worker
        start = (worker - 1) * _ROW_CELLS
        before = self._cells[start + _HEAD : start + _ROW_CELLS].tolist()
        self._before = before if self._cells[start] == self._layout else [0.0] * MOST_NUMBERS
        self.shared = descriptor is not None

    def left_behind(self, length: int) -> Sequence[float]:
        """Returns the numbers of the process whose place this one took; zeros where there was none."""
        return self._before[:length]

    def write(self, numbers: Sequence[float]) -> None:
        """Writes this process's numbers. Raises ValueError for more than fit."""
        if len(numbers) > MOST_NUMBERS:
            raise ValueError(f"a row holds {MOST_NUMBERS} numbers")
        start = (self.worker - 1) * _ROW_CELLS
        for place, number in enumerate(numbers, start + _HEAD):
            self._cells[place] = number
        self._cells[start + 1] = os.getpid()
        self._cells[start] = self._layout

    def read(self, length: int) -> Iterator[Row]:
        """Yields the rows of all workers that have written one."""
        for worker in range(1, self._number + 1):
            start = (worker - 1) * _ROW_CELLS
            if self._cells[start] == self._layout:
                numbers = self._cells[start + _HEAD : start + _HEAD + length].tolist()
                yield Row(worker, int(self._cells[start + 1]), numbers)
