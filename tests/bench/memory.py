"""Memory of a server process: at rest, collecting at full speed, on large stores too.

Counted is what the process has for itself (``RssAnon`` and ``RssShmem`` of /proc/PID/status). Pages of files, the
program's own and the database's (readers map up to 1 GiB of it), are the page cache's: shared, and given back at once
when memory is short; they are listed separately.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
import threading
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from rich.console import Console
from rich.table import Table

from grapevine.analytics.metrics import DIMENSIONS
from grapevine.domain import ids
from tests.bench.fill import SECRET, FilledStore
from tests.bench.filled_stores import SIZES, filled, name_of
from tests.bench.ingest import ORIGIN, free_port, grapevine, seed
from tests.bench.load import NO_LIMITS, offer, process

WANTED: Final = 150
_SECONDS: Final = int(os.environ.get("SECONDS", "10"))
_CONNECTIONS: Final = 256
_EVERY_SECONDS: Final = 0.1
_FIELDS: Final = ("VmRSS", "RssAnon", "RssShmem", "RssFile")


class Memory(NamedTuple):
    """MiB: resident in all, of that the process's own, and pages of files."""

    resident: float
    own: float
    files: float


def run() -> None:
    """Prints MiB."""
    if not Path("/proc/self/status").exists():
        raise SystemExit("the benchmark reads /proc, which only Linux has")
    rows: dict[str, Memory] = {}
    with tempfile.TemporaryDirectory() as folder:
        settings = {"GRAPEVINE_DATABASE": f"sqlite:///{folder}/bench.sqlite3", **NO_LIMITS}
        site = json.loads(grapevine(settings, "site", "add", "Bench", "--origin", ORIGIN))["site"]
        with _serving(settings) as (server, pid):
            rows["an empty store, at rest"] = now(pid)
            rows[f"the same, /v1/visits from {_CONNECTIONS} connections"] = _collecting(server, pid, site, Path(folder))
            rows["the same, at rest again"] = now(pid)
    for size in SIZES:
        rows |= _on_a_store(size)
    table = Table(
        title=f"Memory of one process, MiB, the most seen (wanted: ≤ {WANTED} of its own)", title_justify="left"
    )
    table.add_column("state")
    for column in ("its own", "pages of files", "resident in all"):
        table.add_column(column, justify="right")
    for name, memory in rows.items():
        table.add_row(name, *(f"{one:.0f}" for one in (memory.own, memory.files, memory.resident)))
    Console(width=120).print(table)


def now(pid: int) -> Memory:
    """Returns the current memory of the process."""
    text = Path(f"/proc/{pid}/status").read_text("ascii")
    resident, anonymous, shared, files = (
        int(found[1]) / 1024 if (found := re.search(rf"^{field}:\s+(\d+) kB", text, re.MULTILINE)) else 0.0
        for field in _FIELDS
    )
    return Memory(resident, anonymous + shared, files)


def _on_a_store(size: int) -> dict[str, Memory]:
    """A copy of a filled store: collecting changes it."""
    store = filled(size)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(shutil.copy(store.path, folder))
        settings = {
            "GRAPEVINE_DATABASE": f"sqlite:///{path}",
            **NO_LIMITS,
            "GRAPEVINE_SECRET_KEYS": SECRET,
        }
        with _serving(settings) as (server, pid):
            rest = now(pid)
            with _reading(server, store):
                busy = _collecting(server, pid, store.site, Path(folder))
    name = f"{name_of(size)} visits"
    return {f"{name}, at rest": rest, f"{name}, collecting and read by a dashboard": busy}


def _collecting(server: str, pid: int, site: str, folder: Path) -> Memory:
    """Returns the maximum of each number while requests come as fast as they are served."""
    traffic = seed(server, site, folder)
    most = [now(pid)]
    with _repeating(_EVERY_SECONDS, lambda: most.append(now(pid))):
        load = offer(server, _CONNECTIONS, _SECONDS, traffic | {"CALL": "visits", "SEED": "1"})
    if load.failed:
        raise SystemExit(f"{load.failed} requests failed")
    return Memory(*map(max, zip(*most, strict=True)))


@contextmanager
def _serving(settings: dict[str, str]) -> Iterator[tuple[str, int]]:
    port = free_port()
    with process("-m", "grapevine", "serve", "--port", str(port), ready="ready", environment=settings) as started:
        yield f"http://127.0.0.1:{port}", started.pid


@contextmanager
def _reading(server: str, store: FilledStore) -> Iterator[None]:
    """Requests all data of the dashboard, over and over."""
    days = {"from": str(ids.day_date(store.last_day - 29)), "to": str(ids.day_date(store.last_day))}
    questions = [
        "/v1/stats/summary?" + urllib.parse.urlencode(days),
        "/v1/cascades",
        *(f"/v1/cascades/{root}" for root in store.roots),
        *(f"/v1/tokens/{token}" for token in store.tokens),
        *("/v1/stats/breakdown?" + urllib.parse.urlencode(days | {"by": by}) for by in DIMENSIONS),
        "/v1/stats/series?" + urllib.parse.urlencode(days | {"metric": "visits", "interval": "hour"}),
        "/v1/stats/summary?" + urllib.parse.urlencode(days | {"page": f"{ORIGIN}/articles/0100-on-a-subject"}),
    ]
    turn = 0

    def ask() -> None:
        nonlocal turn
        path = questions[turn % len(questions)]
        request = urllib.request.Request(server + path, headers={"Authorization": f"Bearer {store.key}"})  # noqa: S310
        with urllib.request.urlopen(request) as response:  # noqa: S310
            response.read()
        turn += 1

    with _repeating(0.0, ask):
        yield
    if turn < len(questions):
        raise SystemExit(f"only {turn} of {len(questions)} questions were answered in {_SECONDS} s")


@contextmanager
def _repeating(every: float, call: Callable[[], object]) -> Iterator[None]:
    """Repeats ``call`` in a thread while the block runs; an exception in it ends the benchmark."""
    over = threading.Event()
    problems: list[Exception] = []

    def go_on() -> None:
        try:
            while not over.wait(every):
                call()
        except Exception as error:
            problems.append(error)

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    if problems:
        raise problems[0]
