"""Every route × every kind of key and session × every way to name a site: no byte of another site comes out.

The routes are those of the server, so a new one is walked by itself; one whose parameters nobody knows fails here.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from itertools import count
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from starlette.routing import Route

from grapevine.domain import ids
from grapevine.exports import TABLES
from grapevine.web import operations
from grapevine.web.routes import API, COLLECT, DASHBOARD, HEALTH, SHORT_LINKS, routes
from tests.attack.test_scopes import is_endless
from tests.support.attacked_server import AttackedInstallation, AttackedServer, AttackedSite
from tests.support.raw_connection import RawResponse

SECRET: Final = "neighbours-secret"
"""Stands in everything that the neighbour's visitors and owner say."""

CAMPAIGN: Final = "winter"
"""What the neighbour's link is called that somebody guessed."""

PUBLIC: Final = [*COLLECT, *SHORT_LINKS, *HEALTH]
"""Routes that read no key: what they say of a site is public, or is said to who holds one of its tokens."""

WALKED: Final = [
    *(
        (call.path, {"GET", "HEAD"} if call.method == "GET" else {call.method})
        for call in operations.KEYED
        if not is_endless(call)
    ),
    *((route.path, set(route.methods or ())) for route in DASHBOARD if isinstance(route, Route)),
]
"""Paths of calls with a key, and of pages, with their methods."""

SCOPES: Final = ("read", "write", "admin")


class Neighbour(NamedTuple):
    """What a stranger could know of the other site's rows, as the parameters of a path name them."""

    visit: str
    token: str
    link: str
    webhook: str
    delivery: str
    key: str
    site: str
    feed: str = "feed_neighbours"

    def path(self, pattern: str) -> Iterator[str]:
        """Yields the paths of a route. Raises KeyError for a parameter that nobody knows: add it here."""
        known = {"token": self.token, "root": self.visit, "delivery": self.delivery, "name": "x", "site": self.site}
        # Those of other sites by their own ids: tests/web/api/test_receipts.py.
        known |= {"conversion": "0" * 11, "receipt": "0" * 32}
        known["id"] = {"/keys/": self.key, "/feeds": self.feed}.get(pattern.partition("{")[0][3:9], self.webhook)
        known["token"] = self.link if "/links/" in pattern else self.token
        for table in TABLES if "{table}" in pattern else [""]:
            yield pattern.format_map(known | {"table": table})

    def bodies(self, path: str) -> list[dict[str, Any]]:
        """Returns what to post to a path, each about the other site's rows."""
        known: dict[str, list[dict[str, Any]]] = {
            "/v1/tokens/resolve": [{"tokens": [self.token]}],
            "/v1/unfurls": [{"unfurls": [{"token": self.token, "agent": "Slackbot-LinkExpanding 1.0"}]}],
            "/v1/links": [
                {"url": "https://b.example/stolen", "campaign": CAMPAIGN},
                {"links": [{"url": "https://b.example/stolen", "external_id": CAMPAIGN}]},
            ],
            "/v1/links/rewrite": [{"html": "<a href='https://b.example/'>", "external_id": CAMPAIGN}],
            "/v1/sites": [{"name": "mine", "origins": ["https://mine.example"]}],
            f"/v1/sites/{self.site}": [{"name": "stolen", "origins": ["https://stolen.example"]}],
            "/v1/keys": [
                {"scope": "admin", "sites": [self.site]},
                {"scope": "read", "every_site": True},
            ],
            f"/v1/keys/{self.key}": [{"scope": "read", "name": "stolen"}],
            "/v1/feeds": [{"url": f"https://feeds.example/{SECRET}"[:-1], "name": "mine"}],
            f"/v1/feeds/{self.feed}": [{"name": "stolen"}],
            "/tokens/erase": [{"visit": self.visit, "sure": "yes"}],
            "/v1/conversions": [
                {"visit": self.visit, "goal": "stolen", "id": "1"},
                {"token": self.token, "goal": "stolen", "id": "2"},
            ],
        }
        return known.get(path, [{}, {"url": "https://127.0.0.1/", "events": ["share.proven"]}, {"enabled": False}])


class Credential(NamedTuple):
    """Headers by which a request says who it is, and whether they are good for the first site."""

    name: str
    headers: dict[str, str]


