"""An owner, or a program of theirs that has gone wrong, makes links without end; a server is killed meanwhile."""

from __future__ import annotations

import json
import sqlite3
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import closing, suppress
from http.client import HTTPException
from typing import Any

import pytest

from grapevine.domain import ids
from grapevine.links.schemas import MOST_LINKS
from tests.support.attacked_server import AttackedInstallation, AttackedServer
from tests.support.raw_connection import RawResponse

AT_ONCE = 4


def make(server: AttackedServer, links: list[Any], once: str) -> RawResponse:
    headers = {"Authorization": f"Bearer {server.sites[0].key}", "Idempotency-Key": once}
    body = json.dumps({"links": links}, ensure_ascii=False).encode()
    return server.ask("POST", "/v1/links", body, headers)


def delete(server: AttackedServer) -> RawResponse:
    key = server.sites[0].key
    return server.ask("DELETE", "/v1/links?campaign=c", headers={"Authorization": f"Bearer {key}"})


def add_up(server: AttackedServer) -> RawResponse:
    key = server.sites[0].key
    return server.ask("GET", "/v1/links/summary?campaign=c", headers={"Authorization": f"Bearer {key}"})


def rows(attacked: AttackedInstallation, *tables: str) -> list[int]:
    with closing(sqlite3.connect(attacked.database)) as database:
        return [int(database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]) for table in tables]


@pytest.mark.parametrize("calls", [3, pytest.param(80, marks=pytest.mark.slow)])
def test_the_largest_calls(attacked: AttackedInstallation, calls: int) -> None:
    """Each has 1,000 links with seven places, names, and pages of their own; each is sent twice at once."""
    own = attacked.sites[0]
    places = [f"{n}{'x' * 39}" for n in range(7)]
    links = [
        {"url": f"{own.origin}/{n}", "label": f"label {n}", "campaign": "c", "external_id": n, "places": places}
        for n in range(MOST_LINKS)
    ]
    with attacked.attacked(GRAPEVINE_RATE_LIMIT="0") as server, server.harmless(), ThreadPoolExecutor(AT_ONCE) as pool:
        answers = [*pool.map(lambda n: make(server, links, f"{n // 2}"), range(2 * calls))]
        assert {answer.status for answer in answers} == {201}
        for first, second in zip(answers[::2], answers[1::2], strict=True):
            assert first.body == second.body
        listed = server.ask("GET", "/v1/links?campaign=c&limit=1000", headers={"Authorization": f"Bearer {own.key}"})
        assert len(json.loads(listed.body)["links"]) == MOST_LINKS
        assert rows(attacked, "links", "link_names") == [calls * MOST_LINKS, 3 * calls * MOST_LINKS]
        with ThreadPoolExecutor(2 * AT_ONCE) as readers:
            summed = [*readers.map(lambda _: add_up(server), range(4 * AT_ONCE))]
        assert {each.status for each in summed} <= {200, 503}
        assert {json.loads(each.body)["links"] for each in summed if each.status == 200} == {calls * MOST_LINKS}
        deleted = [*pool.map(lambda _: delete(server), range(AT_ONCE))]  # at once: each link is deleted by one of them
        assert sum(json.loads(answer.body)["deleted"] for answer in deleted) >= MOST_LINKS
    left = calls * MOST_LINKS - sum(json.loads(answer.body)["deleted"] for answer in deleted)
    assert rows(attacked, "links", "link_names") == [left, 3 * left]


PATHS = ("/{n}" + "é" * 325, "/{n}?" + "b=1&" * 240)
"""A thousand of them fill the largest body. Letters of other alphabets and long queries take longest to spell."""


def test_addresses_that_take_long_to_read(attacked: AttackedInstallation) -> None:
    """They are sent twice: a repeat makes nothing, and holds up nobody either."""
    own = attacked.sites[0]
    links = [{"url": own.origin + PATHS[n % len(PATHS)].replace("{n}", f"{n}")} for n in range(MOST_LINKS)]
    with attacked.attacked(GRAPEVINE_RATE_LIMIT="0") as server, server.harmless():
        first, again = (make(server, links, "0") for _ in range(2))
        assert (first.status, first.body) == (201, again.body)
    assert rows(attacked, "links") == [MOST_LINKS]


