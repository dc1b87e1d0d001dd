"""The same traffic gives the same answers, byte by byte, on SQLite and on PostgreSQL: all calls, then all questions."""

from __future__ import annotations

import os
import random
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from grapevine.analytics.metrics import DIMENSIONS
from grapevine.background.cleanup import tidy
from grapevine.config.settings import Settings
from grapevine.domain import ids
from grapevine.domain.urls import page_id
from grapevine.exports import TABLES
from grapevine.serving import app
from grapevine.sites.cache import Site
from grapevine.store import sql_loader
from grapevine.store.repositories.spikes import SpikeRow
from grapevine.store.rows import SiteRow
from grapevine.web.dashboard import assets, session
from grapevine.web.public.collect import PATHS
from grapevine.webhooks.signing import event
from tests.support.in_process_server import NOON, Server, serving
from tests.support.postgres import Postgres
from tests.support.user_agents import CHROME
from tests.web import read_requests
from tests.web.answer_requests import SEEN_OF_ANSWERS, read_answers, tell_answers
from tests.web.backend_pair import DAY, KEYS, LIVELY, MARKS, SITES, Pair, prepare
from tests.web.erase_requests import erase_some
from tests.web.link_requests import SEEN_OF_LINKS, Clicks, mint_links
from tests.web.mention_requests import SEEN_OF_MENTIONS, mention
from tests.web.paged_lists import go_on, turn_pages
from tests.web.read_requests import ReadClient, sign_in, some
from tests.web.receipt_requests import SEEN_OF_RECEIPTS, ask_for_receipts
from tests.web.row_changes import beyond_bounds, conversions, losses, nothing
from tests.web.site_requests import SEEN_OF_SITES, administer
from tests.web.traffic import Author, Person, RecordedCall, Step
from tests.web.unfurl_requests import report_unfurls

pytestmark = pytest.mark.anyio

SEED = 20
FIRST, LAST, WITHIN = (ids.day_date(DAY + days).isoformat() for days in (0, 4, 2))
DAYS = read_requests.periods(FIRST, LAST, WITHIN)
FEWEST_CALLS = 2_500
FEWEST_ANSWERS = 2_500
SEEN_CALLS = {
    *(f"POST /v1/visits {status}" for status in (200, 202, 403, 404, 413, 422, 429)),
    *(f"POST /v1/views {status}" for status in (200, 202, 400, 422)),
    *(f"POST /v1/shares {status}" for status in (200, 403, 422)),
    *(f"POST /v1/answers {status}" for status in (200, 202, 422)),
    *(f"POST /v1/conversions {status}" for status in (200, 202, 401, 422, 429)),
    "GET /s/… 302",
    "GET /s/… 404",
    "GET /s/…/qr.svg 200",
    "GET /s/…/qr.svg 404",
}
SEEN_ANSWERS = {
    *(f"GET /v1/export/{table} 200" for table in TABLES),
    "GET /v1/counts 200", "GET /v1/counts 404", "GET /v1/counts 422", "GET /about/… 200", "GET /about/… 404",
    "GET /about/… 422",
    "GET /v1/stats/summary 200", "GET /v1/stats/series 200", "GET /v1/stats/breakdown 200",
    "GET /v1/stats/rates 200", "GET /v1/tokens/… 200",
    "POST /v1/unfurls 200",
    "GET /v1/tokens/… 400", "GET /v1/tokens/… 404", "GET /v1/tokens/… 422", "POST /v1/tokens/resolve 200",
    "GET /v1/cascades 200", "GET /v1/cascades/… 200", "GET /v1/cascades/… 404", "GET / 200", "GET / 422",
    "GET /cascades 200", "GET /cascades/… 200", "GET /cascades/… 404", "GET /tokens 200", "GET /tokens 400",
    "GET /tokens 404", "GET /tokens 422", "GET /direct 200", "GET /first-steps 200", "GET /check 200",
    "GET /conversions 200", "GET /conversions 422",
    "GET /v1/attribution 200", "GET /v1/stats/direct 200", "GET /v1/spikes 200", "GET /v1/spikes 422",
    "POST /v1/webhooks 201", "POST /v1/webhooks 422", "GET /v1/webhooks 200", "GET /v1/webhooks 403",
    "GET /v1/webhooks/… 200", "GET /v1/webhooks/… 404", "PATCH /v1/webhooks/… 200", "DELETE /v1/webhooks/… 204",
    "GET /v1/webhooks/…/deliveries 200", "POST /v1/webhooks/…/deliveries/…/retry 202",
    "POST /v1/webhooks/…/deliveries/…/retry 404", "POST /v1/webhooks/…/resend 202", "POST /v1/webhooks/…/resend 422",
    "POST /sign-out 303", "POST /sign-out-everywhere 303",
    "GET / 303", "GET /sign-in 303",
    "POST /sign-in 303", "GET /readyz 200", "POST /v1/forget 200", "POST /v1/forget 422", "DELETE /v1/visits/… 204",
    "DELETE /v1/visits/… 400", "DELETE /v1/visits/… 404", "DELETE /v1/visits/… 422", "POST /tokens/erase 303",
    "POST /tokens/erase 422", *SEEN_OF_SITES, *SEEN_OF_LINKS, *SEEN_OF_RECEIPTS,
    *SEEN_OF_ANSWERS,
    *SEEN_OF_MENTIONS,
    "GET /v1/payouts 200", "GET /v1/payouts 422",
}  # fmt: skip
NOT_ASKED = {
    ("GET", "/v1/live"): "a stream; tests/web/api/test_live.py runs on both",
    ("GET", "/metrics"): "how fast a store is, and which one; tests/web/test_metrics.py runs on both",
    ("GET", "/openapi.json"): "describes the code; no store is read",
    ("GET", "/docs"): "the same",
    ("GET", "/widget{rest}"): "files of the build; no store is read",
    ("GET", f"{assets.FOLDER}/{{name}}"): "files of the package; no store is read",
    ("POST", "/check"): "opens a page of another server; what it reads, its form reads, too",
    ("POST", "/s/{token:rest}/qr.svg"): "draws the URL that it is sent; no store is read",
}


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
async def pair(
    tmp_path: Path, worldly_url: str, anyio_backend: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Pair]:
    """Two servers that are the same but for their backend."""
    drawn = count()  # both draw the same ids of sessions, one after the other
    monkeypatch.setattr(session, "new_session_id", lambda: f"{next(drawn) // 2:032x}")
    monkeypatch.setattr(app, "VERDICT_SECONDS", float(ids.DAY_MS))  # it would look at the two at different moments
    assert anyio_backend == "asyncio"
    async with AsyncExitStack() as stack:
        databases = (f"sqlite:///{tmp_path / 'grapevine.sqlite3'}", worldly_url)
        yield Pair(
            *[
                await stack.enter_async_context(
                    serving(Settings(database=database, secret_keys=KEYS, rate_limit=10), prepare)
                )
                for database in databases
            ]
        )


