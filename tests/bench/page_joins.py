"""How long it takes to join a tenth of a filled store's pages, and what the job costs those who collect meanwhile.

The work is measured in processor time, without the job's rests. Then pairs of turns begin on copies of one file,
without the job and with one of its steps. ``SIZES`` (the first is used), ``SECONDS`` a turn, ``ROUNDS`` pairs for each
step.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import statistics
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Final, NamedTuple

from rich.console import Console

from grapevine.background.leases import Leases
from grapevine.background.pace import IDLE
from grapevine.domain import ids
from grapevine.domain.urls import page_id
from grapevine.serving.app import system_clock
from grapevine.store.repositories.page_joins import COUNTING, POINTING
from grapevine.store.sqlite.store import SQLiteStore
from grapevine.writer.page_join_job import PageJoinJob
from tests.bench.fill import SECRET, FilledStore
from tests.bench.filled_stores import SIZES, filled, name_of
from tests.bench.ingest import free_port, seed
from tests.bench.load import NO_LIMITS, LoadResult, offer, process
from tests.bench.scenario import PAGES

WANTED: Final = 1.5
"""At most so many times as long may the 99th percentile be while the job runs."""

STEPS: Final = {1: "visits", 2: "shares", 4: "cascades", 6: "counts"}
"""Steps of the job with which turns begin, and what they change or read."""

_SECONDS: Final = int(os.environ.get("SECONDS", "10"))
_ROUNDS: Final = int(os.environ.get("ROUNDS", "3"))
_CONNECTIONS: Final = 16
_NO_STEP: Final = 1_000
_SITE: Final = 1


class Work(NamedTuple):
    """How long the job took in processor time (seconds), and how often it rested."""

    seconds: float
    rests: int


def run() -> None:
    """Prints the time, both percentiles and their ratio."""
    store = filled(SIZES[0])
    console = Console(width=120)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(shutil.copy(store.path, folder))
        asyncio.run(_migrate(path))
        visits = _store_as_before(path)
        found = Path(folder, "found")
        shutil.copy(path, found)
        work = asyncio.run(_join(path))
        console.print(
            f"{name_of(store.visits)} visits, {visits:,} of them on pages to be joined: {work.seconds:.1f} s of "
            f"processor time in {work.rests:,} parts, {work.seconds / work.rests * 1_000:.1f} ms each; at the job's "
            f"pace {work.seconds * (1 + IDLE) / 60:.1f} minutes on an idle machine"
        )
        shutil.copy(found, path)
        asyncio.run(_join(path, last_step=1))
        ratios = [ratio for step in STEPS for ratio in _ratios(console, store, path, step)]
    low, *_, high = statistics.quantiles(ratios, n=10) if len(ratios) > 1 else ratios * 2
    console.print(f"p99 ratio: {statistics.median(ratios):.2f} ({low:.2f}-{high:.2f}; wanted: ≤ {WANTED})")


def _ratios(console: Console, store: FilledStore, path: Path, step: int) -> list[float]:
    alone, beside = [], []
    for _ in range(_ROUNDS):
        alone.append(_turn(store, path, _NO_STEP))
        beside.append(_turn(store, path, step))
    rate, p99 = (statistics.median(getattr(turn, field) for turn in beside) for field in ("rate", "p99"))
    ratios = [with_job.p99 / without.p99 for without, with_job in zip(alone, beside, strict=True)]
    console.print(
        f"{STEPS[step]}: {rate:,.0f} visits/s, p99 {p99 * 1000:.1f} ms with the job; "
        f"ratios {', '.join(f'{ratio:.2f}' for ratio in ratios)}"
    )
    return ratios


def _turn(store: FilledStore, path: Path, step: int) -> LoadResult:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(shutil.copy(path, folder))
        with closing(sqlite3.connect(file)) as database, database:
            database.execute("UPDATE versions SET version = ? WHERE name = 'page_joins'", (step,))
        port = free_port()
        settings = {
            "GRAPEVINE_DATABASE": f"sqlite:///{file}",
            **NO_LIMITS,
            "GRAPEVINE_SECRET_KEYS": SECRET,
            "GRAPEVINE_RETENTION_DAYS": "0",
        }
        with process("-m", "grapevine", "serve", "--port", str(port), ready="ready", environment=settings):
            server = f"http://127.0.0.1:{port}"
            traffic = seed(server, store.site, Path(folder))
            load = offer(server, _CONNECTIONS, _SECONDS, traffic | {"CALL": "visits", "SEED": str(time.time_ns())})
    if load.failed:
        raise SystemExit(f"{load.failed} requests failed")
    return load


async def _migrate(path: Path) -> None:
    store = SQLiteStore(path)
    await store.open()
    await store.close()


async def _join(path: Path, last_step: int = _NO_STEP) -> Work:
    """Joins the pages without rests, at most until a step is reached."""
    store, rests = SQLiteStore(path), 0
    await store.open()

    async def no_rest(_: float) -> None:
        nonlocal rests
        rests += 1

    job = PageJoinJob(store, Leases(store.leases, system_clock, "bench"), system_clock, no_rest)
    started = time.process_time()
    if last_step == _NO_STEP:
        await job.run()
    else:
        for number, step in enumerate(job.steps[:last_step], 1):
            await step()
            await store.page_joins.note_step(number)
    took = time.process_time() - started
    await store.close()
    return Work(took, rests)


def _store_as_before(path: Path) -> int:
    """Stores every tenth page as an older version stored it: half of them under another spelling of the page behind it,
    the others of itself. Returns how many visits began on them."""
    with closing(sqlite3.connect(path)) as database, database:
        visits = 0
        for number in range(0, len(PAGES), 10):
            spelling = PAGES[number + number // 10 % 2].replace("-on-", "%2Don-")
            old, new = page_id(_SITE, PAGES[number]), page_id(_SITE, spelling)
            for table in ("visits", *(table.name for table in (*POINTING, *COUNTING))):
                changed = database.execute(f"UPDATE {table} SET page_id = ? WHERE page_id = ?", (new, old)).rowcount
                visits += changed if table == "visits" else 0
            database.execute(
                "UPDATE pages SET page_id = ?, cell = ?, url = ? WHERE page_id = ?",
                (new, ids.hashed_cell(new), spelling, old),
            )
        database.execute("UPDATE versions SET version = 0 WHERE name = 'page_joins'")
        return visits
