"""The lines of exports on each backend, compared with every object of a random world."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import date
from decimal import Decimal
from itertools import product
from typing import Any

import pyarrow.parquet as pq
import pytest

from grapevine.analytics.cascades import list_cascades
from grapevine.domain import channels, enums, ids
from grapevine.domain.money import decimal
from grapevine.domain.periods import Period, rfc3339
from grapevine.domain.visit_evidence import decided_by, evidence_names
from grapevine.exports import TABLES, ExportRequest, make_encoder, stream
from grapevine.store.readers.exports import (
    MAX_BATCH,
    ExportRange,
)
from tests.store.databases import Database, Databases, Plant
from tests.store.world import FIRST_DAY, LINK, SITE, Share, Visit, World, grow, site_of
from tests.store.world_rows import FIRST_REFUND, link_rows
from tests.support.backends import Backend

pytestmark = pytest.mark.anyio

SEED = 3
FIRST, LAST = ids.day_date(FIRST_DAY + 1), ids.day_date(FIRST_DAY + 2)
SPANS = {
    "all": ExportRange.of(SITE, None, None),
    "days": ExportRange.of(SITE, FIRST, LAST),
    "since": ExportRange.of(SITE, FIRST, None),
    "until": ExportRange.of(SITE, None, LAST),
    "never": ExportRange.of(SITE, date(2001, 1, 1), date(2001, 1, 2)),
}


@pytest.fixture
async def database(databases: Databases) -> AsyncIterator[Database]:
    async with databases.holding(Plant(SEED), Plant(SEED, site_id=8)) as made:
        yield made


@pytest.fixture
async def store(database: Database) -> AsyncIterator[Backend]:
    opened = database.store()
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture(scope="module")
def world() -> World:
    return grow(SEED)


async def whole(table: str, asked: ExportRequest, format_name: str = "ndjson") -> bytes:
    made_by = make_encoder(format_name, TABLES[table].columns)
    async with aclosing(stream(table, asked, made_by)) as pieces:
        return b"".join([piece async for piece in pieces])


async def objects(
    table: str, store: Backend, world: World, span: ExportRange, page: int = 2_000
) -> list[dict[str, Any]]:
    text = await whole(table, ExportRequest(store, site_of(world), span, page))
    lines = [json.loads(line) for line in text.splitlines()]
    names = [column.name for column in TABLES[table].columns]
    assert all(list(line) == names for line in lines)
    return lines


def within(span: ExportRange, at: int | None) -> bool:
    return at is not None and span.start <= at < span.end


def text_of(visit: Visit | None) -> str | None:
    return None if visit is None else ids.visit_text(visit.visit_id)


def verdict_of(visit: Visit) -> str | None:
    return None if visit.verdict is None else enums.VERDICT_NAMES[visit.verdict]


def visit_line(visit: Visit) -> dict[str, Any]:
    return {
        "visit": text_of(visit), "at": rfc3339(visit.at), "url": visit.page, "title": None,
        "source": enums.SOURCE_NAMES[visit.source], "device": enums.DEVICE_NAMES[visit.device], "app": visit.app,
        "views": visit.views, "channel": channels.NAMES[visit.through.channel] if visit.through else None,
        "n": visit.through.n if visit.through else None, "sharer": text_of(visit.sharer),
        "parent": text_of(visit.parent), "root": text_of(visit.root), "depth": visit.depth,
        "self": visit.own and visit.verdict is None,
        "same_network": visit.same_network, "reason": None, "verdict": verdict_of(visit), "erased": False,
        "seen_by": None if visit.source == LINK else "widget",
        "decided_by": None if visit.evidence is None else decided_by(visit.evidence),
        "evidence": None if visit.evidence is None else " ".join(evidence_names(visit.evidence)),
    }  # fmt: skip


def share_line(world: World, share: Share) -> dict[str, Any]:
    assert share.first_at is not None
    token = site_of(world).tokens.mint(share.visit.visit_id, (share.channel,), share.n)[0]
    return {
        "visit": text_of(share.visit), "channel": channels.NAMES[share.channel], "n": share.n, "token": token,
        "at": rfc3339(share.first_at), "url": share.page if share.page and share.reported_at else share.visit.page,
        "title": None, "reported": share.reported_at is not None,
        "reported_at": None if share.reported_at is None else rfc3339(share.reported_at),
        "proven": share.proven_at is not None,
        "proven_at": None if share.proven_at is None else rfc3339(share.proven_at),
        "returns": len(share.returns), "self_returns": len(share.self_returns), "verdict": verdict_of(share.visit),
        "networks": len({visit.network for visit in share.returns}),
        "reported_by": enums.share_reporter(share.reported_at, share.reporter),
        **names_of_link(world, share.visit.root),
    }  # fmt: skip


def names_of_link(world: World, root: Visit) -> dict[str, Any]:
    """The columns that name the minted link from which something grew."""
    found = [row for row in link_rows(world)["links"] if row[1] == root.visit_id]
    if not found:
        return dict.fromkeys(("link", "label", "external_id", "campaign"))
    ((_, visit_id, _, channel, _, *names),) = found
    token = site_of(world).tokens.mint_one(visit_id, channel)
    return {"link": token, **dict(zip(("label", "external_id", "campaign"), names, strict=False))}


def link_line(world: World, node: Visit) -> dict[str, Any]:
    """A link's line, its numbers counted by looking at every object."""
    rows = link_rows(world)
    (row,) = (row for row in rows["links"] if row[1] == node.visit_id)
    clicks = [(channel, clicks) for _, visit, _, channel, _, clicks, _ in rows["link_clicks"] if visit == node.visit_id]
    scans = sum(clicks for channel, clicks in clicks if channel == channels.CODES["qr"])
    below = [visit for visit in world.members(node) if visit is not node]
    return {
        **names_of_link(world, node), "visit": text_of(node), "at": rfc3339(node.at), "page": node.page,
        "channel": channels.NAMES[row[3]], "word": None, "places": row[9] or None,
        "expires_at": None if node.expires_at is None else rfc3339(node.expires_at), "keep": False,
        "clicks": sum(clicks for _, clicks in clicks) - scans, "scans": scans,
        "returns": sum(len(share.returns) for share in world.shares.values() if share.visit is node),
        "visits": len(below), "max_depth": max((visit.depth for visit in below), default=0),
        "conversions": sum(
            len(visit.conversions) for visit in world.visits if visit.root is node and visit.verdict is None
        ),
    }  # fmt: skip


