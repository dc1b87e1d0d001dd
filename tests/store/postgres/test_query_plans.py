"""How PostgreSQL finds rows: no query of a page, the API or the writer reads a whole table of events.

The plans are those of a store's own connections, both for any values and for those of a busy site's last 30 days.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import asyncpg
import pytest

from grapevine.domain import ids
from grapevine.store import sql_loader
from grapevine.store.postgres.store import PostgresStore
from grapevine.store.readers.scope import Scope
from grapevine.store.readers.summary import weeks_of
from grapevine.store.sql_loader import Query
from tests.store.postgres.large_fixture import DAYS, FIRST_DAY, SITE, STATEMENTS
from tests.support.postgres import Postgres
from tests.support.truncate import execute

pytestmark = pytest.mark.anyio

EVENTS: Final = frozenset(
    "visits shares unfurls conversions answers pages counts_hour counts_day counts_page counts_device "
    "counts_week counts_shared drops cascades guards kept_shares links link_names link_words link_clicks "
    "mentions webmentions receipts receipt_sharers".split()
)
WHOLE: Final = frozenset(name for name in sql_loader.queries() if name.startswith("recount_") or name == "any_visit")
"""The doctor's queries, which scan whole tables on purpose."""
SMALL: Final = {"webmentions_new"}
"""Indexes of few rows of a large table, which may be read whole: at most 15,000 webmentions were never read with
success (``mentions/bounds.py``)."""


def tables_of(query: Query) -> set[str]:
    """The tables of events that a query names."""
    return set(EVENTS) & set(re.findall(r"\w+", sql_loader.for_postgres(query).text.lower()))


ASKED: Final = sorted(name for name, query in sql_loader.queries().items() if name not in WHOLE and tables_of(query))


_ROWS: Final = """
    SELECT v.site_id, v.visit_id, v.cell, v.visit_id AS root_id, v.page_id, v.at, s.channel, s.n, g.guard_key
    FROM visits v JOIN shares s USING (site_id, visit_id, cell)
    CROSS JOIN LATERAL (SELECT guard_key FROM guards WHERE site_id = v.site_id LIMIT 1) g
    WHERE v.site_id = $1 AND v.root_id IS NULL AND v.nonce_check % 10 = 0 ORDER BY v.visit_id DESC LIMIT 40
"""


