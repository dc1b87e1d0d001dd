"""Markers by folder and fixture, and a guard: a test that starts a process without a marker that admits it fails."""

from __future__ import annotations

import re
import sys
from collections.abc import Generator
from typing import Any, Final

import pytest

FOLDERS: Final = {
    "tests/accuracy/": ("long",),
    "tests/attack/test_connections.py": ("long",),
    "tests/attack/": ("process",),
    "tests/browser/": ("browser",),
    "tests/chaos/": ("process",),
    "tests/engines/": ("browser",),
    "tests/unit/analytics/test_attribution.py::test_no_part_is_a_millionth_away": ("long",),
    "tests/unit/analytics/test_attribution.py::test_the_credits_of_a_conversion_add_up": ("long",),
    "tests/unit/analytics/test_spike_detection.py::test_quarters_of_sites": ("long",),
    "tests/web/public/test_random_bodies.py": ("long",),
    "tests/web/test_backends_agree.py": ("long",),
    "tests/simulate/test_simulate.py": ("long",),
}
"""Where the name of a test begins so, it has these markers."""
FIXTURES: Final = {
    "citus": "postgres",
    "demo": "process",
    "emptied_url": "postgres",
    "machine": "process",
    "packaged_databases": "postgres",
    "postgres_databases": "postgres",
    "postgres_server": "postgres",
}
BACKENDS: Final = frozenset({"database", "databases", "store", "ways", "worlds"})
"""Fixtures whose parameter names a backend, or several: ``sqlite``, ``postgres 2``, ``sqlite-postgres``."""
MAY_START_PROCESSES: Final = ("browser", "postgres", "process")


def mark(item: pytest.Item) -> None:
    """Adds the markers that follow from a test's folder and from its fixtures, so that no test has to name them."""
    for name in sorted(_markers(item)):
        item.add_marker(name)


def _markers(item: pytest.Item) -> set[str]:
    found = {name for folder, names in FOLDERS.items() if item.nodeid.startswith(folder) for name in names}
    found |= {FIXTURES[name] for name in getattr(item, "fixturenames", ()) if name in FIXTURES}
    parameters: dict[str, Any] = item.callspec.params if hasattr(item, "callspec") else {}
    if any("postgres" in re.split(r"[ -]", str(parameters[name])) for name in BACKENDS & parameters.keys()):
        found.add("postgres")
    return found


class ProcessGuard:
    """Fails a test that starts a process and has none of the markers ``MAY_START_PROCESSES``."""

    def __init__(self) -> None:
        self._item: pytest.Item | None = None
        sys.addaudithook(self._audit)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Any:
        """Watches the fixtures of a test; what is taken down after it may be other tests' too."""
        return (yield from self._watched(item))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Any:
        """Watches a test."""
        return (yield from self._watched(item))

    def _watched(self, item: pytest.Item) -> Generator[None, Any, Any]:
        marked = any(item.get_closest_marker(name) for name in MAY_START_PROCESSES)
        self._item = None if marked else item
        try:
            return (yield)
        finally:
            self._item = None

    def _audit(self, event: str, arguments: tuple[object, ...]) -> None:
        if event == "subprocess.Popen" and self._item is not None:
            names = ", ".join(MAY_START_PROCESSES)
            raise RuntimeError(f"{self._item.nodeid} starts {arguments[0]!r} and is marked by none of {names}")