def expected(world: World, table: str, span: ExportRange) -> list[dict[str, Any]]:
    match table:
        case "visits":
            return [visit_line(visit) for visit in world.visits if within(span, visit.at)]
        case "shares":
            return [share_line(world, share) for share in world.shares.values() if within(span, share.first_at)]
        case "unfurls":
            return [
                {
                    "visit": text_of(share.visit), "channel": channels.NAMES[share.channel], "n": share.n, "app": app,
                    "at": rfc3339(at), "verdict": verdict_of(share.visit),
                }
                for share in world.shares.values() for app, at in share.unfurls if within(span, at)
            ]  # fmt: skip
        case "links":
            nodes = [visit for visit in world.visits if visit.source == LINK]
            return [link_line(world, node) for node in nodes if within(span, node.at)]
        case _:
            return [
                {
                    "visit": text_of(visit), "at": rfc3339(at), "goal": "signup", "id": visit.order(number),
                    "value": None if value is None else decimal(value), "currency": currency,
                    "verdict": verdict_of(visit), "by": ("page", "key")[number % 2],
                    **names_of_link(world, visit.root), "conversion": ids.key_text(number), "refund_of": None,
                }
                for visit in world.visits for number, (at, value, currency) in enumerate(visit.conversions)
                if within(span, at)
            ] + [
                {
                    "visit": text_of(visit), "at": rfc3339(one.at), "goal": "signup",
                    "id": f"{visit.order(one.number)}-R{index}", "value": decimal(one.value), "currency": one.currency,
                    "verdict": verdict_of(visit), "by": "key",
                    **names_of_link(world, visit.root), "conversion": ids.key_text(FIRST_REFUND + index),
                    "refund_of": visit.order(one.number),
                }
                for visit in world.visits for index, one in enumerate(visit.refunds) if within(span, one.at)
            ]  # fmt: skip


def in_order(lines: list[dict[str, Any]]) -> list[str]:
    return sorted(json.dumps(line) for line in lines)


@pytest.mark.parametrize("table", ["visits", "shares", "unfurls", "conversions", "links"])
async def test_every_object_of_a_period_is_a_line(store: Backend, world: World, table: str) -> None:
    for (name, span), page in product(SPANS.items(), (3, MAX_BATCH)):
        lines = await objects(table, store, world, span, page)
        assert in_order(lines) == in_order(expected(world, table, span)), (name, page)
        assert (len(lines) > (0 if table == "links" else 5)) is (name != "never")


