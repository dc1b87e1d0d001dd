"""The same traffic gives the same answers, byte by byte, on SQLite and on PostgreSQL: all calls, then all questions."""

from __future__ import annotations

import os
import random
import re
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, closing
from html import unescape
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import asyncpg
import pytest

from grapevine.analytics.metrics import DIMENSIONS
from grapevine.background.cleanup import tidy
from grapevine.config.settings import Settings
from grapevine.domain import ids
from grapevine.exports import TABLES
from grapevine.sites.api_keys import hash_secret
from grapevine.sites.cache import Site
from grapevine.store import sql_loader
from grapevine.store.rows import KeyRow, SiteRow
from tests.support import read_requests
from tests.support.backends import Backend
from tests.support.postgres import Postgres
from tests.support.read_requests import Asker
from tests.support.traffic import Answer, Author, Call, Step, play
from tests.web.conftest import NOON, Server, serving

pytestmark = pytest.mark.anyio

SEED = 20
DAY = 2500
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
FIRST, LAST, WITHIN = (ids.day_date(DAY + days).isoformat() for days in (0, 4, 2))
DAYS = read_requests.periods(FIRST, LAST, WITHIN)
FEWEST_CALLS = 2_500
FEWEST_ANSWERS = 2_500
MARKS = {b'"truncated":true', b'"erased":true', b'"self":true', b'"reason":"unknown-visit"'}
SEEN_CALLS = {
    *(f"POST /v1/visits {status}" for status in (200, 202, 403, 404, 413, 422, 429)),
    *(f"POST /v1/views {status}" for status in (200, 202, 400, 422)),
    *(f"POST /v1/shares {status}" for status in (200, 403, 422)),
    *(f"POST /v1/answers {status}" for status in (200, 202, 422)),
    "GET /s/… 302", "GET /s/… 404", "GET /s/…/qr.svg 200", "GET /s/…/qr.svg 404",
}  # fmt: skip
SEEN_ANSWERS = {
    *(f"GET /v1/export/{table} 200" for table in TABLES),
    "GET /v1/counts 200", "GET /v1/counts 404", "GET /v1/counts 422", "GET /about/… 200", "GET /about/… 404",
    "GET /about/… 422",
    "GET /v1/stats/summary 200", "GET /v1/stats/series 200", "GET /v1/stats/breakdown 200", "GET /v1/tokens/… 200",
    "GET /v1/tokens/… 400", "GET /v1/tokens/… 404", "GET /v1/tokens/… 422", "POST /v1/tokens/resolve 200",
    "GET /v1/cascades 200", "GET /v1/cascades/… 200", "GET /v1/cascades/… 404", "GET / 200", "GET / 422",
    "GET /cascades 200", "GET /cascades/… 200", "GET /cascades/… 404", "GET /tokens 200", "GET /tokens 400",
    "GET /tokens 404", "GET /tokens 422", "GET /sign-in 303", "POST /sign-in 303", "GET /readyz 200",
}  # fmt: skip


async def prepare(store: Backend) -> None:
    """The secrets that a server would draw, the sites, and keys for them."""
    await store.salts.salt("nonce", 0, "5e" * 32)
    for day in range(DAY - 1, DAY + 7):
        await store.salts.salt("visitor", day, f"{day:064x}")
    for site in SITES:
        await store.sites.add_site(site)
    for number in range(len(SITES) + 1):  # 0 reaches all
        key = KeyRow(
            key_id=f"key-{number}", site_id=number, name=f"key {number}", scope="read", created_at=NOON, revoked_at=None
        )
        await store.api_keys.add_key(key, hash_secret(f"secret-{number}"))
    await store.api_keys.add_key(
        KeyRow(key_id="revoked", site_id=1, name="old", scope="read", created_at=NOON, revoked_at=None),
        hash_secret("revoked"),
    )
    await store.api_keys.revoke_key("revoked", NOON)


