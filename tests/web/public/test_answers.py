"""``POST /v1/answers``: what visitors write to "how did you hear about us?"."""

from __future__ import annotations

import json
import secrets
from typing import Any

import httpx
import pytest

from grapevine.collect.schemas import MAX_ANSWER, MAX_CONTACT
from grapevine.domain import ids
from tests.support.in_process_server import BOTH_BACKENDS, ORIGIN, Server

pytestmark = pytest.mark.anyio


async def say(server: Server, text: Any, client: httpx.AsyncClient | None = None, **fields: Any) -> httpx.Response:
    usual = {"site": server.site, "text": text, "nonce": secrets.token_hex(8)}
    return await (client or server.http).post("/v1/answers", json=usual | fields)


async def stored(server: Server) -> list[tuple[Any, ...]]:
    rows = await server.store.look("SELECT visit_id, at, text, contact FROM answers ORDER BY text")
    return [(ids.visit_text(row[0]), *row[1:]) if row[0] else (None, *row[1:]) for row in rows]


@BOTH_BACKENDS
async def test_an_answer_is_stored_with_its_visit_or_without(server: Server) -> None:
    visit = await server.visit()
    said = await say(server, "  A friend sent\n\nit 🍇 ", session=visit["session"], contact=" me@example.org ")
    assert (said.status_code, said.json()) == (200, {})
    assert said.headers["access-control-allow-origin"] == "*"
    assert "grapevine-dropped" not in said.headers
    assert (await say(server, "a podcast", contact="  ")).status_code == 200
    now = server.clock.now
    assert await stored(server) == [
        (visit["visit"], now, "A friend sent\n\nit 🍇", "me@example.org"),
        (None, now, "a podcast", None),
    ]


@BOTH_BACKENDS
async def test_a_beacon_is_an_answer_and_its_repeat_is_none(server: Server) -> None:
    body = json.dumps({"site": "site-a", "text": "a friend", "nonce": "n" * 16})
    beacon = {"Content-Type": "text/plain;charset=UTF-8"}
    answers = [await server.http.post("/v1/answers", content=body, headers=beacon) for _ in range(3)]
    assert [(one.status_code, one.headers.get("grapevine-dropped")) for one in answers] == [
        (200, None),
        (200, "duplicate"),
        (200, "duplicate"),
    ]
    assert len(await stored(server)) == 1
    assert (await server.drops())["duplicate"] == 2


@BOTH_BACKENDS
async def test_as_long_as_an_answer_may_be(server: Server) -> None:
    longest = "🍇" * MAX_ANSWER
    assert (await say(server, f" {longest} ", contact="c" * MAX_CONTACT)).status_code == 200
    assert [row[2:4] for row in await stored(server)] == [(longest, "c" * MAX_CONTACT)]


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"text": ""}, ["text"]), ({"text": " \n\t "}, ["text"]), ({"text": "x" * (MAX_ANSWER + 1)}, ["text"]),
        ({"text": None}, ["text"]), ({"text": ["a"]}, ["text"]), ({"text": "a\0b"}, ["text"]),
        ({"contact": "a\0b"}, ["contact"]), ({"contact": "c" * (MAX_CONTACT + 1)}, ["contact"]),
        ({"contact": 5}, ["contact"]), ({"nonce": "short"}, ["nonce"]), ({"session": "x"}, ["session"]),
        ({"session": ""}, ["session"]),
        ({"text": " ", "nonce": "é", "session": "z" * 23}, ["text", "nonce", "session"]),
    ],
)  # fmt: skip
async def test_what_cannot_be_used_is_named_and_nothing_is_stored(
    server: Server, fields: dict[str, Any], wrong: list[str]
) -> None:
    said = await say(server, **({"text": "a friend"} | fields))
    assert (said.status_code, said.json()["code"]) == (422, "invalid")
    assert [error["field"] for error in said.json()["errors"]] == wrong
    assert await stored(server) == []


@BOTH_BACKENDS
async def test_half_a_character_is_refused(server: Server) -> None:
    body = b'{"site": "site-a", "nonce": "nnnnnnnnnnnnnnnn", "text": "a \\ud83c"}'
    assert (await server.http.post("/v1/answers", content=body)).status_code == 422
    assert await stored(server) == []


@BOTH_BACKENDS
async def test_a_visit_is_spoken_for_by_its_session_alone(server: Server) -> None:
    visit = await server.visit()
    site = server.state.sites.known("site-a")
    assert site is not None
    for session in (visit["tokens"]["copy"], site.tokens.session(ids.pack(2500, 7, 7))):
        said = await say(server, "a friend", session=session)
        assert (said.status_code, [error["field"] for error in said.json()["errors"]]) == (422, ["session"])
    assert await stored(server) == []


@BOTH_BACKENDS
async def test_robots_foreign_pages_and_opted_out_visitors_are_refused(server: Server) -> None:
    session = (await server.visit())["session"]
    for client, status, reason in (
        (server.browser(**{"Sec-GPC": "1"}), 202, "opted-out"),
        (server.browser(DNT="1"), 202, "opted-out"),
        (server.browser(user_agent="Googlebot/2.1"), 202, "robot"),
        (server.browser(Origin="https://foreign.example"), 403, "bad-origin"),
    ):
        said = await say(server, "a friend", client, session=session)
        assert (said.status_code, said.headers["grapevine-dropped"]) == (status, reason)
    assert (await say(server, "a friend", site="nobody")).status_code == 404
    assert (await server.http.post("/v1/answers", content=b"x" * 9_000)).status_code == 413
    assert await stored(server) == []


@BOTH_BACKENDS
async def test_an_answer_changes_no_number(server: Server) -> None:
    visit = await server.visit()
    tables = ("counts_hour", "counts_day", "counts_page", "counts_device", "visits")
    before = [await server.store.look(f"SELECT * FROM {table}") for table in tables]
    await say(server, "a friend", session=visit["session"])
    assert [await server.store.look(f"SELECT * FROM {table}") for table in tables] == before


@pytest.mark.parametrize("server", ["asgi /g", "socket /g"], indirect=True)
async def test_behind_a_prefix_it_stands_below(server: Server) -> None:
    body = {"site": "site-a", "text": "a friend", "nonce": "n" * 16}
    assert (await server.http.post("/v1/answers", json=body, headers={"Origin": ORIGIN})).status_code == 401  # of keys
    assert (await server.http.post("/g/v1/answers", json=body, headers={"Origin": ORIGIN})).status_code == 200
