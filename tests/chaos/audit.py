"""What a database file holds afterwards, against what was acknowledged and against itself."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from grapevine import ids
from tests.chaos.load import Load

_RETURNS: Final = "sum(parent_id IS NOT NULL AND NOT flags & 1), sum(flags & 1), sum(parent_id IS NOT NULL AND flags & 3 = 2)"
_COUNTED_RETURNS: Final = "sum(returns), sum(self_returns), sum(same_network)"
_SHARES: Final = "count(*), sum(reported_at IS NOT NULL), sum(proven_at IS NOT NULL)"
_COUNTED_SHARES: Final = "sum(shares), sum(reported), sum(proven)"
_DAY: Final = f"/ {ids.DAY_MS} - {-ids.day_at(0)}"
_SHARES_OF_VISITS: Final = (
    "FROM shares s JOIN visits v USING (site_id, visit_id, cell) WHERE s.first_at IS NOT NULL GROUP BY 1, 2, 3"
)

# Each counted number as the tables of counts have it, and as the rows say. Views are counted in the hour and on the day
# they happened, which no row keeps, so they are compared without the time.
_CHECKS: Final[dict[str, tuple[str, str]]] = {
    "visits by hour": (
        f"SELECT hour, source || ' ' || channel, depth, sum(visits), {_COUNTED_RETURNS} FROM counts_hour GROUP BY 1, 2, 3",
        f"SELECT at / {ids.HOUR_MS}, source || ' ' || coalesce(channel, -1), depth, count(*), {_RETURNS} FROM visits"
        " GROUP BY 1, 2, 3",
    ),
    "visits by page": (
        f"SELECT day, page_id, 0, sum(visits), {_COUNTED_RETURNS} FROM counts_page GROUP BY 1, 2, 3",
        f"SELECT at {_DAY}, page_id, 0, count(*), {_RETURNS} FROM visits GROUP BY 1, 2, 3",
    ),
    "visits by device": (
        f"SELECT day, device, app, sum(visits), {_COUNTED_RETURNS} FROM counts_device GROUP BY 1, 2, 3",
        f"SELECT at {_DAY}, device, coalesce(app, ''), count(*), {_RETURNS} FROM visits GROUP BY 1, 2, 3",
    ),
    "views by source": (
        "SELECT source, channel, depth, sum(views) FROM counts_hour GROUP BY 1, 2, 3",
        "SELECT source, coalesce(channel, -1), depth, sum(views) FROM visits GROUP BY 1, 2, 3",
    ),
    "views by page": (
        "SELECT page_id, 0, 0, sum(views) FROM counts_page GROUP BY 1, 2, 3",
        "SELECT page_id, 0, 0, sum(views) FROM visits GROUP BY 1, 2, 3",
    ),
    "views by device": (
        "SELECT device, app, 0, sum(views) FROM counts_device GROUP BY 1, 2, 3",
        "SELECT device, coalesce(app, ''), 0, sum(views) FROM visits GROUP BY 1, 2, 3",
    ),
    "shares by hour": (
        f"SELECT hour, source || ' ' || channel, depth, {_COUNTED_SHARES} FROM counts_hour GROUP BY 1, 2, 3",
        f"SELECT first_at / {ids.HOUR_MS}, source || ' ' || s.channel, depth, {_SHARES} {_SHARES_OF_VISITS}",
    ),
    "shares by page": (
        f"SELECT day, page_id, 0, {_COUNTED_SHARES} FROM counts_page GROUP BY 1, 2, 3",
        f"SELECT first_at {_DAY}, v.page_id, 0, {_SHARES} {_SHARES_OF_VISITS}",
    ),
    "shares by device": (
        f"SELECT day, device, app, {_COUNTED_SHARES} FROM counts_device GROUP BY 1, 2, 3",
        f"SELECT first_at {_DAY}, device, coalesce(app, ''), {_SHARES} {_SHARES_OF_VISITS}",
    ),
    "visitors": (
        "SELECT day, 0, 0, sum(visitors) FROM counts_page GROUP BY 1",
        f"SELECT at {_DAY}, 0, 0, count(DISTINCT visitor) FROM visits GROUP BY 1",
    ),
    "returns of shares": (
        "SELECT visit_id, channel, n, returns, self_returns FROM shares",
        "SELECT coalesce(via_id, parent_id), channel, n, sum(NOT flags & 1), sum(flags & 1) FROM visits"
        " WHERE parent_id IS NOT NULL GROUP BY 1, 2, 3",
    ),
    "proofs": (
        "SELECT visit_id, channel, n, proven_at IS NOT NULL FROM shares",
        "SELECT DISTINCT coalesce(via_id, parent_id), channel, n, 1 FROM visits"
        " WHERE parent_id IS NOT NULL AND NOT flags & 1",
    ),
    "cascades": (
        "SELECT root_id, 0, 0, size, max_depth, shares, last_at FROM cascades",
        "SELECT root_id, 0, 0, 1 + count(*), max(depth),"
        " (SELECT count(*) FROM shares JOIN visits w USING (site_id, visit_id, cell)"
        "   WHERE first_at IS NOT NULL AND v.root_id IN (w.root_id, w.visit_id)), max(at)"
        " FROM visits v WHERE root_id IS NOT NULL AND NOT flags & 1 GROUP BY 1",
    ),
}


def intact(database: Path) -> None:
    """The file is sound and its counts are what its rows say."""
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        for name, (counted, from_rows) in _CHECKS.items():
            assert _numbers(connection, counted) == _numbers(connection, from_rows), name


def holds(database: Path, load: Load) -> None:
    """Everything acknowledged is stored. What is still owed an answer may be stored too."""
    stored = _Stored(database)
    assert set(load.visits.values()) <= stored.views.keys()
    assert {_share(token) for token in load.reported} <= stored.reported
    for visit, nonces in load.views.items():
        assert stored.views[visit] > len(nonces)


def settled(database: Path, load: Load) -> None:
    """Nothing is owed; what is stored is what was acknowledged, each once; and the file is intact."""
    assert not load.owed
    stored = _Stored(database)
    assert len(set(load.visits.values())) == len(load.visits), "two nonces became one visit"
    assert stored.views == {visit: 1 + len(load.views.get(visit, ())) for visit in load.visits.values()}
    assert stored.reported == {_share(token) for token in load.reported}
    intact(database)


class _Stored:
    """What a file holds: the views of each visit, and the shares that were reported."""

    def __init__(self, database: Path) -> None:
        with closing(sqlite3.connect(database)) as connection:
            visits = connection.execute("SELECT visit_id, views FROM visits").fetchall()
            shares = connection.execute("SELECT visit_id, channel, n FROM shares WHERE reported_at IS NOT NULL")
            self.views = {ids.visit_text(visit): views for visit, views in visits}
            self.reported = set(shares.fetchall())
            assert len(self.views) == len(visits)


def _numbers(connection: sqlite3.Connection, query: str) -> dict[tuple[Any, ...], tuple[int, ...]]:
    """The numbers of a query by its first three columns; what is all zeros is as good as not there."""
    rows = connection.execute(query).fetchall()
    found = {row[:3]: row[3:] for row in rows if any(row[3:])}
    assert len(found) == len([row for row in rows if any(row[3:])])
    return found


def _share(token: str) -> tuple[int, int, int]:
    """The visit, channel and number that a token names (its format: ``grapevine.tokens``)."""
    payload = (ids.from_base62(token) or 0) >> 64
    return payload & (1 << 60) - 1, payload >> 63 & 0x7F, payload >> 60 & 7