async def test_shares_that_only_their_own_sharer_opened_are_no_lines(store: Backend, world: World) -> None:
    unseen = [share for share in world.shares.values() if share.openings and share.first_at is None]
    assert unseen
    lines = await objects("shares", store, world, SPANS["all"])
    assert len(lines) == sum(share.first_at is not None for share in world.shares.values())


@pytest.mark.parametrize("page", [3, 2_000])
async def test_cascades_are_as_the_api_says(store: Backend, world: World, page: int) -> None:
    lines = await objects("cascades", store, world, SPANS["all"], page)
    heads = [
        {name: getattr(head, name) for name in (column.name for column in TABLES["cascades"].columns)}
        for head in (await list_cascades(store, site_of(world), 0, limit=200)).cascades
    ]
    assert in_order(lines) == in_order(heads)
    assert len(lines) == len(world.roots()) > 5
    assert in_order(await objects("cascades", store, world, SPANS["all"])) == in_order(lines)  # shapes are kept now


async def test_cascades_of_a_period_began_in_it(store: Backend, world: World) -> None:
    began = {text_of(root) for root in world.roots() if within(SPANS["days"], root.at)}
    assert {line["root"] for line in await objects("cascades", store, world, SPANS["days"])} == began
    assert began


async def test_tables_join_by_visit(store: Backend, world: World) -> None:
    visits = {line["visit"]: line for line in await objects("visits", store, world, SPANS["all"])}
    shares = {
        (line["visit"], line["channel"], line["n"]): line
        for line in await objects("shares", store, world, SPANS["all"])
    }
    for visit in visits.values():
        assert visit["root"] in visits
        if visit["parent"]:
            assert visits[visit["parent"]]["root"] == visit["root"]
            assert visit["sharer"] in visits
        if visit["parent"] and not visit["self"] and not visit["verdict"]:
            assert shares[visit["sharer"], visit["channel"], visit["n"]]["proven"]
    assert {visit for visit, _, _ in shares} <= visits.keys()


async def test_answers(database: Database, store: Backend, world: World) -> None:
    visit, start = next(visit for visit in world.visits if verdict_of(visit)), SPANS["days"].start
    rows = [
        (
            SITE,
            visit.visit_id,
            ids.cell_of(visit.visit_id),
            1,
            start,
            "a friend",
            "me@example.org",
            "friend",
            7,
            1,
            None,
            1,
        ),
        (SITE, 0, 0, 2, start + 5, "=1+1", None, "other", None, 1, "press", 0),
        (SITE, 0, 0, 3, start - 1, "before", None, None, None, None, None, 0),
        (8, 0, 0, 4, start, "of another site", None, None, None, None, None, 0),
    ]
    await database.insert("answers", rows)
    for page in (1, 2_000):
        lines = await objects("answers", store, world, SPANS["days"], page)
        names = ("visit", "at", "text", "contact", "verdict", "class", "class_by", "channel", "by")
        assert [[line[name] for name in names] for line in lines] == [
            [
                text_of(visit),
                rfc3339(start),
                "a friend",
                "me@example.org",
                verdict_of(visit),
                "friend",
                "rule",
                "whatsapp",
                "key",
            ],
            [None, rfc3339(start + 5), "=1+1", None, None, "press", "person", None, "page"],
        ]


async def test_an_erased_visit_keeps_only_its_position_in_the_cascade(
    database: Database, store: Backend, world: World
) -> None:
    sharer = next(s.visit for s in world.shares.values() if s.returns and s.visit.parent and s.visit.conversions)
    root = world.roots()[0]
    for visit in (sharer, root):
        await database.change("UPDATE visits SET flags = flags | 4 WHERE visit_id = ?", visit.visit_id)
    (line,) = (line for line in await objects("visits", store, world, SPANS["all"]) if line["visit"] == text_of(sharer))
    kept = ("visit", "channel", "n", "sharer", "parent", "root", "depth", "self", "verdict")
    left = {name: value for name, value in visit_line(sharer).items() if name in kept}
    assert line == dict.fromkeys(line) | left | {"erased": True}
    for table in ("shares", "unfurls", "conversions"):
        lines = await objects(table, store, world, SPANS["all"])
        assert lines
        assert {line["visit"] for line in lines} & {text_of(sharer), text_of(root)} == set()
    (head,) = (head for head in await objects("cascades", store, world, SPANS["all"]) if head["root"] == text_of(root))
    assert head["url"] is None
    assert head["size"] > 1