class Pair:
    """One server on SQLite, one on PostgreSQL; ``compared`` counts the answers that were the same on both."""

    def __init__(self, one: Server, other: Server) -> None:
        self.one = one
        self.other = other
        self.compared: Counter[str] = Counter()
        self.marks: set[bytes] = set()

    async def play_first(self, step: Step) -> list[Answer]:
        """The answers of the server on SQLite."""
        self.one.clock.now = step.at
        return await play(self.one.app, step)

    async def replay(self, record: Sequence[tuple[Step, list[Answer]]]) -> None:
        """Plays to the server on PostgreSQL what the other one has answered."""
        for step, answers in record:
            self.other.clock.now = step.at
            for call, ours, theirs in zip(step.calls, answers, await play(self.other.app, step), strict=True):
                self._compare(call, ours, theirs)

    async def ask(self, call: Call) -> Answer:
        """What both answer to a question."""
        (ours,), (theirs,) = [await play(server.app, Step(0, (call,))) for server in (self.one, self.other)]
        self._compare(call, ours, theirs)
        return ours

    async def change(self, statements: Sequence[str]) -> None:
        """Changes rows of both as no part of the product does."""
        await self.on_both(lambda server: change(server, statements))

    async def on_both(self, do: Callable[[Server], Awaitable[None]]) -> None:
        """Does the same to both."""
        await do(self.one)
        await do(self.other)

    async def ask_in_any_order(self, call: Call) -> None:
        """As ``ask``, for answers whose lines stand in the order of each backend's own index."""
        found = [(await play(server.app, Step(0, (call,))))[0] for server in (self.one, self.other)]
        self._compare(call, *(answer._replace(body=b"\n".join(sorted(answer.body.splitlines()))) for answer in found))

    def _compare(self, call: Call, ours: Answer, theirs: Answer) -> None:
        assert ours == theirs, (call, ours, theirs)
        self.marks |= {mark for mark in MARKS if mark in ours.body}
        path = urlsplit(call.path).path
        kind = re.sub(r"(?<=/tokens/)(?!resolve).+|(?<=/cascades/).+|(?<=/s/)[^/]*|(?<=/about/).+", "…", path)
        self.compared[f"{call.method} {kind} {ours.status}"] += 1


@pytest.fixture
def worldly_url(postgres_server: Postgres) -> Iterator[str]:
    """An empty database that puts texts in the order of some language, where this machine knows one."""
    known = postgres_server.sql(
        "SELECT collname FROM pg_collation WHERE collprovider = 'c' AND pg_encoding_to_char(collencoding) = 'UTF8' "
        "AND collname NOT LIKE 'C.%' ORDER BY collname"
    )
    locale = (known.split() or ["C"])[0]
    name = f"worldly_{os.getpid()}"
    postgres_server.sql(f"CREATE DATABASE {name} TEMPLATE template0 LOCALE '{locale}'")
    yield postgres_server.url(name)
    postgres_server.drop(name)


@pytest.fixture
async def pair(tmp_path: Path, worldly_url: str, anyio_backend: str) -> AsyncIterator[Pair]:
    """Two servers that are the same but for their backend."""
    assert anyio_backend == "asyncio"
    async with AsyncExitStack() as stack:
        databases = (f"sqlite:///{tmp_path / 'grapevine.sqlite3'}", worldly_url)
        yield Pair(*[
            await stack.enter_async_context(
                serving(Settings(database=database, secret_keys=KEYS, rate_limit=10), prepare)
            )
            for database in databases
        ])  # fmt: skip


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


def nothing(_: Author, __: random.Random) -> list[str]:
    """No change."""
    return []


def conversions(author: Author, chance: random.Random) -> list[str]:
    """Goals reached in some visits, with and without a value, also negative ones, in several currencies."""
    rows = []
    for site in LIVELY:
        for number, text in enumerate(chance.choices(author.visits[site.key], k=120)):
            visit = ids.visit_number(text) or 0
            currency = chance.choice(("'EUR'", "'USD'", "'jpy'", "NULL"))
            value = str(chance.randrange(-5_000_000, 90_000_000)) if chance.random() < 0.8 else "NULL"
            at = ids.day_start(ids.day_of(visit)) + chance.randrange(ids.DAY_MS)
            goal = chance.choice(("'order'", "'sign-up'"))
            rows.append(
                f"({site.site_id}, {visit}, {ids.cell_of(visit)}, {goal}, {number}, NULL, {at}, {value}, {currency})"
            )
    counted = (
        "SELECT count(*) FROM conversions c JOIN visits v ON v.site_id = c.site_id AND v.visit_id = c.visit_id "
        "AND v.cell = c.cell WHERE v.site_id = cascades.site_id "
        "AND COALESCE(v.root_id, v.visit_id) = cascades.root_id"
    )
    return [
        "INSERT INTO conversions (site_id, visit_id, cell, goal, event_key, external_id, at, value, currency) VALUES "
        + ", ".join(rows),
        f"UPDATE cascades SET conversions = ({counted})",
    ]


