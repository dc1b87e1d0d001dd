"""The dashboard's queries at several sizes of the same site, interleaved in one run: by function calls and ASGI."""

from __future__ import annotations

import asyncio
import os
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

from rich.console import Console
from rich.table import Table
from starlette.applications import Starlette

from grapevine.analytics.breakdown import breakdown_by
from grapevine.analytics.cascades import list_cascades, read_cascade
from grapevine.analytics.direct import direct_summary
from grapevine.analytics.metrics import DIMENSIONS
from grapevine.analytics.rates import RATE_DIMENSIONS, period_rates
from grapevine.analytics.series import metric_series
from grapevine.analytics.summary import period_summary
from grapevine.analytics.token_resolution import resolve_token
from grapevine.config.settings import Settings
from grapevine.domain import ids
from grapevine.domain.periods import Period
from grapevine.serving.app import running, system_clock
from grapevine.sites.cache import Site
from grapevine.store.sqlite.store import SQLiteStore
from grapevine.web.application import web_application
from tests.bench.fill import SECRET, FilledStore
from tests.bench.filled_stores import SIZES, filled, name_of

_ROUNDS: Final = int(os.environ.get("ROUNDS", "15"))
_CALLS: Final = 4
_DAYS: Final = 30
_LIMITS: Final = {"resolve, depth 10": 2.0, "cascade of 1,000": 20.0, "summary, 30 days": 20.0}
GROWTH: Final = 1.3

Ask = Callable[[int], Awaitable[object]]
"""Runs one query; the number selects one of several tokens or cascades."""


class _Way(NamedTuple):
    """The queries of one store by name, as function calls or over ASGI."""

    name: str
    asks: Mapping[str, Ask]


def run() -> None:
    """Prints milliseconds a call and how they grow with the store."""
    asyncio.run(_run())


async def _run() -> None:
    async with AsyncExitStack() as stack:
        stores: list[tuple[_Way, _Way]] = [await stack.enter_async_context(_ways(filled(size))) for size in SIZES]
        for ways in zip(*stores, strict=True):
            _show(ways[0].name, await measure([way.asks for way in ways]))


async def measure(stores: Sequence[Mapping[str, Ask]], rounds: int = _ROUNDS) -> dict[str, list[list[float]]]:
    """Returns milliseconds by query, store and round: each query runs on all stores before the next one."""
    times: dict[str, list[list[float]]] = {name: [[] for _ in stores] for name in stores[0]}
    for turn in range(-1, rounds):
        for name, found in times.items():
            for asks, mine in zip(stores, found, strict=True):
                start = time.perf_counter()
                for call in range(_CALLS):
                    await asks[name](turn + call)
                if turn >= 0:
                    mine.append((time.perf_counter() - start) * 1e3 / _CALLS)
    return times


def _show(way: str, times: Mapping[str, Sequence[Sequence[float]]]) -> None:
    table = Table(title=f"Reads, {way}: ms a call as min / median / max of {_ROUNDS} rounds", title_justify="left")
    table.add_column("question")
    for size in SIZES:
        table.add_column(f"{name_of(size)} visits", justify="right")
    for size in SIZES[1:]:
        table.add_column(f"{name_of(size)} ÷ {name_of(SIZES[0])}", justify="right")
    table.add_column("wanted", justify="right")
    for name, found in times.items():
        cells = [" / ".join(f"{one:.2f}" for one in (min(mine), statistics.median(mine), max(mine))) for mine in found]
        growths = [statistics.median(b / a for a, b in zip(found[0], mine, strict=True)) for mine in found[1:]]
        wanted = f"≤ {_LIMITS[name]:g} ms, ≤ {GROWTH} ×" if name in _LIMITS else f"≤ {GROWTH} ×"
        table.add_row(name, *cells, *(f"{growth:.2f}" for growth in growths), wanted)
    Console(width=140).print(table)