async def test_a_verdict_that_comes_later_is_named_wherever_its_visit_is(
    database: Database, store: Backend, world: World
) -> None:
    own = [visit for visit in world.visits if visit.own and not visit.verdict]
    suspect = next(s.visit for s in world.shares.values() if s.first_at and s.visit.conversions and s.visit in own)
    await database.change("UPDATE visits SET verdict = 2 WHERE visit_id = ?", suspect.visit_id)
    for table in ("visits", "shares", "conversions"):
        (line, *_) = [
            each for each in await objects(table, store, world, SPANS["all"]) if each["visit"] == text_of(suspect)
        ]
        assert line["verdict"] == "scanner"
        assert line.get("self", False) is False


async def test_reasons_and_titles(database: Database, store: Backend, world: World) -> None:
    visit = world.visits[0]
    await database.change("UPDATE visits SET reason = 2 WHERE visit_id = ?", visit.visit_id)
    await database.change("UPDATE pages SET title = ? WHERE url = ?", 'Vines, "old" & new\nones', visit.page)
    (line,) = (line for line in await objects("visits", store, world, SPANS["all"]) if line["visit"] == text_of(visit))
    assert (line["reason"], line["title"]) == ("bad-signature", 'Vines, "old" & new\nones')


async def test_every_format_says_the_same(database: Database, store: Backend, world: World) -> None:
    await database.change("UPDATE pages SET title = ?", '-1, "two"\r\nthree ä')
    await database.change("UPDATE conversions SET goal = '@home', value = -value")
    start = SPANS["days"].start
    rules = [(None, None, None, None, 0), ("friend", 7, 1, None, 1), ("friend", 7, 1, "press", 1)]
    texts = ("友達", "@home", "a friend")
    told = [
        (SITE, 0, 0, key, start, text, None, *given) for key, (text, given) in enumerate(zip(texts, rules, strict=True))
    ]
    await database.insert("answers", told)
    for table, (columns, _) in TABLES.items():
        asked = ExportRequest(store, site_of(world), SPANS["all"], batch_size=40)
        objects = [json.loads(line) for line in (await whole(table, asked)).splitlines()]
        if table == "answers":
            assert sorted((line["class"] or "", line["class_by"], line["channel"], line["by"]) for line in objects) == [
                ("", None, None, "page"), ("friend", "rule", "whatsapp", "key"), ("press", "person", "whatsapp", "key"),
            ]  # fmt: skip
        text = (await whole(table, asked, "csv")).decode("utf-8-sig")
        assert text.startswith(",".join(column.name for column in columns) + "\r\n")
        rows = list(csv.DictReader(io.StringIO(text, newline="")))
        assert rows == [{column.name: said(line[column.name]) for column in columns} for line in objects]
        found = pq.read_table(io.BytesIO(await whole(table, asked, "parquet")))
        assert [typed(line) for line in found.to_pylist()] == [
            {column.name: line[column.name] for column in columns} for line in objects
        ]
        for column in columns:
            assert str(found.schema.field(column.name).type) == {
                "text": "string", "whole": "int64", "number": "double", "yes": "bool",
                "time": "timestamp[ms, tz=UTC]", "money": "decimal128(19, 6)",
            }[column.kind]  # fmt: skip


def said(value: object) -> str:
    """A value as CSV has it, texts guarded against formulas."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value in ('-1, "two"\r\nthree ä', "@home"):
        return f"'{value}"
    return "" if value is None else str(value)


def typed(line: dict[str, Any]) -> dict[str, Any]:
    """A line of Parquet as NDJSON has it."""
    millionths = {name: value * 1_000_000 for name, value in line.items() if isinstance(value, Decimal)}
    times = {name: value for name, value in line.items() if hasattr(value, "isoformat")}
    return (
        line
        | {name: decimal(int(value)) for name, value in millionths.items()}
        | {name: value.isoformat(timespec="milliseconds").replace("+00:00", "Z") for name, value in times.items()}
    )


def test_a_period_reaches_a_day_further_in_ids_than_in_time() -> None:
    span, period = SPANS["days"], Period(FIRST, LAST)
    assert (span.start, span.end) == (period.start, period.end)
    assert (ids.day_of(span.from_id), ids.day_of(span.to_id)) == (FIRST_DAY, FIRST_DAY + 4)