def losses(author: Author, chance: random.Random) -> list[str]:
    """Some visits erased, some past retention with all that they had, roots among them."""
    visits = [ids.visit_number(text) or 0 for site in LIVELY for text in author.visits[site.key]]
    erased, gone = chance.sample(visits, 25), chance.sample(visits, 25)
    return [
        f"UPDATE visits SET flags = flags | 4 WHERE visit_id IN ({', '.join(map(str, erased))})",
        *(
            f"DELETE FROM {table} WHERE visit_id IN ({', '.join(map(str, gone))})"
            for table in ("visits", "shares", "unfurls", "conversions")
        ),
    ]


def test_texts_are_put_in_order_by_code_points_whatever_the_database() -> None:
    schema = "".join(migration.text for migration in sql_loader.migrations())
    kinds = re.findall(r"^ +(\w+) +(TEXT|BIGINT|SMALLINT|INTEGER)\b", schema, re.MULTILINE)
    texts = {name for name, kind in kinds if kind == "TEXT"} - {name for name, kind in kinds if kind != "TEXT"}
    sorted_by = [
        (query.name, term.strip())
        for query in sql_loader.queries().values()
        for order in re.findall(r"ORDER BY ([^();]+?)(?=\bLIMIT|[();]|$)", sql_loader.for_postgres(query).text)
        for term in order.split(",")
    ]
    assert len(sorted_by) > 20
    by_text = [(name, term) for name, term in sorted_by if term.split()[0].rpartition(".")[2] in texts]
    assert len(by_text) > 3
    assert [(name, term) for name, term in by_text if 'COLLATE "C"' not in term] == []


async def test_the_same_traffic_gives_the_same_answers(pair: Pair) -> None:
    chance = random.Random(SEED)  # noqa: S311
    unborn = Site(SITES[0], KEYS).tokens.mint(ids.pack(DAY, 7, 99), (0, 7))
    author = Author(pair.play_first, LIVELY, NOON, SEED)
    for changes in (nothing, conversions, losses, nothing):
        written = len(author.record)
        await author.write(400, author.at + ids.DAY_MS, unborn)
        await author.answer(20, random.Random(SEED))  # noqa: S311
        await pair.replay(author.record[written:])
        await pair.on_both(lambda server: tidy(server.store, author.at))
        await pair.change(changes(author, chance))
    calls = pair.compared
    assert calls.total() == author.calls > FEWEST_CALLS
    assert calls.keys() >= SEEN_CALLS, calls
    pair.compared = Counter()
    for site in SITES:
        await ask_everything(pair, author, site, chance)
    for call in (*read_requests.refusals(Asker("secret-1")), *read_requests.refusals(Asker("secret-0"))):
        await pair.ask(call)
    for secret in (None, "nobody", "revoked", "secret-2"):
        await pair.ask(Asker(secret).get("/v1/stats/summary", site="site-a"))
    assert pair.compared.total() > FEWEST_ANSWERS
    assert pair.compared.keys() >= SEEN_ANSWERS, pair.compared
    await assert_telling(pair)
    print(f"{calls.total()} calls and {pair.compared.total()} answers were the same:", calls, pair.compared)


