"""Retention under load: what the job costs those who collect meanwhile, and whether the file's space is used again.

Half of a filled store is past retention. Turns with the job and without it follow each other on the same file; the job
goes on where the turn before ended. ``SIZES`` (the first is used), ``SECONDS`` a turn, ``ROUNDS`` at most.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from rich.console import Console

from grapevine.domain import ids
from tests.bench.fill import SECRET, FilledStore
from tests.bench.filled_stores import SIZES, filled, name_of
from tests.bench.ingest import free_port, seed
from tests.bench.load import NO_LIMITS, offer, process

WANTED: Final = 1.5
"""At most so many times as long may the 99th percentile be while the job runs."""

_SECONDS: Final = int(os.environ.get("SECONDS", "10"))
_ROUNDS: Final = int(os.environ.get("ROUNDS", "12"))
_CONNECTIONS: Final = 16
_MIB: Final = 1 << 20


class FileState(NamedTuple):
    """The file and its log in MiB, the free pages in it in MiB, and the visits before and after the horizon."""

    size: float
    free: float
    old: int
    young: int


class Turn(NamedTuple):
    """A turn: requests a second, their 99th percentile (seconds), and how many old visits were deleted a second."""

    rate: float
    p99: float
    deleted: float


def run() -> None:
    """Prints both percentiles, their ratio, and the sizes of the file."""
    store = filled(SIZES[0])
    horizon = store.last_day - 17
    with tempfile.TemporaryDirectory() as folder:
        path = Path(shutil.copy(store.path, folder))
        before = _state(path, horizon)
        alone, beside = _turns(store, path, horizon)
        _finish(path, horizon)
        after = _state(path, horizon)
        refilled = _refilled(store, path, horizon, before.old)
    ratios = [with_job.p99 / without.p99 for without, with_job in zip(alone, beside, strict=True)]
    console = Console(width=120)
    console.print(
        f"{name_of(store.visits)} visits, {before.old:,} of them past retention; {len(ratios)} pairs of turns"
    )
    for name, turns in (("without the job", alone), ("with the job", beside)):
        console.print(
            f"{name}: {_median(turns, 'rate'):,.0f} visits/s, p99 {_median(turns, 'p99') * 1000:.1f} ms, "
            f"{_median(turns, 'deleted'):,.0f} deleted/s"
        )
    low, *_, high = statistics.quantiles(ratios, n=10) if len(ratios) > 1 else [ratios[0]] * 2
    console.print(f"p99 ratio: {statistics.median(ratios):.2f} ({low:.2f}-{high:.2f}; wanted: ≤ {WANTED})")
    for name, state in (("before", before), ("after", after), ("after as many new visits", refilled)):
        console.print(f"file {name}: {state.size:,.0f} MiB, {state.free:,.0f} free, {state.old + state.young:,} visits")


def _turns(store: FilledStore, path: Path, horizon: int) -> tuple[list[Turn], list[Turn]]:
    """Pairs of turns, as long as the job has something to do for all of its turn."""
    alone: list[Turn] = []
    beside: list[Turn] = []
    for _ in range(_ROUNDS):
        without = _turn(store, path, horizon, days=0)
        with_job = _turn(store, path, horizon, days=_days(horizon))
        if alone and not _state(path, horizon).old:
            break
        alone.append(without)
        beside.append(with_job)
    return alone, beside


def _turn(store: FilledStore, path: Path, horizon: int, days: int) -> Turn:
    before = _state(path, horizon).old
    with _serving(path, days) as server, tempfile.TemporaryDirectory() as folder:
        traffic = seed(server, store.site, Path(folder))
        load = offer(server, _CONNECTIONS, _SECONDS, traffic | {"CALL": "visits", "SEED": str(time.time_ns())})
    if load.failed:
        raise SystemExit(f"{load.failed} requests failed")
    return Turn(load.rate, load.p99, (before - _state(path, horizon).old) / _SECONDS)


def _finish(path: Path, horizon: int) -> None:
    """Lets the job come to its end."""
    with _serving(path, _days(horizon)):
        while _state(path, horizon).old:
            time.sleep(1)


def _refilled(store: FilledStore, path: Path, horizon: int, number: int) -> FileState:
    """Collects ``number`` visits more than there were before the turns, and returns the state then."""
    while _state(path, horizon).young < number + store.visits - number:
        _turn(store, path, horizon, days=0)
    return _state(path, horizon)


def _state(path: Path, horizon: int) -> FileState:
    first = ids.pack(horizon, 0, 0)
    with closing(sqlite3.connect(path)) as database:
        ((free, page),) = database.execute(
            "SELECT freelist_count, page_size FROM pragma_freelist_count, pragma_page_size"
        )
        ((old, young),) = database.execute(
            "SELECT count(*) FILTER (WHERE visit_id < ?1), count(*) FILTER (WHERE visit_id >= ?1) FROM visits", (first,)
        )
    size = sum(file.stat().st_size for file in path.parent.glob(f"{path.name}*"))
    return FileState(size / _MIB, free * page / _MIB, old, young)


def _days(horizon: int) -> int:
    return ids.day_at(time.time_ns() // 1_000_000) - horizon


def _median(turns: list[Turn], field: str) -> float:
    return statistics.median(float(getattr(turn, field)) for turn in turns)


@contextmanager
def _serving(path: Path, days: int) -> Iterator[str]:
    port = free_port()
    settings = {
        "GRAPEVINE_DATABASE": f"sqlite:///{path}",
        **NO_LIMITS,
        "GRAPEVINE_SECRET_KEYS": SECRET,
        "GRAPEVINE_RETENTION_DAYS": str(days),
    }
    with process("-m", "grapevine", "serve", "--port", str(port), ready="ready", environment=settings):
        yield f"http://127.0.0.1:{port}"