@asynccontextmanager
async def _ways(facts: FilledStore) -> AsyncIterator[tuple[_Way, _Way]]:
    """A filled store behind the real application."""
    store = SQLiteStore(Path(facts.path))
    settings = Settings(database=f"sqlite:///{facts.path}", secret_keys=(SECRET.encode(),))
    await store.open()
    try:
        async with running(settings, store) as state:
            app = web_application(settings, None)
            assert isinstance(app, Starlette)
            app.state.app_state = state
            site = await state.sites.by_key(facts.site)
            assert site is not None
            yield _calls(store, site, facts), _requests(app, facts)
    finally:
        await store.close()


def _calls(store: SQLiteStore, site: Site, facts: FilledStore) -> _Way:
    period = _period(facts)
    reads = store.reads

    def series(interval: str) -> Ask:
        return lambda _: metric_series(reads, site, "visits", interval, period)

    def breakdown(by: str) -> Ask:
        return lambda _: breakdown_by(reads, site, by, period)

    def rates(by: str) -> Ask:
        return lambda _: period_rates(reads, site, by, period, system_clock())

    return _Way(
        "function calls of grapevine.analytics",
        {
            "resolve, depth 10": lambda turn: resolve_token(reads, site, facts.tokens[turn % len(facts.tokens)]),
            "cascade of 1,000": lambda turn: read_cascade(
                store, site, facts.roots[turn % len(facts.roots)], system_clock()
            ),
            "cascades by size": lambda _: list_cascades(store, site, system_clock()),
            "summary, 30 days": lambda _: period_summary(reads, site, period),
            "direct, 30 days": lambda _: direct_summary(reads, site, period),
            "series by day": series("day"),
            "series by hour": series("hour"),
        }
        | {f"breakdown by {by}": breakdown(by) for by in DIMENSIONS}
        | {f"rates by {by}": rates(by) for by in RATE_DIMENSIONS},
    )


def _requests(app: Starlette, facts: FilledStore) -> _Way:
    period = _period(facts)
    days = {"from": str(period.first), "to": str(period.last)}

    def get(path: str, **params: str) -> Ask:
        return lambda _: _answer(app, facts.key, path, params)

    return _Way(
        "the whole application over ASGI, API key and JSON included",
        {
            "resolve, depth 10": lambda turn: _answer(
                app, facts.key, f"/v1/tokens/{facts.tokens[turn % len(facts.tokens)]}", {}
            ),
            "cascade of 1,000": lambda turn: _answer(
                app, facts.key, f"/v1/cascades/{facts.roots[turn % len(facts.roots)]}", {}
            ),
            "cascades by size": get("/v1/cascades"),
            "summary, 30 days": get("/v1/stats/summary", **days),
            "series by day": get("/v1/stats/series", metric="visits", interval="day", **days),
            "series by hour": get("/v1/stats/series", metric="visits", interval="hour", **days),
        }
        | {f"breakdown by {by}": get("/v1/stats/breakdown", by=by, **days) for by in DIMENSIONS}
        | {f"rates by {by}": get("/v1/stats/rates", by=by, **days) for by in RATE_DIMENSIONS},
    )


async def _answer(app: Starlette, key: str, path: str, params: Mapping[str, str]) -> bytes:
    """Returns the body of the application's response."""
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
        "path": path, "raw_path": path.encode(), "root_path": "", "query_string": urlencode(params).encode(),
        "headers": [(b"host", b"bench.example"), (b"authorization", f"Bearer {key}".encode())],
        "client": ("192.0.2.1", 50_000), "server": ("bench.example", 80),
    }  # fmt: skip
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    if sent[0]["status"] != 200:
        raise SystemExit(f"{path} was answered {sent[0]['status']}: {sent[1]['body']!r}")
    body: bytes = sent[1]["body"]
    return body


def _period(facts: FilledStore) -> Period:
    return Period(ids.day_date(facts.last_day - _DAYS + 1), ids.day_date(facts.last_day))