async def assert_telling(pair: Pair) -> None:
    """That nothing was the same because nothing was there."""
    summary = (await pair.ask(Asker("secret-1").get("/v1/stats/summary", **DAYS[1]))).json
    for name in ("visitors", "self_returns", "same_network_returns", "conversions", "k_factor", "dark_share"):
        assert summary[name], name
    assert all(summary["shares"].values())
    assert set(summary["value"]) == {"EUR", "USD", "jpy"}
    assert len(summary["unfurls"]) > 4
    assert set(summary["drops"]) == {
        "bad-origin", "duplicate", "invalid", "opted-out", "rate-limited", "robot",
    }  # fmt: skip
    for by in DIMENSIONS:
        rows = (await pair.ask(Asker("secret-1").get("/v1/stats/breakdown", by=by, **DAYS[1]))).json
        assert len(rows) > 2, by
    shared = (await pair.ask(Asker().get("/v1/counts", site="site-a", url="https://a.example/deep/page"))).json
    assert shared["total"] == sum(shared["channels"].values()) > 5 < len(shared["channels"])
    answers = (await pair.ask(Asker("secret-1").get("/v1/export/answers", **DAYS[1]))).body
    assert len(set(answers.splitlines())) > 5
    largest, *_ = (await pair.ask(Asker("secret-1").get("/v1/cascades"))).json["cascades"]
    assert largest["size"] > 20
    assert largest["value"]
    deepest, *_ = (await pair.ask(Asker("secret-1").get("/v1/cascades", sort="depth"))).json["cascades"]
    assert deepest["max_depth"] > 4
    assert pair.marks == MARKS


async def ask_everything(pair: Pair, author: Author, site: SiteRow, chance: random.Random) -> None:
    """Every read route and every page about one site."""
    asker = Asker(f"secret-{site.site_id}")
    tokens, visits = author.tokens.get(site.key, []), author.visits.get(site.key, [])
    bad = [*author.sessions.get(site.key, [])[:2], *author.tokens["site-c"][:2], "abc", "z" * 23]
    for call in read_requests.numbers(asker, site, DAYS, chance, briefly=site is not SITES[0]):
        await pair.ask(call)
    for call in read_requests.shares(asker, [*tokens, *bad], [*some(tokens, 100, chance), *bad]):
        await pair.ask(call)
    await pair.ask(Asker("secret-0").get("/v1/stats/summary", site=site.key, **DAYS[1]))
    for call in read_requests.for_readers(asker, site, [*some(tokens, 20, chance), *bad]):
        await pair.ask(call)
    for call in read_requests.exports(asker, DAYS):
        await pair.ask_in_any_order(call)
    roots = await listed(pair, asker, site)
    for call in read_requests.trees(asker, [*roots, *some(visits, 100, chance)]):
        await pair.ask(call)

    answer = await pair.ask(sign_in(f"secret-{site.site_id}" if site.site_id % 2 else "secret-0"))
    reader = Asker(cookie=dict(answer.headers)["set-cookie"].partition(";")[0])
    for call in read_requests.pages(reader, site, DAYS, some(roots, 30, chance), some(tokens, 30, chance)):
        await pair.ask(call)
    for first in read_requests.lists(reader, "/cascades", site, (None,)):
        await turn_pages(pair, reader, first)


async def listed(pair: Pair, asker: Asker, site: SiteRow) -> list[str]:
    """The roots of all cascades, after every order was read to its end by pages of several lengths."""
    found: list[set[str]] = []
    for first in read_requests.lists(asker, "/v1/cascades", site, (None, 7, 200)):
        found.append(set())
        call: Call | None = first
        while call is not None:
            answer = (await pair.ask(call)).json
            found[-1] |= {cascade["root"] for cascade in answer["cascades"]}
            following = answer["next"] and f"{first.path}&{urlencode({'cursor': answer['next']})}"
            call = first._replace(path=following) if following else None
    assert all(roots == found[0] for roots in found)
    return sorted(found[0])


async def turn_pages(pair: Pair, reader: Asker, first: Call) -> None:
    """A list of the dashboard from its first page to its last."""
    call: Call | None = first
    while call is not None:
        answer = await pair.ask(call)
        following = re.search(rb'href="([^"]*cursor=[^"]*)"', answer.body)
        call = reader.get(unescape(following[1].decode())) if following else None


def sign_in(secret: str) -> Call:
    """The form with an API key in it."""
    form = ("Content-Type", "application/x-www-form-urlencoded"), ("Origin", "http://grapevine.example")
    return Asker().post("/sign-in", urlencode({"key": secret}).encode(), *form)


def some(many: Sequence[str], most: int, chance: random.Random) -> list[str]:
    """At most so many of them."""
    return chance.sample(many, min(most, len(many)))