def test_no_answer_holds_a_byte_of_another_site(attacked: AttackedInstallation) -> None:
    own, other = attacked.sites
    with attacked.attacked() as server:
        visit, token = lively(server, other)
        link = linked(server, other)
    neighbour, keys = plant(attacked, visit, token, link)
    with attacked.attacked(GRAPEVINE_RATE_LIMIT="0") as server:
        before = dump(server, other)
        assert SECRET in before
        cookie = server.dashboard().status == 200 and server._cookie  # noqa: SLF001
        credentials = [
            Credential("none", {}),
            Credential("unknown", {"Authorization": "Bearer gv_unknown"}),
            *(Credential(name, {"Authorization": f"Bearer {secret}"}) for name, secret in keys.items()),
            Credential("admin", {"Authorization": f"Bearer {own.key}"}),
            Credential("session", {"Cookie": str(cookie)}),
        ]
        statuses = walk(server, neighbour, credentials)
        assert dump(server, other) == before
    seen = {name: {status for (each, status) in statuses if each == name} for name in {one for one, _ in statuses}}
    refused = {200, 303, 401, 404, 422, 429}  # 200 is the sign-in page, 422 a conversion as a page reports it
    assert seen["none"] <= refused
    assert seen["unknown"] <= refused
    assert seen["revoked"] <= seen["unknown"]
    assert {200, 403} <= seen["read"]
    assert {200, 403, 404} <= seen["admin"]
    assert {200, 403, 404, 422} <= seen["session"]
    assert not any(status >= 500 for _, status in statuses)


def test_every_route_is_walked_or_public() -> None:
    assert {(route.path, *sorted(route.methods or ())) for route in routes("") if isinstance(route, Route)} == {
        (route.path, *sorted(route.methods or ())) for route in [*PUBLIC, *API, *DASHBOARD] if isinstance(route, Route)
    }


def walk(server: AttackedServer, neighbour: Neighbour, credentials: list[Credential]) -> Counter[tuple[str, int]]:
    """Asks every route in every way; returns how often who got which status."""
    own, other = (quote(site.site) for site in server.sites)
    queries = ("", f"site={other}", f"site={own}", f"site={own}&site={other}", f"site={other}&site={own}")
    sources = count(10)
    statuses: Counter[tuple[str, int]] = Counter()
    for pattern, methods in WALKED:
        for path in neighbour.path(pattern):
            for method in sorted(methods):
                bodies = neighbour.bodies(path) if method in {"POST", "PATCH"} else [None]
                if method == "POST" and path.startswith("/sign-"):
                    continue  # they read no site, and would end the session used here
                for credential in credentials:
                    for query in (*queries, *extra(path, neighbour)):
                        for body in bodies:
                            asked = f"{path}?{query}" if query else path
                            source = f"127.1.{next(sources) // 200}.7"
                            answer = server.ask(
                                method, asked, body, {"Origin": host(server), **credential.headers}, source
                            )
                            check(answer, f"{credential.name}: {method} {asked} {body}")
                            statuses[credential.name, answer.status] += 1
    return statuses


def extra(path: str, neighbour: Neighbour) -> list[str]:
    """Queries by which a route reads more than the site."""
    return {
        "/tokens": [f"token={neighbour.token}"],
        "/v1/links": [f"campaign={CAMPAIGN}", f"external_id={CAMPAIGN}"],
        "/v1/links/summary": [f"campaign={CAMPAIGN}"],
        "/links": [f"campaign={CAMPAIGN}"],
        "/v1/stats/summary": [f"page={quote(f'https://b.example/{SECRET}')}"],
        "/v1/cascades": ["sort=value", "sort=recent"],
        f"/v1/sites/{neighbour.site}": ["confirm=Neighbour"],
        "/v1/mentions": [f"page={quote(f'https://b.example/{SECRET}')}", "kind=feed"],
        "/mentions": ["kind=feed"],
    }.get(path, [])


def host(server: AttackedServer) -> str:
    """The server's own origin, as its dashboard's forms send it."""
    return f"http://127.0.0.1:{server.port}"


def check(answer: RawResponse, asked: str) -> None:
    """Fails where something of the neighbour's stands in an answer or its headers."""
    assert SECRET not in answer.body.decode("utf-8", "replace"), asked
    assert SECRET not in json.dumps(dict(answer.headers)), asked


def lively(server: AttackedServer, site: AttackedSite) -> tuple[str, str]:
    """Fills a site with one row of each kind; returns a visit that shared, and the token of its share."""
    headers = {"Origin": site.origin}

    def post(call: str, **fields: Any) -> dict[str, Any]:
        answer = server.ask("POST", f"/v1/{call}", {"site": site.site, **fields}, headers)
        assert answer.status == 200, answer
        found: dict[str, Any] = json.loads(answer.body)
        return found

    url = f"{site.origin}/{SECRET}"
    first = post(
        "visits", url=url, title=SECRET, nonce="1" * 16, channels=["copy"], referrer="android-app://org.signal"
    )
    token = first["tokens"]["copy"]
    post("shares", session=first["session"], token=token, url=url, title=SECRET)
    server.ask("GET", f"/s/{token}", headers={"User-Agent": "Slackbot-LinkExpanding 1.0"})
    back = post("visits", url=url, nonce="2" * 16, token=token)
    post("views", session=back["session"], url=url, nonce="3" * 16)
    post("conversions", session=back["session"], goal=SECRET, id=SECRET, value="49.00", currency="EUR", nonce="4" * 16)
    post("answers", session=back["session"], text=SECRET, contact=SECRET, nonce="5" * 16)
    return first["visit"], token


