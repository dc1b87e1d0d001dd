"""Many comparisons in one test: all are made, and the test fails with everything that differs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class Differences:
    """Collects what differs; ``check`` shows all of it."""

    def __init__(self) -> None:
        self._compared = 0
        self._found: list[str] = []

    def compare(self, case: object, found: object, expected: object) -> None:
        """Notes a difference, if there is one, under its case."""
        with self.case(case):
            assert found == expected, f"found {found!r}, expected {expected!r}"

    @contextmanager
    def case(self, case: object) -> Iterator[None]:
        """One case: an assertion that fails in the block is noted, and the test goes on behind it."""
        self._compared += 1
        try:
            yield
        except AssertionError as error:
            self._found.append(f"{case}: {error}")

    @property
    def compared(self) -> int:
        """How many cases were compared."""
        return self._compared

    def check(self, cases: int) -> None:
        """Fails with all differences; also where other than ``cases`` were compared."""
        assert self._found == [], "\n".join([f"{len(self._found)} of {self._compared} differ:", *self._found])
        assert self._compared == cases
