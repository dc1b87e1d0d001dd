"""Compares the rows of a database with the acknowledged events and with its own counts."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable
from contextlib import closing
from pathlib import Path
from typing import Any, Final, NamedTuple

import asyncpg

from grapevine.domain import ids
from grapevine.store.postgres.snapshot import snapshot as postgres_snapshot
from grapevine.store.query_runner import Runner
from grapevine.store.repositories.consistency import COMPARISONS, Recount
from grapevine.store.sqlite.snapshot import snapshot as sqlite_snapshot
from tests.chaos.widget_load import WidgetLoad
from tests.support.server_process import Installation, PostgresInstallation

Numbers = dict[tuple[Any, ...], tuple[int, ...]]
"""Some numbers by their key; what is all zeros is as good as not there."""

_HOUR: Final = f"at / {ids.HOUR_MS}"
_DAYS_BEFORE: Final = -ids.day_at(0)
_DAY: Final = f"at / {ids.DAY_MS} - {_DAYS_BEFORE}"
_RETURNED: Final = "parent_id IS NOT NULL AND NOT flags & 1"
_STORED_VISITS: Final = "SELECT visit_id, views FROM visits"
_STORED_SHARES: Final = "SELECT visit_id, channel, n FROM shares WHERE reported_at IS NOT NULL"
_SHARES: Final = "shares s JOIN visits v USING (site_id, visit_id, cell) WHERE first_at IS NOT NULL"


class _Counts(NamedTuple):
    """A table of counts: its time and its day, and the rest of its key there and in the rows of visits and shares.

    ``at`` is the time as the rows have it.
    """

    table: str
    time: str
    at: str
    day: str
    rest: tuple[str, ...]
    of_visits: tuple[str, ...]
    of_shares: tuple[str, ...]


def _by_day(dimension: int, of_visits: str, of_shares: str) -> _Counts:
    table = f"(SELECT * FROM counts_day WHERE dimension = {dimension})"
    return _Counts(table, "day", _DAY, "day", ("key",), (of_visits,), (of_shares,))


_COUNTS: Final = (
    _Counts(
        "counts_hour",
        "hour",
        _HOUR,
        f"hour / 24 - {_DAYS_BEFORE}",
        ("source", "channel", "depth"),
        ("source", "coalesce(channel, -1)", "depth"),
        ("source", "s.channel", "depth"),
    ),
    _by_day(0, "coalesce(channel, -1)", "s.channel"),
    _by_day(1, "source", "source"),
    _by_day(2, "depth", "depth"),
    _by_day(3, "0", "0")._replace(time=f"(day + {_DAYS_BEFORE}) * 24 + key", at=_HOUR, rest=("0",)),
    _Counts("counts_page", "day", _DAY, "day", ("page_id",), ("page_id",), ("v.page_id",)),
    _Counts(
        "counts_device",
        "day",
        _DAY,
        "day",
        ("device", "app"),
        ("device", "coalesce(app, '')"),
        ("device", "coalesce(app, '')"),
    ),
)


def intact(database: Path) -> None:
    """Checks that the file is intact and its counts equal its rows."""
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        for counts in _COUNTS:
            _agree(connection, counts)
        assert _counted_returns(connection) == _returns(connection)
        assert _cascades(connection) == _trees(connection)


def holds(database: Path, load: WidgetLoad) -> None:
    """Everything acknowledged is stored. What is still owed an answer may be stored too."""
    _of_file(database).holds(load)


def settled(database: Path, load: WidgetLoad) -> None:
    """Nothing is owed; what is stored is what was acknowledged, each once; and the file is intact."""
    _of_file(database).settled(load)
    intact(database)


async def holds_there(url: str, load: WidgetLoad) -> None:
    """As ``holds``, of the PostgreSQL database at ``url``."""
    (await _of_database(url)).holds(load)


async def settled_there(url: str, load: WidgetLoad) -> None:
    """As ``settled``, of the PostgreSQL database at ``url``."""
    (await _of_database(url)).settled(load)
    await intact_there(url)


async def intact_there(url: str) -> None:
    """Checks that the counts of the database equal its rows."""
    async with postgres_snapshot(url) as snapshot:
        await _no_difference(snapshot)


async def counts_agree(installation: Installation, but: Collection[str] = ()) -> None:
    """Checks that the counts of the database equal its rows, by ``grapevine doctor``'s comparisons but some."""
    async with (
        postgres_snapshot(installation.url)
        if isinstance(installation, PostgresInstallation)
        else sqlite_snapshot(installation.database)
    ) as snapshot:
        await _no_difference(snapshot, but)


async def holds_in(installation: Installation, load: WidgetLoad) -> None:
    """As ``holds``, of the database of any installation."""
    if isinstance(installation, PostgresInstallation):
        await holds_there(installation.url, load)
    else:
        holds(installation.database, load)


async def _no_difference(runner: Runner, but: Collection[str] = ()) -> None:
    recount = Recount(runner)
    for name in COMPARISONS.keys() - set(but):
        found = await recount.compare(name, None, 5)
        assert not found.differing, (name, found)


