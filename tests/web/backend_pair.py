"""Two servers that differ in their backend alone, and a comparison of their responses and rows."""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from decimal import Decimal
from itertools import product
from typing import Any, Final
from urllib.parse import urlsplit

import asyncpg
from starlette.routing import Route

from grapevine.sites.api_keys import hash_secret
from grapevine.store.rows import KeyRow, SiteRow
from grapevine.web.routes import routes
from grapevine.writer.nonces import GUARD_CLICK
from tests.support.backends import Backend
from tests.support.in_process_server import NOON, Server
from tests.web.traffic import RecordedAnswer, RecordedCall, Step, play

DAY: Final = 2500
KEYS = (b"k" * 32,)
SITES = (
    SiteRow(
        site_id=1,
        key="site-a",
        name="Lees & <Dregs>",
        salt="0a" * 32,
        param="gv",
        place="auto",
        query="*",
        created_at=NOON,
        origins=("https://a.example",),
        contact="o'neil+privacy@a.example",
        webmention="on",
    ),
    SiteRow(
        site_id=2,
        key="site-b",
        name="Äpfel",
        salt="0b" * 32,
        param="via",
        place="query",
        query="id page",
        created_at=NOON,
        origins=("https://b.example:8443", "http://b.example"),
        contact="https://b.example:8443/privacy?topic=erase&lang=de",
        keep="gclid",
    ),
    SiteRow(
        site_id=3,
        key="site-c",
        name="small",
        salt="0c" * 32,
        param="gv",
        place="fragment",
        query="*",
        created_at=NOON,
        origins=("https://c.example",),
        element="lees",
        keep="mc_cid si",
        fragment="auto",
        old_build_day=DAY,
    ),
    SiteRow(
        site_id=4,
        key="site-d",
        name="empty",
        salt="0d" * 32,
        param="gv",
        place="auto",
        query="*",
        created_at=NOON,
        origins=("https://d.example",),
    ),
)
LIVELY = SITES[:3]
MARKS = {b'"truncated":true', b'"erased":true', b'"self":true', b'"reason":"unknown-visit"'}
_NAMED: Final = (
    r"(?<=/tokens/)(?!resolve|erase).+|(?<=/v1/visits/).+|(?<=/cascades/).+|(?<=/s/)[^/]*|(?<=/about/).+"
    r"|(?<=/webhooks/)[^/]+|(?<=/deliveries/)[^/]+|(?<=/go/).+|(?<=/links/)(?!summary|rewrite).+|(?<=/v1/answers/).+|(?<=/v1/sites/).+|(?<=/v1/keys/).+"
    r"|(?<=/v1/receipts/).+|(?<=/v1/feeds/).+|(?<=/receipt-status/).+"
)
"""What of a path names one thing, and is left out where answers are counted."""
_NOT_OF_CALLS: Final = {
    "sessions",
    "api_keys",
    "kept_answers",
    "key_sites",
    "deliveries",
    "key_fingerprints",
    "key_processes",
    "leases",
    "live_batches",
    "live_lanes",
    "live_watches",
    "origins",
    "readiness",
    "salts",
    "sites",
    "spikes",
    "versions",
    "webhooks",
    "widget_files",
}


async def prepare(store: Backend) -> None:
    """The secrets that a server would draw, the sites, and keys for them."""
    await store.salts.salt("nonce", 0, "5e" * 32)
    for day in range(DAY - 1, DAY + 7):
        await store.salts.salt("visitor", day, f"{day:064x}")
    for site in SITES:
        await store.sites.add_site(site)
    keys = [("read", number, f"key-{number}", f"secret-{number}") for number in range(len(SITES) + 1)]  # 0 reaches all
    keys.append(("admin", 0, "admin-0", "admin-0"))
    for site, scope in product(SITES, ("write", "admin")):
        name = f"{scope}-{site.site_id}"
        keys.append((scope, site.site_id, name, name))
    for scope, site_id, name, secret in (*keys, ("read", 1, "revoked", "revoked")):
        key = KeyRow(key_id=name, site_id=site_id, name=name, scope=scope, created_at=NOON, revoked_at=None)
        await store.api_keys.add_key(key, hash_secret(secret))
    await store.api_keys.revoke_key("revoked", NOON)