@pytest.mark.parametrize("number", [10_000, pytest.param(200_000, marks=pytest.mark.slow)])
def test_links_are_deleted_among_the_events_of_a_flood(attacked: AttackedInstallation, number: int) -> None:
    """Strangers had events for webhooks made, half of them by visits that came through one of the links."""
    with attacked.attacked(GRAPEVINE_RATE_LIMIT="0") as server:
        made = make(server, [{"url": f"{attacked.sites[0].origin}/page", "campaign": "c"}] * 50, "0")
        node = ids.visit_number(json.loads(made.body)["links"][0]["visit"])
        with closing(sqlite3.connect(attacked.database)) as database:
            ((site_id,),) = database.execute("SELECT site_id FROM sites WHERE key = ?", (attacked.sites[0].site,))
            database.executemany(
                "INSERT INTO deliveries (delivery_id, webhook_id, site_id, event, payload, created_at, attempts,"
                " visit_id, link_id) VALUES (?, 'wh', ?, 'share.proven', ?, 0, 1, ?, ?)",
                ((f"{each}", site_id, f'"{each:0400}"', each, (node, each)[each % 2]) for each in range(number)),
            )
            database.commit()
        with server.harmless():
            assert json.loads(delete(server).body)["deleted"] == 50
    assert rows(attacked, "links", "deliveries") == [0, number // 2]


def test_a_server_that_is_killed_makes_each_link_once(attacked: AttackedInstallation) -> None:
    calls = [[{"url": f"{attacked.sites[0].origin}/{call}"}] * MOST_LINKS for call in range(6)]
    with attacked.attacked(GRAPEVINE_RATE_LIMIT="0") as server, ThreadPoolExecutor(len(calls)) as pool:
        first = make(server, calls[0], "0")
        waiting = [pool.submit(make, server, links, f"{n}") for n, links in enumerate(calls)]
        wait(waiting, return_when=FIRST_COMPLETED)
        server.process.kill()
        answered = {}
        for number, each in enumerate(waiting):
            try:
                answered[number] = each.result().body
            except (OSError, HTTPException):
                continue
    with attacked.attacked(GRAPEVINE_RATE_LIMIT="0") as server:
        again = [make(server, links, f"{n}") for n, links in enumerate(calls)]
    assert {answer.status for answer in again} == {201}
    assert again[0].body == first.body
    assert [again[number].body for number in answered] == [*answered.values()]
    assert rows(attacked, "links", "visits", "kept_answers") == [6 * MOST_LINKS, 6 * MOST_LINKS, 6]


@pytest.mark.slow
def test_a_server_that_is_killed_deletes_each_link_whole(attacked: AttackedInstallation) -> None:
    """The same call deletes the rest."""
    with attacked.attacked(GRAPEVINE_RATE_LIMIT="0") as server, ThreadPoolExecutor(1) as pool:
        links = [{"url": f"{attacked.sites[0].origin}/page", "campaign": "c", "external_id": 1}] * MOST_LINKS
        assert make(server, links, "0").status == 201
        deletion = pool.submit(delete, server)
        while rows(attacked, "links")[0] == MOST_LINKS and not deletion.done():
            continue
        server.process.kill()
        with suppress(OSError, HTTPException):
            deletion.result()
    (left,) = rows(attacked, "links")
    assert 0 < left < MOST_LINKS
    assert rows(attacked, "link_names", "visits") == [2 * left, left]
    with attacked.attacked(GRAPEVINE_RATE_LIMIT="0") as server:
        assert json.loads(delete(server).body) == {"deleted": left, "more": False}
    assert rows(attacked, "links", "link_names", "visits", "pages") == [0, 0, 0, 0]