async def gather(pair: Pair, author: Author, times: int) -> None:
    """So many people come to a site, one a minute: the first six each through a link of the one before, the others
    through one of the sixth."""
    site, token = LIVELY[0], author.tokens[LIVELY[0].key][-1]
    for number in range(times):
        fields: dict[str, Any] = {"site": site.key, "url": f"{site.origins[0]}/deep/page"}
        fields |= {"channels": ["copy"], "token": token, "nonce": f"gathered-{number:09}"}
        author.at += ids.HOUR_MS // 60
        call = Person(f"192.0.2.{number}", CHROME, "en", None).call("/v1/visits", fields, site.origins[0])
        step = Step(author.at, (call,))
        (answer,) = await pair.play_first(step)
        author.record.append((step, [answer]))
        author.sessions[site.key].append(answer.json["session"])
        if number < 6:
            token = answer.json["tokens"]["copy"]


async def exhaust(pair: Pair, author: Author, times: int) -> None:
    """Reports so many conversions of one visit, more than a page may, in a currency written in small letters."""
    session = author.sessions[LIVELY[0].key][-1]
    person = Person("192.0.2.252", CHROME, "en", None)
    for number in range(times):
        fields = {"site": LIVELY[0].key, "session": session, "goal": "order", "nonce": f"exhausted-{number:09}"}
        fields |= {"value": "5", "currency": "jpy"}
        author.at += ids.HOUR_MS // 60
        step = Step(author.at, (person.call("/v1/conversions", fields, LIVELY[0].origins[0]),))
        author.record.append((step, await pair.play_first(step)))


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


