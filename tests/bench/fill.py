"""Fills a SQLite store with the visits of one site as fast as it takes them, row for row what the server's own writer
would have left: rows in the order they come in, later changes as later updates, so that the file is as large, too.

``python -m tests.bench.fill VISITS FILE`` fills one by hand; tests/bench/test_fill.py plays the same events
through the writer's EventRecorder and compares the tables.
"""

from __future__ import annotations

import asyncio
import gc
import marshal
import sqlite3
import sys
import time
from collections.abc import Iterable
from multiprocessing import Pipe, Process
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

import msgspec

from grapevine.domain import ids
from grapevine.domain.tokens import Tokens
from grapevine.sites.management import NewSite, add_site
from grapevine.store.sqlite.store import SQLiteStore
from tests.bench.filler import Filler
from tests.bench.scenario import ORIGIN, Story

SECRET: Final = "a-secret-key-of-the-benchmarks-which-is-none"
DAYS: Final = 35

_FAST: Final = (
    "journal_mode=OFF",
    "synchronous=OFF",
    "cache_size=-262144",
    "locking_mode=EXCLUSIVE",
    "secure_delete=OFF",
)


class FilledStore(msgspec.Struct, frozen=True):
    """A filled store: number of visits, their last day, the site, an API key, and the tokens and cascades to query."""

    path: str
    visits: int
    last_day: int
    site: str
    key: str
    tokens: list[str]
    roots: list[str]
    seconds: float


class File:
    """A store's file, opened for the fastest inserts."""

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path, isolation_level=None)
        for setting in _FAST:
            self._database.execute(f"PRAGMA {setting}").fetchall()
        self._database.execute("BEGIN")

    def many(self, text: str, rows: Iterable[tuple[Any, ...]]) -> None:
        """Runs a statement once for each of ``rows``."""
        self._database.executemany(text, rows)

    def close(self, visits: int) -> None:
        """Commits everything to the file. Raises RuntimeError when rows are missing because two visits drew one id."""
        self._database.execute("COMMIT")
        ((stored,),) = self._database.execute("SELECT count(*) FROM visits").fetchall()
        self._database.execute("PRAGMA locking_mode=NORMAL").fetchall()
        self._database.execute("PRAGMA journal_mode=WAL").fetchall()
        self._database.close()
        if stored != visits:
            raise RuntimeError(f"{visits - stored} visits drew an id that was taken")


def fill(path: Path, visits: int, last_day: int | None = None) -> FilledStore:
    """Creates a store with about ``visits`` visits until yesterday; one process simulates, another writes."""
    started = time.perf_counter()
    last = ids.day_at(time.time_ns() // 1_000_000) - 1 if last_day is None else last_day
    new = asyncio.run(_make(path, ids.day_start(last - DAYS)))
    mine, others = Pipe(duplex=False)
    teller = Process(target=_tell, args=(others, visits, last, new.row.site_id))
    teller.start()
    others.close()
    file = File(path)
    while written := mine.recv_bytes():
        for text, rows in marshal.loads(written):  # noqa: S302  # from a process of ours
            file.many(text, rows)
    stored, chains, roots = mine.recv()
    teller.join()
    file.close(stored)
    tokens = Tokens([SECRET.encode()], bytes.fromhex(new.row.salt))
    return FilledStore(
        path=str(path),
        visits=stored,
        last_day=last,
        site=new.row.key,
        key=new.key.secret,
        tokens=[tokens.mint(visit, (channel,))[0] for visit, channel in chains],
        roots=[ids.visit_text(root) for root in roots],
        seconds=time.perf_counter() - started,
    )


def _tell(file: Connection, visits: int, last_day: int, site_id: int) -> None:
    """Sends the statements of each slice of time, then None, then the summary for ``fill``."""
    gc.disable()  # nothing here makes circles, and looking for them takes a seventh of the time
    statements: list[tuple[str, list[tuple[Any, ...]]]] = []
    filler = Filler(lambda text, rows: statements.append((text, list(rows))), site_id, last_day)
    story = Story(visits, last_day, DAYS)
    for end, happened in story.slices():
        filler.write(end, happened)
        file.send_bytes(marshal.dumps(statements))
        statements.clear()
    file.send_bytes(b"")
    file.send((filler.visits, story.chains, story.roots))


async def _make(path: Path, now: int) -> NewSite:
    store = SQLiteStore(path)
    await store.open()
    try:
        return await add_site(store, "Bench", [ORIGIN], now)
    finally:
        await store.close()


if __name__ == "__main__":
    sys.stdout.buffer.write(msgspec.json.encode(fill(Path(sys.argv[2]), int(sys.argv[1]))))
