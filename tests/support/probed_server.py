"""``grapevine serve`` on a free port with a probe of its event loop: ``python -m tests.support.probed_server FILE``.

A heartbeat on the loop measures how long the loop did not get round to it, and keeps the longest such gap in FILE,
which the test reads through ``Probe``. More arguments go to ``serve``.
"""

from __future__ import annotations

import asyncio
import mmap
import os
import struct
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final
from unittest.mock import patch

from grapevine import cli
from grapevine.serving.runtime import loop_factory

BEAT_SECONDS: Final = 0.005
PATIENCE_SECONDS: Final = 120

_STATE: Final = struct.Struct("=QQdd")
"""The test's number of the measurement; the number of beats, the longest gap and the longest held-up time, seconds."""
_ASKED: Final = struct.Struct("=Q")


class Probe:
    """The test's side of the heartbeat."""

    def __init__(self, path: Path) -> None:
        path.write_bytes(bytes(_STATE.size))
        with path.open("r+b") as file:
            self._state = mmap.mmap(file.fileno(), _STATE.size)

    def restart(self) -> None:
        """Forgets the gaps until now."""
        _ASKED.pack_into(self._state, 0, self._read()[0] + 1)
        self._next_beats()

    def longest_gap(self) -> tuple[float, float]:
        """Returns the longest gap between two beats since ``restart``, in seconds; waits for one that is in progress.

        The second number leaves out the time in which the loop could have run and other processes had the processor.
        """
        self._next_beats()
        return self._read()[2:]

    def _read(self) -> tuple[int, int, float, float]:
        asked, beats, gap, held_up = _STATE.unpack_from(self._state)
        return asked, beats, gap, held_up

    def _next_beats(self) -> None:
        """Returns when the heart has beaten twice: the first beat may have begun before the call."""
        until, wanted = time.monotonic() + PATIENCE_SECONDS, self._read()[1] + 2
        while self._read()[1] < wanted:
            assert time.monotonic() < until, f"the server's event loop stood still for {PATIENCE_SECONDS} s"
            time.sleep(BEAT_SECONDS)


class Heartbeat:
    """The server's side: a timer of its loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop, path: Path) -> None:
        self._loop = loop
        with path.open("r+b") as file:
            self._state = mmap.mmap(file.fileno(), _STATE.size)
        self._schedule = os.open("/proc/thread-self/schedstat", os.O_RDONLY)
        self._asked = self._beats = 0
        self._gap = self._held_up = 0.0
        self._last, self._waited = time.monotonic(), self._run_delay()

    def beat(self) -> None:
        """Notes the time since the last beat, and schedules the next one."""
        now, waited = time.monotonic(), self._run_delay()
        asked = _ASKED.unpack_from(self._state)[0]
        if asked != self._asked:
            self._asked, self._gap, self._held_up = asked, 0.0, 0.0
        gap = now - self._last
        self._gap, self._held_up = max(self._gap, gap), max(self._held_up, gap - (waited - self._waited))
        self._last, self._waited, self._beats = now, waited, self._beats + 1
        _STATE.pack_into(self._state, 0, self._asked, self._beats, self._gap, self._held_up)
        self._loop.call_later(BEAT_SECONDS, self.beat)

    def _run_delay(self) -> float:
        """Returns for how many seconds this thread has been ready and waited for a processor (proc_pid_schedstat)."""
        return int(os.pread(self._schedule, 64, 0).split()[1]) / 1e9


def main(path: str, *arguments: str) -> int:
    """Runs ``serve`` with a heartbeat on its loop."""
    usual = loop_factory() or asyncio.new_event_loop

    def probed() -> asyncio.AbstractEventLoop:
        loop = usual()
        loop.call_soon(Heartbeat(loop, Path(path)).beat)
        return loop

    def factory() -> Callable[[], asyncio.AbstractEventLoop]:
        return probed

    with patch.object(cli, "loop_factory", factory):
        return cli.main(["serve", "--port", "0", *arguments])


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