class _Stored:
    """The content of a database: the views of each visit, and the reported shares."""

    def __init__(self, visits: Iterable[tuple[int, int]], shares: Iterable[tuple[int, int, int]]) -> None:
        visits = list(visits)
        self.views = {ids.visit_text(visit): views for visit, views in visits}
        self.reported = set(shares)
        assert len(self.views) == len(visits)

    def holds(self, load: WidgetLoad) -> None:
        """Checks that every acknowledged event is stored."""
        assert set(load.visits.values()) <= self.views.keys()
        assert {_share(token) for token in load.reported} <= self.reported
        for visit, nonces in load.views.items():
            assert self.views[visit] > len(nonces)

    def settled(self, load: WidgetLoad) -> None:
        """It is what was acknowledged, and nothing is owed."""
        assert not load.owed
        assert len(set(load.visits.values())) == len(load.visits), "two nonces became one visit"
        assert self.views == {visit: 1 + len(load.views.get(visit, ())) for visit in load.visits.values()}
        assert self.reported == {_share(token) for token in load.reported}


def _of_file(database: Path) -> _Stored:
    with closing(sqlite3.connect(database)) as connection:
        return _Stored(connection.execute(_STORED_VISITS), connection.execute(_STORED_SHARES))


async def _of_database(url: str) -> _Stored:
    connection = await asyncpg.connect(url)
    try:
        visits, shares = await connection.fetch(_STORED_VISITS), await connection.fetch(_STORED_SHARES)
        return _Stored([tuple(row) for row in visits], [tuple(row) for row in shares])
    finally:
        await connection.close()


def _agree(connection: sqlite3.Connection, counts: _Counts) -> None:
    """Checks that a table of counts equals the sums of the rows."""
    key = (counts.time, *counts.rest)
    visits = _sums(connection, "visits", (counts.at, *counts.of_visits), "1", _RETURNED, "flags & 1", "flags & 3 = 2")
    assert _sums(connection, counts.table, key, "visits", "returns", "self_returns", "same_network") == visits
    at_first = counts.at.replace("at", "first_at", 1)
    shares = _sums(
        connection, _SHARES, (at_first, *counts.of_shares), "1", "reported_at IS NOT NULL", "proven_at IS NOT NULL"
    )
    assert _sums(connection, counts.table, key, "shares", "reported", "proven") == shares
    # A view counts when it happened, which no row keeps, so views are compared without the time.
    assert _sums(connection, counts.table, counts.rest, "views") == _sums(
        connection, "visits", counts.of_visits, "views"
    )
    visitors = _sums(connection, f"(SELECT DISTINCT {_DAY} AS day, visitor FROM visits)", ("day",), "1")
    assert _sums(connection, counts.table, (counts.day,), "visitors") == visitors


def _counted_returns(connection: sqlite3.Connection) -> Numbers:
    """What shares say: returns, self-returns, and whether they are proven."""
    return _sums(connection, "shares", ("visit_id", "channel", "n"), "returns", "self_returns", "proven_at IS NOT NULL")


def _returns(connection: sqlite3.Connection) -> Numbers:
    """The same from the visits that came through each share."""
    key = ("coalesce(via_id, parent_id)", "channel", "n")
    found = _sums(connection, "visits WHERE parent_id IS NOT NULL", key, _RETURNED, "flags & 1")
    return {share: (returns, own, int(returns > 0)) for share, (returns, own) in found.items()}


def _cascades(connection: sqlite3.Connection) -> Numbers:
    """The summaries: size, depth, latest return, shares."""
    return _sums(connection, "cascades", ("root_id",), "size", "max_depth", "last_at", "shares")


def _trees(connection: sqlite3.Connection) -> Numbers:
    """The same from the rows of each root with a return and what grew below it, self-returns left out."""
    shares = _sums(connection, _SHARES, ("coalesce(root_id, visit_id)",), "1")
    query = f"SELECT root_id, 1 + count(*), max(depth), max(at) FROM visits WHERE {_RETURNED} GROUP BY 1"
    return {(root,): (*numbers, *shares.get((root,), (0,))) for root, *numbers in connection.execute(query)}


def _sums(connection: sqlite3.Connection, rows: str, key: tuple[str, ...], *measures: str) -> Numbers:
    """Returns the sums of some measures by key."""
    positions = ", ".join(str(index + 1) for index in range(len(key)))
    columns = ", ".join([*key, *(f"sum({measure})" for measure in measures)])
    found = connection.execute(f"SELECT {columns} FROM {rows} GROUP BY {positions}").fetchall()
    return {row[: len(key)]: row[len(key) :] for row in found if any(row[len(key) :])}


def _share(token: str) -> tuple[int, int, int]:
    """The visit, channel and number that a token names (its format: ``grapevine.tokens``)."""
    payload = (ids.from_base62(token) or 0) >> 64
    return payload & (1 << 60) - 1, payload >> 63 & 0x7F, payload >> 60 & 7
