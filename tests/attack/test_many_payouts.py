"""An owner's program asks for pay-outs of a large programme again and again, at once."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any
from urllib.parse import urlencode

import pytest

from grapevine.domain import ids
from tests.support.attacked_server import AttackedServer
from tests.support.raw_connection import RawResponse

REFERRERS = 200
CALLS = 12


def ask(server: AttackedServer, **params: object) -> RawResponse:
    headers = {"Authorization": f"Bearer {server.sites[0].key}"}
    return server.ask("GET", f"/v1/payouts?{urlencode(params)}", headers=headers)


def purchases(site_id: int, nodes: list[int], number: int, now: int) -> Iterator[tuple[Any, ...]]:
    """The rows of visits below links, each with a network of its own."""
    day = ids.day_at(now)
    for each in range(number):
        node = nodes[each % len(nodes)]
        cell = ids.cell_of(node)
        yield site_id, ids.pack(day, cell, (1 << 31) + each), cell, now - each, node, node, (each + 1) << 24


@pytest.mark.parametrize("number", [10_000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_of_a_large_programme(attacked: Any, number: int) -> None:
    own = attacked.sites[0]
    with attacked.attacked(GRAPEVINE_RATE_LIMIT="0") as server:
        links = [{"url": f"{own.origin}/page", "external_id": f"r{n:04}"} for n in range(REFERRERS)]
        headers = {"Authorization": f"Bearer {own.key}"}
        made = server.ask("POST", "/v1/links", json.dumps({"links": links}).encode(), headers)
        nodes = [ids.visit_number(link["visit"]) or 0 for link in json.loads(made.body)["links"]]
        with closing(sqlite3.connect(attacked.database)) as database:
            ((site_id,),) = database.execute("SELECT site_id FROM sites WHERE key = ?", (own.site,))
            rows = [*purchases(site_id, nodes, number, time.time_ns() // 1_000_000)]
            database.executemany(
                "INSERT INTO visits (site_id, visit_id, cell, nonce_check, at, next_view, page_id, source, device,"
                " channel, n, parent_id, root_id, network, depth, flags)"
                " VALUES (?, ?, ?, 0, ?, 2, 1, 0, 0, 0, 0, ?, ?, ?, 1, 0)",
                rows,
            )
            database.executemany(
                "INSERT INTO conversions (site_id, visit_id, cell, goal, event_key, external_id, at, value, currency,"
                " reported_by) VALUES (?, ?, ?, 'order', 1, 'A', ?, 10000000, 'EUR', 1)",
                (row[:4] for row in rows),
            )
            database.commit()
        with server.harmless(most_growth=600 << 20), ThreadPoolExecutor(CALLS) as pool:
            answers = [*pool.map(lambda n: ask(server, fixed=n + 1, currency="EUR", hold=0), range(CALLS))]
            assert {each.status for each in answers} == {200, 503}
            found: list[Any] = []
            cursor: dict[str, str] = {}
            while not found or cursor:
                page = json.loads(ask(server, hold=0, limit=50, **cursor).body)
                found += page["referrers"]
                cursor = {"cursor": page["next"]} if "next" in page else {}
        totals = [json.loads(each.body)["conversions"] for each in answers if each.status == 200]
        assert set(totals) == {number}
        assert len(found) == REFERRERS
        assert sum(each["conversions"] for each in found) == number
