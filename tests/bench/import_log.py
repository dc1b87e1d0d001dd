"""``grapevine import-log``: lines a second and memory, beside a bare loop over the same file, and the same file again.

The log is that of an ordinary site: of 100 lines three open a shared link, three have a token in the referrer (parts of
such a page), the others have none. One in a hundred agents is that of a preview robot, an assistant or a crawler.
LINES (1,000,000) and DATABASE, a PostgreSQL address, change the run.
"""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

from rich.console import Console
from rich.table import Table

from grapevine.config.secret_keys import with_secret_keys
from grapevine.config.settings import Settings
from grapevine.domain import ids
from grapevine.domain.enums import SOURCES
from grapevine.domain.events import VisitEvent, VisitOutcome
from grapevine.sites.cache import Site
from grapevine.sites.management import add_site
from grapevine.store.factory import make_store
from grapevine.writer.nonces import Nonces
from grapevine.writer.recorder import EventRecorder

WANTED: Final = 20_000
"""Lines a second, on a quiet core."""

_LINES: Final = int(os.environ.get("LINES", "1000000"))
_SHARERS: Final = 2_000
_PAGES: Final = 3_000
_OPENED: Final = 0.03
_A_SECOND: Final = 10
_ORIGIN: Final = "https://bench.example"
_NAME: Final = "Bench"
_AGENTS: Final = (
    *(
        f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{major}.0.{minor}.0 "
        "Safari/537.36"
        for major in range(100, 133)
        for minor in range(9)
    ),
    "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko); compatible; ChatGPT-User/1.0; +https://openai.com/bot",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
)


class _Run(NamedTuple):
    seconds: float
    peak_mib: float
    said: str


def run() -> None:
    """Prints a table."""
    with tempfile.TemporaryDirectory() as folder:
        database = os.environ.get("DATABASE", f"sqlite:///{folder}/bench.sqlite3")
        tokens = asyncio.run(_seed(Settings(database=database)))
        log = Path(folder, "access.log")
        with log.open("w") as file:
            file.writelines(_lines(tokens))
        started = time.perf_counter()
        with log.open("rb") as bare:
            for _line in bare:
                pass
        loop = time.perf_counter() - started
        runs = {name: _import(database, log) for name in ("the first run", "the same file again")}
    table = Table(title=f"import-log, {_LINES:,} lines (wanted: ≥ {WANTED:,} a second)", title_justify="left")
    table.add_column("run")
    for column in ("seconds", "lines a second", "÷ bare loop", "peak MiB"):
        table.add_column(column, justify="right")
    table.add_row("for line in file", f"{loop:.2f}", f"{_LINES / loop:,.0f}", "1", "")
    for name, done in runs.items():
        ratio = f"{done.seconds / loop:,.0f}"
        table.add_row(name, f"{done.seconds:.1f}", f"{_LINES / done.seconds:,.0f}", ratio, f"{done.peak_mib:.0f}")
    console = Console(width=100)
    console.print(table)
    for name, done in runs.items():
        console.print(f"{name}: {done.said}")


def _import(database: str, log: Path) -> _Run:
    started = time.perf_counter()
    environ = os.environ | {"GRAPEVINE_DATABASE": database}
    with subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", "grapevine", "import-log", _NAME, str(log)],
        env=environ, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        said = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"the import failed: {said}")
    return _Run(time.perf_counter() - started, usage.ru_maxrss / 1024, said)


async def _seed(settings: Settings) -> list[str]:
    """Stores the visits that shared links, and returns the tokens of these."""
    settings = with_secret_keys(settings)
    store = make_store(settings)
    await store.open()
    now = time.time_ns() // 1_000_000
    at = now - _LINES // _A_SECOND * 1000 - ids.DAY_MS
    site = Site((await add_site(store, _NAME, [_ORIGIN], now)).row, settings.secret_keys)
    nonces = Nonces(bytes.fromhex(await store.salts.salt("nonce", 0, "5a" * 32)))
    events = [
        VisitEvent(
            site_id=site.site_id,
            nonce=f"sharer{number:016}",
            day=ids.day_at(at),
            at=at + number,
            page=site.page(f"{_ORIGIN}/articles/{number % _PAGES}"),
            title=None,
            source=SOURCES["search"],
            device=1,
            app=None,
            visitor=number,
            visitor_before=None,
            token=None,
            reason=None,
            own=False,
            spread=site.spread,
        )
        for number in range(_SHARERS)
    ]
    outcomes = await EventRecorder(store, nonces).record(events)
    await store.close()
    return [site.tokens.mint_one(each.visit_id, 0) for each in outcomes if isinstance(each, VisitOutcome)]


def _lines(tokens: list[str]) -> Iterator[str]:
    chance = random.Random(20)  # noqa: S311
    first = time.time() - _LINES / _A_SECOND
    for number in range(_LINES):
        when = datetime.fromtimestamp(first + number / _A_SECOND, UTC).strftime("%d/%b/%Y:%H:%M:%S +0000")
        address = ".".join(str(chance.randrange(1, 255)) for _ in range(4))
        path, referrer, kind = f"/articles/{chance.randrange(_PAGES)}", f"{_ORIGIN}/", chance.random()
        if kind < _OPENED:
            path, referrer = f"{path}?gv={chance.choice(tokens)}", "-"
        elif kind < 2 * _OPENED:
            path, referrer = f"/static/{chance.randrange(50)}.js", f"{_ORIGIN}{path}?gv={chance.choice(tokens)}"
        size, agent = chance.randrange(90_000), chance.choice(_AGENTS)
        yield f'{address} - - [{when}] "GET {path} HTTP/1.1" 200 {size} "{referrer}" "{agent}"\n'
