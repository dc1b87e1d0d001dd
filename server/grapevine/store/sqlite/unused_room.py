"""The unused room in the pages of a SQLite file, which may hold copies of rows that were deleted since.

When pages of a b-tree are split or joined, SQLite rebuilds them and leaves the room between a page's cell pointers and
its cells as it was (``rebuildPage`` in its btree.c): with copies of rows that moved to another page. ``secure_delete``
overwrites a row where it is deleted, and knows nothing of such copies. Here that room is overwritten with zeros.

By the file format (https://sqlite.org/fileformat2.html#b_tree_pages) the room holds nothing and no checksum covers it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

_HEADERS: Final = {0x02: 12, 0x05: 12, 0x0A: 8, 0x0D: 8}
"""The types of b-tree pages, with the length of their header."""

_FILE_HEADER: Final = 100
_LARGEST_ROOT: Final = 52
"""Where the header of a file has a number that is 0 without auto-vacuum, which Grapevine does not use: with it there
are pages of pointers, whose first byte may be a type of b-tree pages."""
_MOST_PAGES: Final = 1 << 25
"""Pages that are none of a b-tree begin with the number of another page, or with zeros. In a file of fewer pages than
these (128 GiB), the first byte of that number is 0 or 1, which is no type of b-tree pages."""


def unused_room(page: bytes, number: int, usable: int) -> tuple[int, int] | None:
    """Returns where the unused room of a page begins and ends; None for one that is no b-tree page.

    ``number`` counts from 1; ``usable`` is the page's size without the bytes that are reserved at its end.
    """
    header = _FILE_HEADER if number == 1 else 0
    size = _HEADERS.get(page[header])
    if size is None:
        return None
    cells = int.from_bytes(page[header + 3 : header + 5], "big")
    end = int.from_bytes(page[header + 5 : header + 7], "big") or 1 << 16
    start = header + size + 2 * cells
    return (start, end) if start <= end <= usable else None


class UnusedRoom:
    """The file at ``path``, opened beside SQLite.

    Close it after every connection of this process to that file: closing a descriptor drops all of the process's locks
    on its file (POSIX), those of SQLite's connections among them.
    """

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDWR)

    def close(self) -> None:
        """Closes the file."""
        os.close(self._descriptor)

    @property
    def pages(self) -> int:
        """The number of pages in the file; 0 when b-tree pages cannot be distinguished from others."""
        number = os.fstat(self._descriptor).st_size // self._sizes()[0]
        has_pointer_maps = any(os.pread(self._descriptor, 4, _LARGEST_ROOT))
        return 0 if has_pointer_maps or number >= _MOST_PAGES else number

    def dirty(self, first: int, count: int) -> list[int]:
        """Returns those of ``count`` pages from ``first`` on whose unused room is not all zeros."""
        size, usable = self._sizes()
        image = os.pread(self._descriptor, size * count, size * (first - 1))
        found = []
        for index in range(len(image) // size):
            page = image[index * size : (index + 1) * size]
            room = unused_room(page, first + index, usable)
            if room is not None and page.count(0, *room) < room[1] - room[0]:
                found.append(first + index)
        return found

    def wipe(self, numbers: list[int]) -> None:
        """Overwrites the unused room of these pages.

        The caller keeps every other process from writing, and the write-ahead log is empty: else a page may be there in
        a newer state, whose room is elsewhere.
        """
        size, usable = self._sizes()
        for number in numbers:
            page = os.pread(self._descriptor, size, size * (number - 1))
            room = unused_room(page, number, usable) if len(page) == size else None
            if room is not None:
                os.pwrite(self._descriptor, bytes(room[1] - room[0]), size * (number - 1) + room[0])

    def sync(self) -> None:
        """Waits until everything is on disk."""
        os.fsync(self._descriptor)

    def _sizes(self) -> tuple[int, int]:
        """Returns the size of a page, and how much of it is usable."""
        head = os.pread(self._descriptor, _FILE_HEADER, 0)
        if len(head) < _FILE_HEADER:  # nothing was written yet
            return 4096, 4096
        size = int.from_bytes(head[16:18], "big")
        size = 1 << 16 if size == 1 else size
        return size, size - head[20]