def linked(server: AttackedServer, site: AttackedSite) -> str:
    """Makes a link of the site, which a visit comes through; returns its token."""
    fields = {"url": f"{site.origin}/{SECRET}", "label": SECRET, "external_id": CAMPAIGN, "campaign": CAMPAIGN}
    answer = server.ask("POST", "/v1/links", fields, {"Authorization": f"Bearer {site.key}"})
    assert answer.status == 201, answer
    token: str = json.loads(answer.body)["token"]
    visit = {"site": site.site, "url": f"{site.origin}/{SECRET}", "nonce": "6" * 16, "token": token}
    assert server.ask("POST", "/v1/visits", visit, {"Origin": site.origin}).status == 200
    return token


def plant(attacked: AttackedInstallation, visit: str, token: str, link: str) -> tuple[Neighbour, dict[str, str]]:
    """Adds the neighbour's webhook, delivery, spike, feed and mentions, and keys of the first site, one of them
    revoked."""
    keys = {scope: f"gv_{scope}" for scope in ("read", "write", "revoked")}
    with sqlite3.connect(attacked.database) as database:
        numbers = dict(database.execute("SELECT key, site_id FROM sites"))
        own, other = (numbers[site.site] for site in attacked.sites)
        now, day = next(database.execute("SELECT max(at), max(at) / 86400000 - 18262 FROM visits"))
        assert day == ids.day_at(now)
        insert(
            database, "webhooks", webhook_id="hook", site_id=other, url=f"https://hooks.example/{SECRET}",
            secret=SECRET, events="share.proven", created_at=now, disabled_at=now, reason=SECRET,
        )  # fmt: skip
        insert(
            database, "deliveries", delivery_id="delivery", webhook_id="hook", site_id=other, event="share.proven",
            payload=json.dumps({"type": SECRET}), created_at=now, attempts=1, failed_at=now, error=SECRET,
        )  # fmt: skip
        (page,) = next(database.execute("SELECT page_id FROM visits WHERE site_id = ?", (other,)))
        insert(
            database, "spikes", site_id=other, page_id=page, started_at=now, last_at=now, returns=90, expected=1.0,
            peak=90,
        )  # fmt: skip
        insert(
            database, "feeds", feed_id="feed_neighbours", site_id=other, url=f"https://feeds.example/{SECRET}",
            name=SECRET, created_at=now, checked_at=now, next_at=1 << 52, failures=1, error=SECRET, etag=SECRET,
        )  # fmt: skip
        insert(
            database, "webmentions", webmention_id="webmention", site_id=other, received_at=now, attempts=0, checks=1,
            target_url=f"https://b.example/{SECRET}", source_url=f"https://blog.example/{SECRET}",
            source_host="blog.example", next_at=1 << 52,
        )  # fmt: skip
        for kind in (1, 2):
            insert(
                database, "mentions", site_id=other, page_id=page, cell=ids.hashed_cell(page), mention_key=kind,
                kind=kind, feed_id="feed_neighbours", source_url=f"https://blog.example/{SECRET}", title=SECRET,
                author=SECRET, at=now,
            )  # fmt: skip
        insert(
            database, "api_keys", key_id="neighbours-key", site_id=other, name=SECRET, created_at=now, scope="admin",
            hash=hashlib.sha256(b"gv_neighbour").hexdigest(),
        )  # fmt: skip
        for name, secret in keys.items():
            insert(
                database, "api_keys", key_id=name, site_id=own, name=name, created_at=now,
                scope=name if name in SCOPES else "admin", hash=hashlib.sha256(secret.encode()).hexdigest(),
                revoked_at=None if name in SCOPES else now,
            )  # fmt: skip
    database.close()
    return Neighbour(visit, token, link, "hook", "delivery", "neighbours-key", attacked.sites[1].site), keys


def insert(database: sqlite3.Connection, table: str, **values: object) -> None:
    """Inserts one row."""
    names, marks = ", ".join(values), ", ".join("?" * len(values))
    database.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(values.values()))


def dump(server: AttackedServer, site: AttackedSite) -> str:
    """Everything that its owner reads of a site."""
    headers = {"Authorization": f"Bearer {site.key}"}
    paths = [
        *(f"/v1/export/{table}" for table in TABLES),
        "/v1/webhooks",
        "/v1/spikes",
        "/v1/mentions",
        "/v1/feeds",
        "/v1/stats/summary",
        "/v1/sites",
    ]
    answers = [server.ask("GET", path, headers=headers) for path in paths]
    assert [answer.status for answer in answers] == [200] * len(paths)
    return "\n".join(answer.body.decode() for answer in answers)
