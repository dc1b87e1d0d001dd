"""An owner of one site who wants more: keys and repeats without end, other people's sites, and names that do harm."""

from __future__ import annotations

import json
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any, Final

import pytest

from grapevine.sites.api_keys import MOST_KEYS
from tests.support.attacked_server import AttackedInstallation, AttackedServer
from tests.support.raw_connection import RawResponse

AT_ONCE = 8
NAMES: Final[tuple[Any, ...]] = (
    "\x00",
    "a\u202eb",
    "\ud800",
    "x" * 101,
    "",
    " ",
    "\n",
    "<script>" * 20,
    "\u2028",
    {},
    [],
    1,
    True,
)


def call(
    server: AttackedServer, key: str, method: str, path: str, body: Any = None, once: str | None = None
) -> RawResponse:
    headers = {"Authorization": f"Bearer {key}", **({} if once is None else {"Idempotency-Key": once})}
    return server.ask(method, path, body, headers)


def count(attacked: AttackedInstallation, text: str) -> int:
    with closing(sqlite3.connect(attacked.database)) as database:
        return int(database.execute(text).fetchone()[0])


@pytest.mark.parametrize("number", [300, pytest.param(3_000, marks=pytest.mark.slow)])
def test_keys_and_repeats_without_end(attacked: AttackedInstallation, number: int) -> None:
    own, other = attacked.sites
    with attacked.attacked(GRAPEVINE_RATE_LIMIT="0") as server, server.harmless(), ThreadPoolExecutor(AT_ONCE) as pool:
        made = [
            *pool.map(lambda n: call(server, own.key, "POST", "/v1/keys", {"scope": "admin"}, f"{n}"), range(number))
        ]
        statuses = [answer.status for answer in made]
        keys = [json.loads(answer.body) for answer in made if answer.status == 201]
        assert len(keys) == MOST_KEYS - 1  # the first key of the site counts
        assert set(statuses) == {201, 422}
        strongest = keys[0]["key"]
        wanted = [
            {"scope": "read", "every_site": True}, {"scope": "read", "sites": [other.site]},
            {"scope": "read", "sites": [own.site, other.site]}, {"scope": "read", "sites": [own.site] * 10_000},
        ]  # fmt: skip
        refusals = [call(server, strongest, "POST", "/v1/keys", body) for body in wanted]
        refusals += [call(server, strongest, "POST", "/v1/sites", {"name": "x", "origins": ["https://x.example"]})]
        refusals += [call(server, strongest, "DELETE", f"/v1/sites/{other.site}?confirm=Neighbour")]
        assert {answer.status for answer in refusals} <= {403, 413, 422}
        for key in keys:
            assert call(server, own.key, "DELETE", f"/v1/keys/{key['id']}").status == 204
        assert call(server, strongest, "GET", "/v1/keys").status == 401
        for answer in (call(server, own.key, "POST", "/v1/keys", {"scope": "read", "name": name}) for name in NAMES):
            assert answer.status in (201, 400, 422)
    assert count(attacked, "SELECT count(*) FROM api_keys WHERE site_id = 0 OR site_id = -1") == 0
    assert count(attacked, "SELECT count(*) FROM api_keys WHERE revoked_at IS NULL") < 2 + len(NAMES)
    assert count(attacked, "SELECT count(*) FROM kept_answers") == MOST_KEYS - 1


def test_a_repeat_after_a_restart_gets_the_same_secret(attacked: AttackedInstallation) -> None:
    own, _ = attacked.sites
    body = {"scope": "read", "name": "restarted"}
    with attacked.attacked() as server:
        first = call(server, own.key, "POST", "/v1/keys", body, "once")
    with attacked.attacked() as server:
        again = call(server, own.key, "POST", "/v1/keys", body, "once")
        assert (again.status, again.body) == (first.status, first.body)
        assert first.status == 201
        assert call(server, own.key, "POST", "/v1/keys", {"scope": "admin"}, "once").status == 422
    assert count(attacked, "SELECT count(*) FROM api_keys WHERE name = 'restarted'") == 1
