"""Visitors who invent names without end: goals, currencies, pages, apps, answers, generations.

Each attack ends with the owner reading every page and every list of the API: small, and with what is honest in it.
"""

from __future__ import annotations

import http.client
import json
import secrets
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import closing
from itertools import product
from string import ascii_uppercase
from typing import Any, Final

import pytest

from grapevine.domain import ids
from grapevine.domain.currencies import CURRENCIES
from tests.support.attacked_server import AttackedInstallation, AttackedServer
from tests.support.raw_connection import ORIGIN, RawResponse
from tests.support.user_agents import CHROME

LARGEST_PAGE: Final = 1 << 20
LARGEST_LIST: Final = 3 << 20
"""Bytes of any page, and of any list of at most 1,000 rows, in each of which a URL of 2,048 bytes may be."""
NO_RATES: Final = {"GRAPEVINE_RATE_LIMIT": "0"}
"""The bounds on names hold by themselves, not because an attacker is slow."""
FLOOD, HONEST = "127.0.0.66", "127.0.0.77"
MOST_CHAIN: Final = 200

PAGES: Final = ("/", "/conversions", "/direct", "/cascades", "/tokens", "/?days=365", "/conversions?days=365")
LISTS: Final = (
    "/v1/stats/summary", "/v1/attribution?model=linear", "/v1/attribution?model=position&limit=1000",
    "/v1/stats/direct", "/v1/cascades", "/v1/cascades?sort=value&limit=200", "/v1/cascades?sort=depth",
    "/v1/spikes", "/v1/stats/series?metric=conversions",
    *(f"/v1/stats/breakdown?by={by}&limit=1000" for by in ("channel", "page", "source", "depth", "device", "app")),
)  # fmt: skip


class Caller:
    """A program that calls the collect API over one connection."""

    def __init__(self, port: int, site: str, source: str) -> None:
        self._site = site
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60, source_address=(source, 0))

    def __enter__(self) -> Caller:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def call(self, name: str, **fields: Any) -> tuple[int, dict[str, Any]]:
        """Returns the status and the body of a call."""
        body = json.dumps({"site": self._site, "nonce": secrets.token_hex(16)} | fields)
        self._connection.request("POST", f"/v1/{name}", body, {"User-Agent": CHROME, "Origin": ORIGIN})
        answer = self._connection.getresponse()
        return answer.status, json.loads(answer.read())

    def visit(self, path: str = "/", **fields: Any) -> dict[str, Any]:
        """Returns the answer to a visit."""
        status, body = self.call("visits", **({"url": f"{ORIGIN}{path}", "channels": ["copy"]} | fields))
        assert status == 200, body
        return body


def invent_goals(port: int, site: str, source: str, number: int) -> Counter[int]:
    """Sends conversions with goals and currencies that nobody has; returns how many got which status."""
    caller = Caller(port, site, source)
    statuses, session = Counter[int](), ""
    letters = ("".join(letters) for letters in product(ascii_uppercase, repeat=3))
    for count, currency in zip(range(number), letters, strict=False):
        if count % 20 == 0:  # so that no bound by session helps
            session = caller.visit()["session"]
        fields = {"session": session, "goal": f"g{source}-{count}", "value": "1"}
        statuses[caller.call("conversions", currency=currency, **fields)[0]] += 1
        statuses[caller.call("conversions", currency="EUR", **fields)[0]] += 1
    return statuses


def invent_pages(port: int, site: str, source: str, number: int) -> None:
    """Visits pages that nobody has by apps that nobody has, and reports each as shared."""
    caller = Caller(port, site, source)
    for count in range(number):
        name = secrets.token_hex(8)
        path = f"/{name}/{'x' * 1_000}"
        referrer = f"android-app://org.x{name}/" if count % 2 else f"android-app://{name * 100}/"
        came = caller.visit(path, referrer=referrer)
        if count % 10 == 0:
            fields = {"token": came["tokens"]["copy"], "session": came["session"]}
            assert caller.call("shares", url=f"{ORIGIN}{path}", **fields)[0] == 200


def invent_answers(port: int, site: str, source: str, number: int) -> Counter[int]:
    """Sends long answers."""
    caller = Caller(port, site, source)
    return Counter(caller.call("answers", text="x" * 500, contact="y" * 200)[0] for _ in range(number))


def invent_generations(port: int, site: str, source: str, number: int) -> str:
    """Opens the links of its own visits, one after the other; returns the last token."""
    caller = Caller(port, site, source)
    token = caller.visit()["tokens"]["copy"]
    for _ in range(number):
        came = caller.visit(token=token)
        assert came["returned"]["valid"], came
        token = came["tokens"]["copy"]
    return str(token)