class Plenty:
    """A store with many rows, and values that its queries may be asked with."""

    def __init__(self, store: PostgresStore, values: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> None:
        self.store = store
        self.values = values
        self.rows = rows

    def asked(self, query: Query, **changes: Any) -> list[Any]:
        """Values for a query's numbered parameters: the named ones, then an array for each column of its rows."""
        known = {**self.values, **changes}
        named = [known[name] for name in sql_loader.for_postgres(query).names]
        return named + [
            sql_loader.array_for_postgres(kind, "postgres", [_value(kind, row.get(column)) for row in self.rows])
            for column, kind in zip(query.columns, query.types, strict=True)
        ]

    async def plans(self, query: Query, **changes: Any) -> list[Any]:
        """The plan for any values, and the one for these, as the store's own connections make them."""
        text = sql_loader.for_postgres(query).text
        pool = self.store._writers if _is_written(query) else self.store._readers  # noqa: SLF001
        assert pool is not None
        async with pool.acquire() as connection:
            values = self.asked(query, **changes)
            found = [await connection.fetchval(f"EXPLAIN (FORMAT JSON) {text}", *values)]
            marks = ", ".join(["NULL"] * len(values))
            mode = await connection.fetchval("SHOW plan_cache_mode")
            await connection.execute(f"SET plan_cache_mode = force_generic_plan; PREPARE asked AS {text}")
            found.append(
                await connection.fetchval(f"EXPLAIN (FORMAT JSON) EXECUTE asked{f'({marks})' if marks else ''}")
            )
            await connection.execute(f"DEALLOCATE asked; SET plan_cache_mode = {mode}")
        return [json.loads(plan)[0]["Plan"] for plan in found]


def _is_written(query: Query) -> bool:
    """Whether it belongs to the writer's transaction: it changes rows, or is asked by a batch."""
    asked = (
        "held_visits",
        "named_visits",
        "named_shares",
        "known_pages",
        "pages_of_day",
        "known_names",
        "names_of_day",
        "click_guards",
        "known_answers",
        "answers_between",
        "urls_of_shares",
        "shares_of_visits",
        "unfurls_of_visits",
        "conversions_of_visits",
    )
    return query.name in asked or query.text.startswith(("INSERT", "UPDATE", "DELETE", "/*citus UPDATE"))


def _value(kind: str, value: Any) -> Any:
    return "x" if kind == "text" else 1 if value is None else value


def steps(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """A plan's steps, those of its parts included."""
    yield plan
    for below in plan.get("Plans", ()):
        yield from steps(below)


@pytest.fixture(scope="module")
async def filled(postgres_server: Postgres, postgres_template: str) -> AsyncIterator[str]:
    """The name of a database with many rows, to be copied."""
    name = postgres_server.create(postgres_template)
    await execute(postgres_server.url(name), STATEMENTS)
    yield name
    postgres_server.drop(name)


@pytest.fixture(scope="module")
async def plenty(postgres_server: Postgres, filled: str) -> AsyncIterator[Plenty]:
    async with copied(postgres_server, filled) as plenty:
        yield plenty


@pytest.fixture(scope="module")
async def emptied(postgres_server: Postgres, filled: str) -> AsyncIterator[Plenty]:
    """The same after all but ten rows of each table were deleted."""
    others = "DELETE FROM {0} WHERE ctid <> ALL (ARRAY(SELECT ctid FROM {0} ORDER BY ctid DESC LIMIT 10))"
    texts = [text.format(table) for table in sorted(EVENTS) for text in (others, "VACUUM ANALYZE {0}")]
    async with copied(postgres_server, filled, *texts) as emptied:
        yield emptied


@asynccontextmanager
async def copied(server: Postgres, template: str, *statements: str) -> AsyncIterator[Plenty]:
    """A store of its own, after these statements; what is asked is known from before them."""
    name = server.create(template)
    connection = await asyncpg.connect(server.url(name))
    rows = [dict(row) for row in await connection.fetch(_ROWS, SITE)]
    await connection.close()
    await execute(server.url(name), *statements)
    store = PostgresStore(server.url(name))
    await store.open()
    yield Plenty(store, values_of(rows[0]), rows)
    await store.close()
    server.drop(name)


def values_of(last: Mapping[str, Any]) -> dict[str, Any]:
    """A value for each parameter of a query, as for a request about this row."""
    end = FIRST_DAY + DAYS
    scope = Scope(SITE, ids.day_start(end - 30), ids.day_start(end))
    return {
        **last, **{column: 1 for query in sql_loader.queries().values() for column in query.columns}, **scope.params(),
        **weeks_of(scope.start, scope.end),
        **{name: last[name] for name in ("visit_id", "cell", "root_id", "channel", "n")}, "by": "channel",
        "split": None, "sort": "top",
        "score": 1 << 62, "after_page": 0, "dimension": 0, "key": None,
        "limit": 21, "most": 200, "value": 1 << 62, "units": 1 << 62, "rest": 0,
        "hangs_on": last["visit_id"], "small": 10_000, "before": 0, "day": end - 1, "kind": 1,
        "guard_key": -(1 << 62), "window": 1000, "end_site": SITE, "end_kind": 1, "end_key": 1 << 40,
        "now": ids.day_start(end), "app": "slack", "reason": "robot", "url": "u", "title": "t", "goal": "order",
        "behind": 0, "free_before": 0, "first": 0, "created_at": 0, "name_key": 1, "word_key": 1,
        "sharer_id": last["visit_id"], "from_at": 0, "to_at": 1 << 50, "first_day": 0, "last_day": 1 << 50,
        "mention_key": 1, "gone": None, "gone_at": 1, "source_url": "u", "author": "a", "published_at": None,
        "feed_id": None, "host": "blog-1.example", "source_host": "blog-1.example", "target_url": "t",
        "webmention_id": "w1", "received_at": 1, "attempts": 1, "checks": 1, "next_at": 1, "claimed": 1, "seen": 1,
        "until": 1, "receipt_id": "r1", "kid": "k", "issued_at": 1, "document": "d", "pseudonym_salt": "s",
        "since": ids.day_start(end - 1), "after_key": 0, "after_visit": 0, "class": "friend", "corrected": "friend",
        "least": 20, "holder": 1, "shift": 24, "first_network": 0, "last_network": (1 << 48) - 1,
    }  # fmt: skip


FILTERS: Final[tuple[Mapping[str, Any], ...]] = (
    {},
    {"channel": 3},
    {"device": 2, "source": 4},
    {"page_id": 7},
    {"app": "slack"},
)
"""The filters that may narrow down a query, in addition to the site and the period."""


def narrowed(name: str) -> Iterator[Mapping[str, Any]]:
    """Yields the combinations of filters to plan a query with; only the empty one for a query without filters."""
    known = set(sql_loader.for_postgres(sql_loader.queries()[name]).names)
    filters: dict[str, Any] = (
        dict.fromkeys(known & {"channel", "device", "source", "page_id", "app"}) if name.endswith("_by") else {}
    )
    return (filters | dict(chosen) for chosen in FILTERS if chosen.keys() <= filters.keys())


def read_whole(plan: Mapping[str, Any]) -> set[str]:
    """The tables of events that a plan reads from their first row to their last, in whatever order."""
    reading = (
        step
        for step in steps(plan)
        if "Scan" in step["Node Type"] and "Relation Name" in step and step.get("Index Name") not in SMALL
    )
    return set(EVENTS) & {
        step["Relation Name"] for step in reading if not step.keys() & {"Index Cond", "Recheck Cond", "TID Cond"}
    }


@pytest.mark.parametrize(("name", "filters"), [(name, filters) for name in ASKED for filters in narrowed(name)])
async def test_no_table_of_events_is_read_whole(plenty: Plenty, name: str, filters: Mapping[str, Any]) -> None:
    for plan in await plenty.plans(sql_loader.queries()[name], **filters):
        assert not read_whole(plan), json.dumps(plan, indent=1)


async def test_visits_through_a_share_are_found_in_the_order_of_time(plenty: Plenty) -> None:
    for plan in await plenty.plans(sql_loader.queries()["visits_to_join"]):
        read = [step["Index Cond"] for step in steps(plan) if step.get("Index Name") == "visits_parent"]
        assert len(read) == 3, json.dumps(plan, indent=1)
        for condition in read:
            assert all(column in condition for column in ("parent_id", "channel", "via_id", "at >")), condition


@pytest.mark.parametrize(
    "name",
    "keys_of_site keys_after keys_of_sites_after number_of_keys surplus_revoked_keys api_keys_to_delete".split(),
)
async def test_not_every_key_of_the_server_is_read(plenty: Plenty, name: str) -> None:
    for plan in await plenty.plans(sql_loader.queries()[name], key_id="", created_at=0, kept=100, bounded=1):
        read = [step for step in steps(plan) if step.get("Relation Name") == "api_keys"]
        assert read
        for step in read:
            assert step.keys() & {"Index Cond", "Recheck Cond"}, json.dumps(plan, indent=1)
            assert (step.get("Index Name") == "api_keys_created") == (name == "keys_after")


@pytest.mark.parametrize("query", ["SELECT max(title) FROM pages", "SELECT title FROM pages ORDER BY site_id, page_id"])
async def test_what_reads_a_whole_table_is_seen(plenty: Plenty, query: str) -> None:
    (plan,) = (await plenty.store.look(f"EXPLAIN (FORMAT JSON) {query}"))[0]
    assert read_whole(json.loads(plan)[0]["Plan"]) == {"pages"}


@pytest.mark.parametrize("name", [name for name in ASKED if _is_written(sql_loader.queries()[name])])
async def test_a_batch_looks_rows_up_where_most_were_deleted(emptied: Plenty, name: str) -> None:
    """Tables that are large by their pages and small by their rows: one look a row, and never all for each row."""
    for plan in await emptied.plans(sql_loader.queries()[name]):
        assert not read_whole(plan), json.dumps(plan, indent=1)


def test_every_query_of_a_table_of_events_is_asked() -> None:
    assert len(ASKED) > 50
    assert {"visits_by", "insert_visits", "delete_guards", "page_urls", "followed_link"} <= set(ASKED)
    assert {name for name in sql_loader.queries() if name.startswith("recount_")} < WHOLE
