"""Floods: forged short links, invented user agents, wrong keys, and ``/readyz``."""

from __future__ import annotations

import http.client
import sqlite3
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextlib import closing

import pytest

from grapevine.collect.rate_limit import SIGN_INS
from grapevine.domain import ids
from grapevine.domain.tokens import Tokens
from grapevine.store.rows import SiteRow
from grapevine.store.sqlite.store import SQLiteStore
from tests.attack.conftest import ATTACKERS
from tests.support.attacked_server import AttackedInstallation, AttackedServer
from tests.support.raw_connection import ORIGIN
from tests.support.user_agents import CHROME

LIMIT = 600
NETWORKS = 3
"""Addresses of each attacking process."""

Request = tuple[str, str, bytes | None, dict[str, str]]


def flood(port: int, source: str, requests: list[Request]) -> Counter[int]:
    """Sends requests one after the other on one connection from an address; counts the statuses."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120, source_address=(source, 0))
    statuses: Counter[int] = Counter()
    for method, path, body, headers in requests:
        connection.request(method, path, body, {"User-Agent": CHROME} | headers)
        answer = connection.getresponse()
        answer.read()
        statuses[answer.status] += 1
        assert answer.status != 429 or int(answer.headers["Retry-After"]) > 0
    connection.close()
    return statuses


def forged_links(port: int, attacker: int, number: int) -> Counter[int]:
    """Follows forged short links from several addresses in turn: each names another visit in another cell."""
    tokens = Tokens([b"a key of the attacker's own"], b"salt")
    statuses: Counter[int] = Counter()
    each = number // NETWORKS
    for network in range(NETWORKS):
        texts = (tokens.mint(ids.pack(2500 + network, place * 17 % ids.CELLS, place), [0])[0] for place in range(each))
        requests: list[Request] = [("GET", f"/s/{text}", None, {}) for text in texts]
        statuses += flood(port, f"127.0.{attacker + 1}.{network + 1}", requests)
    return statuses


def invented_agents(port: int, site: str, number: int) -> Counter[int]:
    """Visits of one address, each with a user agent of its own."""
    requests: list[Request] = [
        (
            "POST",
            "/v1/visits",
            b'{"site":"%b","url":"%b/","nonce":"agent%016d","channels":[]}' % (site.encode(), ORIGIN.encode(), index),
            {"User-Agent": f"Mozilla/5.0 (X11; Linux x86_64) Chrome/{index}", "Origin": ORIGIN},
        )
        for index in range(number)
    ]
    return flood(port, "127.0.1.1", requests)


def start_all(
    attackers: Executor, server: AttackedServer, attack: Callable[[int, int, int], Counter[int]], number: int
) -> list[Future[Counter[int]]]:
    """Divides an attack among the attackers; each returns how the server answered."""
    return [attackers.submit(attack, server.port, each, number // ATTACKERS) for each in range(ATTACKERS)]


async def add_sites(installation: AttackedInstallation, number: int) -> None:
    """Adds sites behind those that are there."""
    store = SQLiteStore(installation.database)
    await store.open()
    for site_id in range(10, 10 + number):
        await store.sites.add_site(
            SiteRow(
                site_id=site_id,
                key=f"site-{site_id}",
                name=f"Site {site_id}",
                salt=f"{site_id:064x}",
                param="gv",
                place="auto",
                query="*",
                created_at=1_790_000_000_000,
                origins=(f"https://site{site_id}.example",),
            )
        )
    await store.close()


@pytest.mark.anyio
@pytest.mark.parametrize(("number", "sites"), [(7_800, 600), pytest.param(100_000, 10_000, marks=pytest.mark.slow)])
async def test_forged_short_links_on_a_server_with_many_sites(
    attacked: AttackedInstallation, attackers: Executor, number: int, sites: int
) -> None:
    """Meanwhile a site is added, so that the server reads all of them again."""
    await add_sites(attacked, sites)
    with attacked.attacked() as server, server.harmless():
        running = start_all(attackers, server, forged_links, number)
        added = attacked.add_site("New", "https://new.example")
        statuses = sum((each.result() for each in running), Counter[int]())
        assert server.visit(added).status == 200
    assert statuses.keys() == {404, 429}
    assert statuses.total() == ATTACKERS * NETWORKS * (number // ATTACKERS // NETWORKS)
    assert statuses[404] >= ATTACKERS * NETWORKS * LIMIT


@pytest.mark.parametrize("number", [1_300, pytest.param(5_000, marks=pytest.mark.slow)])
def test_one_address_with_a_new_user_agent_for_each_visit(
    attacked: AttackedInstallation, attackers: Executor, number: int
) -> None:
    with attacked.attacked() as server, server.harmless():
        statuses = attackers.submit(invented_agents, server.port, server.sites[0].site, number).result()
    assert statuses.keys() == {200, 429}
    assert LIMIT <= statuses[200] < 2 * LIMIT


def test_one_short_link_followed_again_and_again(attacked: AttackedInstallation, attackers: Executor) -> None:
    """All but the first are answered by the fast path, from memory."""
    with attacked.attacked() as server:
        token = server.visit().json()["tokens"]["copy"]
        with server.harmless():
            requests: list[Request] = [("GET", f"/s/{token}", None, {})] * 2_000
            statuses = attackers.submit(flood, server.port, "127.0.1.1", requests).result()
    assert statuses.keys() == {302, 429}
    assert LIMIT <= statuses[302] < 2 * LIMIT


def test_wrong_keys_and_wrong_sign_ins(attacked: AttackedInstallation, attackers: Executor) -> None:
    with attacked.attacked() as server:
        own = {"Origin": f"http://127.0.0.1:{server.port}", "Content-Type": "application/x-www-form-urlencoded"}
        forms: list[Request] = [("POST", "/sign-in", b"key=gv_%06d" % index, own) for index in range(300)]
        reads: list[Request] = [
            ("GET", "/v1/stats/summary", None, {"Authorization": f"Bearer gv_{index}"}) for index in range(300)
        ]
        with server.harmless():
            found = [
                attackers.submit(flood, server.port, source, requests).result()
                for source, requests in (("127.0.1.1", forms), ("127.0.1.2", reads))
            ]
        key = {"Authorization": f"Bearer {server.sites[0].key}"}
        assert server.ask("GET", "/v1/stats/summary", headers=key, source="127.0.1.2").status == 200
    for statuses in found:
        assert statuses.keys() == {401, 429}
        assert SIGN_INS <= statuses[401] < 2 * SIGN_INS


def test_a_thousand_readyz(attacked: AttackedInstallation, attackers: Executor) -> None:
    # A server that starts for the first time joins pages, and notes how far it has come.
    versions = "SELECT name, version FROM versions WHERE name <> 'page_joins' ORDER BY name"
    with attacked.attacked() as server, closing(sqlite3.connect(attacked.database)) as rows:
        before = rows.execute(versions).fetchall()
        with server.harmless():
            running = start_all(attackers, server, readyz, 1_000)
            statuses = sum((each.result() for each in running), Counter[int]())
        assert rows.execute(versions).fetchall() == before
        assert rows.execute("SELECT count(*) FROM readiness").fetchone() == (1,)
    assert statuses == {200: 1_000}


def readyz(port: int, attacker: int, number: int) -> Counter[int]:
    """Asks whether the server is ready."""
    return flood(port, f"127.0.{attacker + 1}.1", [("GET", "/readyz", None, {})] * number)