async def test_the_same_traffic_gives_the_same_answers(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(SEED)  # noqa: S311
    unborn = Site(SITES[0], KEYS).tokens.mint(ids.pack(DAY, 7, 99), (0, 7))
    author = Author(pair.play_first, LIVELY, NOON, SEED)
    for changes in (beyond_bounds, conversions, losses, nothing):
        written = len(author.record)
        await author.write(400, author.at + ids.DAY_MS, unborn)
        await author.convert(60, random.Random(SEED), {site.key: f"write-{site.site_id}" for site in SITES})  # noqa: S311
        await author.answer(20, random.Random(SEED))  # noqa: S311
        await pair.replay(author.record[written:])
        await pair.compare_rows()
        await pair.on_both(lambda server: tidy(server.store, author.at))
        await pair.change(changes(author, chance))
    written = len(author.record)
    await gather(pair, author, 30)
    await exhaust(pair, author, 60)
    await author.answer(1, random.Random(SEED))  # noqa: S311  # takes along the counted drops
    await pair.replay(author.record[written:])
    await pair.compare_rows()
    for table, reporters in (("shares", {None, 0, 1}), ("conversions", {0, 1})):
        found = await pair.one.store.look(f"SELECT DISTINCT reported_by FROM {table}")
        assert {by for (by,) in found} == reporters
    calls = pair.compared
    assert calls.total() == author.calls > FEWEST_CALLS
    assert calls.keys() >= {*SEEN_CALLS, *(f"POST {path} 200" for path in PATHS)}, calls
    unfilled = {
        "suspected_floods",
        "kept_shares",
        "deleted_counts",
        "silences",
        "page_joins",
        "deleted_sites",
        "log_joins",
    }
    unfilled |= {"links", "link_names", "link_words", "link_clicks"}  # by ``mint_links``
    unfilled |= {"receipts", "receipt_sharers", "receipt_keys"}  # by ``ask_for_receipts``
    unfilled |= {"webmentions", "mentions", "feeds"}  # by ``mention``
    unfilled |= {"fetch_hosts"}  # while sources are read: tests/store/mentions
    # by no call: by jobs, and the last one by a command
    assert {table for table, rows in pair.rows.items() if not rows} <= unfilled, pair.rows
    pair.compared = Counter()
    await report_unfurls(pair, author, chance)
    await mint_links(pair, author, chance, Clicks(monkeypatch))
    await erase_some(pair, author, chance)
    written = len(author.record)
    await author.answer(1, random.Random(SEED + 1))  # noqa: S311  # takes along the counted drops
    await pair.replay(author.record[written:])
    await pair.compare_rows()
    await ask_for_receipts(pair, SITES[0], monkeypatch)
    await tell_answers(pair, author, SITES[0])
    await mention(pair, SITES[0], monkeypatch)
    for site in SITES:
        await follow_webhooks(pair, site, monkeypatch)
        await ask_everything(pair, author, site, chance)
    for call in (*read_requests.refusals(ReadClient("secret-1")), *read_requests.refusals(ReadClient("secret-0"))):
        await pair.ask(call)
    for secret in (None, "nobody", "revoked", "secret-2"):
        await pair.ask(ReadClient(secret).get("/v1/stats/summary", site="site-a"))
    await administer(pair, monkeypatch)
    assert pair.compared.total() > FEWEST_ANSWERS
    assert pair.compared.keys() >= SEEN_ANSWERS, pair.compared
    await assert_telling(pair)
    assert pair.routes_not_asked() == set(NOT_ASKED)
    print(f"{calls.total()} calls and {pair.compared.total()} answers were the same:", calls, pair.compared)


async def assert_telling(pair: Pair) -> None:
    """That nothing was the same because nothing was there."""
    summary = (await pair.ask(ReadClient("secret-1").get("/v1/stats/summary", **DAYS[1]))).json
    for name in ("visitors", "self_returns", "same_network_returns", "conversions", "k_factor", "dark_share"):
        assert summary[name], name
    assert all(summary["shares"].values())
    assert set(summary["value"]) == {"EUR", "USD", "JPY", "jpy"}
    assert len(summary["unfurls"]) > 4
    assert set(summary["drops"]) == {
        "bad-origin",
        "duplicate",
        "invalid",
        "opted-out",
        "rate-limited",
        "robot",
    }
    for by in DIMENSIONS:
        rows = (await pair.ask(ReadClient("secret-1").get("/v1/stats/breakdown", by=by, **DAYS[1]))).json
        assert len(rows) > 2, by
    shared = (await pair.ask(ReadClient().get("/v1/counts", site="site-a", url="https://a.example/deep/page"))).json
    assert shared["total"] == sum(shared["channels"].values()) > 5 < len(shared["channels"])
    answers = (await pair.ask(ReadClient("secret-1").get("/v1/export/answers", **DAYS[1]))).body
    assert len(set(answers.splitlines())) > 5
    largest, *_ = (await pair.ask(ReadClient("secret-1").get("/v1/cascades"))).json["cascades"]
    assert largest["size"] > 20
    assert largest["value"]
    deepest, *_ = (await pair.ask(ReadClient("secret-1").get("/v1/cascades", sort="depth"))).json["cascades"]
    assert deepest["max_depth"] > 4
    assert pair.marks == MARKS


async def follow_webhooks(pair: Pair, site: SiteRow, monkeypatch: pytest.MonkeyPatch) -> None:
    """An endpoint of a site from its beginning to its end, and a spike that is on its way to it."""
    json, at = ("Content-Type", "application/json"), pair.one.clock.now + ids.HOUR_MS  # due when the clock has moved on
    owner, page = ReadClient(f"admin-{site.site_id}"), page_id(site.site_id, f"{site.origins[0]}/deep/page")
    monkeypatch.setattr("secrets.token_bytes", lambda size: bytes([site.site_id]) * size)  # both draw the same
    await pair.ask(owner.post("/v1/webhooks", b'{"url": "http://hook.example/"}', json))
    added = (await pair.ask(owner.post("/v1/webhooks", b'{"url": "https://hook.example/"}', json))).json
    path = f"/v1/webhooks/{added['id']}"

    async def raise_spike(server: Server) -> None:
        published = event(site.site_id, "spike.detected", at, {"page": "/deep/page"})
        row = SpikeRow(page_id=page, started_at=at, last_at=at, returns=52, expected=2.1, peak=52)
        assert await server.store.spikes.raise_spike(site.site_id, row, published, lambda: f"msg_{site.key}")

    await pair.on_both(raise_spike)
    off, on, wrong = b'{"enabled": false}', b'{"enabled": true}', b'{"url": "https://127.0.0.1/"}'
    for call in (
        ReadClient(f"secret-{site.site_id}").get("/v1/webhooks"),
        owner.get("/v1/webhooks"),
        owner.get(path),
        owner.get(f"{path}/deliveries"),
        owner.get(f"{path}/deliveries", limit=0),
        owner.post(f"{path}/deliveries/msg_none/retry", b""),
        owner.post(f"{path}/resend", b'{"since": "x"}', json),
        owner.post(f"{path}/resend", b'{"since": "2020-01-01T00:00:00Z"}', json),
        *(owner.post(path, body, json, method="PATCH") for body in (wrong, off)),
        owner.get(path),
        owner.get(f"{path}/deliveries", limit=1),
        owner.get(f"{path}/deliveries", cursor="x"),
        owner.post(path, on, json, method="PATCH"),
        owner.post(f"{path}/deliveries/msg_{site.key}/retry", b""),
        *(owner.post(path, b"", method="DELETE") for _ in range(2)),
        owner.get(path),
    ):
        await pair.ask(call)


async def ask_everything(pair: Pair, author: Author, site: SiteRow, chance: random.Random) -> None:
    """Every read route and every page about one site."""
    asker = ReadClient(f"secret-{site.site_id}")
    tokens, visits = author.tokens.get(site.key, []), author.visits.get(site.key, [])
    bad = [*author.sessions.get(site.key, [])[:2], *author.tokens["site-c"][:2], "abc", "z" * 23]
    for call in read_requests.numbers(asker, site, DAYS, chance, briefly=site is not SITES[0]):
        await pair.ask(call)
    for call in read_requests.long_lists(asker, DAYS[1]):
        await go_on(pair, asker, call)
    for call in read_requests.shares(asker, [*tokens, *bad], [*some(tokens, 40, chance), *bad]):
        await pair.ask(call)
    await pair.ask(ReadClient("secret-0").get("/v1/stats/summary", site=site.key, **DAYS[1]))
    for call in read_requests.for_readers(asker, site, [*some(tokens, 20, chance), *bad]):
        await pair.ask(call)
    for call in read_requests.exports(asker, DAYS):
        await pair.ask_in_any_order(call)
    roots = await listed(pair, asker, site)
    for call in read_requests.trees(asker, [*roots, *some(visits, 40, chance)]):
        await pair.ask(call)

    answer = await pair.ask(sign_in(f"secret-{site.site_id}" if site.site_id % 2 else "secret-0"))
    reader = ReadClient(cookie=dict(answer.headers)["set-cookie"].partition(";")[0])
    for call in read_requests.pages(reader, site, DAYS, some(roots, 15, chance), some(tokens, 15, chance)):
        await pair.ask(call)
    for first in read_requests.lists(reader, "/cascades", site, (None,)):
        await turn_pages(pair, reader, first)
    await read_answers(pair, site, DAYS, reader)
    for path in ("/sign-out-everywhere", "/sign-out"):
        await pair.ask(reader.post(path, b"", ("Origin", "http://grapevine.example")))
        await pair.ask(reader.get("/"))
        answer = await pair.ask(sign_in("secret-0"))
        reader = ReadClient(cookie=dict(answer.headers)["set-cookie"].partition(";")[0])


async def listed(pair: Pair, asker: ReadClient, site: SiteRow) -> list[str]:
    """The roots of all cascades, after every order was read to its end by pages of several lengths."""
    found: list[set[str]] = []
    for first in read_requests.lists(asker, "/v1/cascades", site, (None, 7, 200)):
        found.append(set())
        call: RecordedCall | None = first
        while call is not None:
            answer = (await pair.ask(call)).json
            found[-1] |= {cascade["root"] for cascade in answer["cascades"]}
            following = answer["next"] and f"{first.path}&{urlencode({'cursor': answer['next']})}"
            call = first._replace(path=following) if following else None
    assert all(roots == found[0] for roots in found)
    return sorted(found[0])