class Pair:
    """One server on SQLite, one on PostgreSQL; ``compared`` counts the answers that were the same on both."""

    def __init__(self, one: Server, other: Server) -> None:
        self.one = one
        self.other = other
        self.compared: Counter[str] = Counter()
        self.marks: set[bytes] = set()
        self._asked = 0
        self.asked: set[tuple[str, str]] = set()
        self.rows: dict[str, int] = {}

    async def play_first(self, step: Step) -> list[RecordedAnswer]:
        """Returns the responses of the server on SQLite."""
        self.one.clock.now = step.at
        return await play(self.one.app, step)

    async def replay(self, record: Sequence[tuple[Step, list[RecordedAnswer]]]) -> None:
        """Repeats on the PostgreSQL server the requests that the SQLite server has handled."""
        for step, answers in record:
            self.other.clock.now = step.at
            for call, ours, theirs in zip(step.calls, answers, await play(self.other.app, step), strict=True):
                self._compare(call, ours, theirs)

    async def ask(self, call: RecordedCall) -> RecordedAnswer:
        """Returns the response of both servers to a request, each time from another network."""
        self._asked += 1
        call = call._replace(address=f"198.51.{self._asked >> 8}.{self._asked & 0xFF}")
        (ours,), (theirs,) = [await play(server.app, Step(0, (call,))) for server in (self.one, self.other)]
        self._compare(call, ours, theirs)
        return ours

    async def compare_rows(self) -> None:
        """Compares every row of every table that calls fill; counts that are split over slots as their sums."""
        for server in (self.one, self.other):  # each stores them by a clock of its own
            await server.state.followed_links.store()
        for table, statement in _statements(self.one).items():
            ours, theirs = [
                sorted(map(_plain, await server.store.look(statement))) for server in (self.one, self.other)
            ]
            assert ours == theirs, (table, set(ours) ^ set(theirs))
            self.rows[table] = len(ours)

    def routes_not_asked(self) -> set[tuple[str, str]]:
        """(method, path) of the routes that no compared call took; preflights never reach a store."""
        return {
            (method, route.path)
            for route in routes("")
            if isinstance(route, Route)
            for method in (route.methods or set()) - {"HEAD", "OPTIONS"}
            if not any(asked == method and route.path_regex.match(path) for asked, path in self.asked)
        }

    async def change(self, statements: Sequence[str]) -> None:
        """Changes rows of both as no part of the product does."""
        await self.on_both(lambda server: change(server, statements))

    async def on_both(self, do: Callable[[Server], Awaitable[None]]) -> None:
        """Applies an action to both servers."""
        await do(self.one)
        await do(self.other)

    async def ask_in_any_order(self, call: RecordedCall) -> None:
        """As ``ask``, for answers whose lines stand in the order of each backend's own index."""
        found = [(await play(server.app, Step(0, (call,))))[0] for server in (self.one, self.other)]
        self._compare(call, *(answer._replace(body=b"\n".join(sorted(answer.body.splitlines()))) for answer in found))

    def _compare(self, call: RecordedCall, ours: RecordedAnswer, theirs: RecordedAnswer) -> None:
        assert ours == theirs, (call, ours, theirs)
        self.marks |= {mark for mark in MARKS if mark in ours.body}
        path = urlsplit(call.path).path
        self.asked.add((call.method, path))
        kind = re.sub(_NAMED, "…", path)
        self.compared[f"{call.method} {kind} {ours.status}"] += 1


async def change(server: Server, statements: Sequence[str]) -> None:
    """Runs ``statements`` in one transaction, past the store."""
    database = server.state.settings.database
    if database.startswith("sqlite:///"):
        with closing(sqlite3.connect(database.removeprefix("sqlite:///"))) as file, file:
            for statement in statements:
                file.execute(statement)
        return
    connection = await asyncpg.connect(database)
    try:
        async with connection.transaction():
            for statement in statements:
                await connection.execute(statement)
    finally:
        await connection.close()


def _plain(row: tuple[Any, ...]) -> str:
    return repr(tuple(int(value) if isinstance(value, Decimal) else value for value in row))


def _statements(server: Server) -> dict[str, str]:
    """What reads a table, for each that calls fill."""
    file = server.state.settings.database.removeprefix("sqlite:///")
    found = {}
    with closing(sqlite3.connect(file)) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        for table in {name for name in tables if not name.startswith("sqlite_")} - _NOT_OF_CALLS:
            columns = connection.execute(f"PRAGMA table_info({table})").fetchall()
            keys = ", ".join(column[1] for column in columns if column[5] and column[1] != "cell")
            sums = ", ".join(f"sum({column[1]})" for column in columns if not column[5])
            is_slotted = table.startswith("counts_") or table == "drops"
            names = ", ".join(column[1] for column in columns)
            summed = f"SELECT {keys}, {sums} FROM {table} GROUP BY {keys}"
            found[table] = summed if is_slotted else f"SELECT {names} FROM {table}"
    found["guards"] += f" WHERE kind <> {GUARD_CLICK}"  # the nonce of a click is drawn by the server
    return found