def api(server: AttackedServer, path: str, method: str = "GET", body: object = None) -> RawResponse:
    """Asks the API as the owner."""
    return server.ask(method, path, body, {"Authorization": f"Bearer {server.sites[0].key}"})


def read_everything(server: AttackedServer) -> Iterator[tuple[str, bytes]]:
    """Reads every page and list as the owner; each is small."""
    for path in PAGES:
        yield path, check(path, server.dashboard(path), LARGEST_PAGE)
    for path in LISTS:
        yield path, check(path, api(server, path))


def check(path: str, answer: RawResponse, largest: int = LARGEST_LIST) -> bytes:
    """Returns the body of an answer that is good and small."""
    assert answer.status == 200, (path, answer)
    assert len(answer.body) < largest, (path, len(answer.body))
    return answer.body


def change(attacked: AttackedInstallation, *statements: str) -> None:
    """Writes straight into the database of an installation that is not served."""
    with closing(sqlite3.connect(attacked.database)) as database, database:
        for statement in statements:
            database.execute(statement)


def today() -> int:
    """The number of this day."""
    return ids.day_at(time.time_ns() // 1_000_000)


OLD_GOALS: Final = 10_000
OLD_CURRENCIES: Final = 1_000


@pytest.mark.parametrize("number", [20_000, pytest.param(150_000, marks=pytest.mark.slow)])
def test_goals_and_currencies_from_before_the_bounds(
    attacked: AttackedInstallation, attackers: Executor, number: int
) -> None:
    with attacked.attacked(**NO_RATES) as server:
        attackers.submit(invent_goals, server.port, server.sites[0].site, HONEST, 1).result()
    kth = f"(k + k / {OLD_GOALS} * 7)"  # so that each goal has several currencies
    change(
        attacked,
        f"WITH RECURSIVE k (k) AS (SELECT 0 UNION ALL SELECT k + 1 FROM k WHERE k < {number - 1}) "
        "INSERT INTO conversions (site_id, visit_id, cell, goal, event_key, external_id, at, value, currency) "
        f"SELECT c.site_id, c.visit_id, c.cell, 'old goal number ' || (k % {OLD_GOALS}), k + 1, NULL, c.at, 1000000, "
        f"char(65 + {kth} / 100 % 10, 65 + {kth} / 10 % 10, 65 + {kth} % 10) "
        "FROM k, (SELECT * FROM conversions LIMIT 1) AS c",
    )
    with attacked.attacked(**NO_RATES) as server, server.harmless("/conversions"):
        found = dict(read_everything(server))
    html = found["/conversions"].decode()
    assert html.count("old goal number") <= 200
    assert f"of {OLD_GOALS + 1:,} kinds".replace(",", "\N{NARROW NO-BREAK SPACE}") in html
    assert "all others" in html
    summary = json.loads(found["/v1/stats/summary"])
    assert summary["conversions"] == number + 1
    assert len(summary["value"]) <= 200
    with closing(sqlite3.connect(attacked.database)) as database:
        ((currencies,),) = database.execute("SELECT count(DISTINCT currency) FROM conversions").fetchall()
    assert currencies == OLD_CURRENCIES + 1


@pytest.mark.parametrize("number", [160, pytest.param(5_900, marks=pytest.mark.slow)])
def test_invented_goals_and_currencies(attacked: AttackedInstallation, attackers: Executor, number: int) -> None:
    with attacked.attacked(**NO_RATES) as server:
        site = server.sites[0].site
        with server.harmless("/conversions"):
            floods = [
                attackers.submit(invent_goals, server.port, site, source, number) for source in (FLOOD, "127.0.0.67")
            ]
            sent = sum((flood.result() for flood in floods), Counter())
            honest = attackers.submit(invent_goals, server.port, site, HONEST, 1).result()
            found = dict(read_everything(server))
    real = sum(
        ("".join(letters) in CURRENCIES)
        for letters, _ in zip(product(ascii_uppercase, repeat=3), range(number), strict=False)
    )
    assert sent == Counter({200: 2 * (number + real), 422: 2 * (number - real)})
    assert honest[200] == 1
    with closing(sqlite3.connect(attacked.database)) as database:
        goals = [goal for (goal,) in database.execute("SELECT DISTINCT goal FROM conversions")]
        currencies = {currency for (currency,) in database.execute("SELECT DISTINCT currency FROM conversions")}
    assert len(goals) <= 101
    assert f"g{HONEST}-0" in goals
    assert currencies <= CURRENCIES
    summary = json.loads(found["/v1/stats/summary"])
    assert summary["bound_hits"]["goals"] > 0
    assert b"Beyond a bound" in found["/"]


@pytest.mark.parametrize("number", [600, pytest.param(20_000, marks=pytest.mark.slow)])
def test_invented_pages_and_apps(attacked: AttackedInstallation, attackers: Executor, number: int) -> None:
    with attacked.attacked(**NO_RATES) as server:
        server.visit()
    day, before = today(), max(0, 9_900 - number // 4)
    change(
        attacked,
        f"WITH RECURSIVE k (k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM k WHERE k < {before}) "
        "INSERT INTO pages (site_id, page_id, cell, day, url, title) "
        f"SELECT p.site_id, k, k % 4096, {day}, '{ORIGIN}/before/' || k, NULL FROM k, "
        "(SELECT site_id FROM pages LIMIT 1) AS p",
    )
    article = f"{ORIGIN}/brand-new-article"
    with attacked.attacked(**NO_RATES) as server:
        site = server.sites[0].site
        with server.harmless():
            sources = [FLOOD, *(f"127.0.1.{last}" for last in range(1, 4))]
            floods = [attackers.submit(invent_pages, server.port, site, source, number // 4) for source in sources]
            for flood in floods:
                flood.result()
            with Caller(server.port, site, HONEST) as honest:
                came = honest.visit("/brand-new-article")
                token = came["tokens"]["copy"]
                assert honest.call("shares", token=token, session=came["session"], url=article)[0] == 200
            found = dict(read_everything(server))
            resolved = json.loads(api(server, f"/v1/tokens/{token}").body)
            link = server.ask("GET", f"/s/{token}")
    assert resolved["share"]["url"] == article
    assert (link.status, link.headers["location"].partition("#")[0]) == (302, article)
    summary = json.loads(found["/v1/stats/summary"])
    assert summary["bound_hits"]["apps"] > 0
    assert summary["bound_hits"]["pages"] > 0
    assert b"Beyond a bound" in found["/"]
    with closing(sqlite3.connect(attacked.database)) as database:
        ((pages,),) = database.execute("SELECT count(*) FROM pages").fetchall()
        apps = [app for (app,) in database.execute("SELECT DISTINCT app FROM visits WHERE app IS NOT NULL")]
    assert pages <= 10_001
    assert len(apps) <= 201
    assert max(map(len, apps)) <= 100


@pytest.mark.parametrize("number", [1_050, pytest.param(3_000, marks=pytest.mark.slow)])
def test_answers_without_end(attacked: AttackedInstallation, attackers: Executor, number: int) -> None:
    with attacked.attacked(**NO_RATES) as server:
        site = server.sites[0].site
        with server.harmless():
            sent = attackers.submit(invent_answers, server.port, site, FLOOD, number).result()
            honest = attackers.submit(invent_answers, server.port, site, HONEST, 1).result()
            dict(read_everything(server))
    assert sent == Counter({200: 1_000, 429: number - 1_000})
    assert honest == Counter({200: 1})


@pytest.mark.parametrize("number", [260, pytest.param(5_000, marks=pytest.mark.slow)])
def test_self_made_generations(attacked: AttackedInstallation, attackers: Executor, number: int) -> None:
    with attacked.attacked(**NO_RATES) as server:
        site = server.sites[0].site
        with server.harmless("/cascades"):
            token = attackers.submit(invent_generations, server.port, site, FLOOD, number).result()
            found = dict(read_everything(server))
            one = json.loads(check("token", api(server, f"/v1/tokens/{token}")))
            cascade = check("cascade", server.dashboard(f"/cascades/{one['chain'][0]['visit']}"), LARGEST_PAGE)
            check("look-up", server.dashboard(f"/tokens?token={token}"), LARGEST_PAGE)
            many = api(server, "/v1/tokens/resolve", "POST", {"tokens": [token] * 1_000})
            whole = api(server, f"/v1/cascades/{one['chain'][0]['visit']}")
    assert (one["share"]["depth"], len(one["chain"]), one["omitted"]) == (number, MOST_CHAIN, number + 1 - MOST_CHAIN)
    assert [node["depth"] for node in one["chain"]] == [0, *range(number - MOST_CHAIN + 2, number + 1)]
    assert many.status == 200
    assert len(json.loads(many.body)["results"]) == 1_000
    assert len(json.loads(whole.body)["nodes"]) == number + 1
    assert b"63+" in cascade
    by_depth = json.loads(found["/v1/stats/breakdown?by=depth&limit=1000"])
    assert {row["key"] for row in by_depth} == {*range(63), "63+"}
    with closing(sqlite3.connect(attacked.database)) as database:
        ((rows,),) = database.execute("SELECT count(DISTINCT depth) FROM counts_hour").fetchall()
    assert rows == 64
