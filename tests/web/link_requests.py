"""Requests about minted links, from the making of some to the deletion of most, asked of two servers."""

from __future__ import annotations

import asyncio
import random
from collections import Counter, defaultdict
from itertools import count
from typing import Any, Final

import msgspec
import pytest

from grapevine.collect.api import CollectApi
from grapevine.domain import ids
from grapevine.domain.periods import rfc3339
from grapevine.store.rows import SiteRow
from tests.support.in_process_server import Server
from tests.support.user_agents import CHROME
from tests.web.backend_pair import LIVELY, Pair
from tests.web.read_requests import ReadClient, sign_in
from tests.web.traffic import PATHS, PREVIEWERS, Author, Person

SEEN_OF_LINKS: Final = {
    "POST /v1/links 201", "POST /v1/links 403", "POST /v1/links 422", "POST /v1/links/rewrite 200",
    "GET /v1/links 200", "GET /v1/links 422", "GET /v1/links/… 200", "GET /v1/links/… 404", "GET /v1/links/… 422",
    "GET /v1/links/summary 200", "DELETE /v1/links 200", "DELETE /v1/links/… 204", "DELETE /v1/links/… 404",
    "GET /go/… 302", "GET /go/… 404", "GET /go/… 410", "GET /links 200", "GET /links/… 200",
}  # fmt: skip
_JSON: Final = ("Content-Type", "application/json")
_DEADLINE_S: Final = 60


class Clicks:
    """How many clicks each server has taken, and how many of them it is done with: no call waits for those."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._open: Counter[int] = Counter()
        self._all_done = defaultdict[int, asyncio.Event](asyncio.Event)
        take, finish = CollectApi.click, CollectApi._clicked  # noqa: SLF001

        def click(api: CollectApi, *taken: Any) -> None:
            self._open[id(api)] += 1
            self._all_done[id(api)].clear()
            take(api, *taken)

        def clicked(api: CollectApi, *outcome: Any) -> None:
            finish(api, *outcome)
            self._open[id(api)] -= 1
            if not self._open[id(api)]:
                self._all_done[id(api)].set()

        monkeypatch.setattr(CollectApi, "click", click)
        monkeypatch.setattr(CollectApi, "_clicked", clicked)

    async def stored(self, server: Server) -> None:
        """Waits until a server is done with all of them."""
        if self._open[id(server.state.collect_api)]:
            async with asyncio.timeout(_DEADLINE_S):
                await self._all_done[id(server.state.collect_api)].wait()


async def mint_links(pair: Pair, author: Author, chance: random.Random, clicks: Clicks) -> None:
    """Owners make links, people follow them and share further, owners read what they brought and delete most."""
    numbers = count(1)
    for site in LIVELY[:2]:
        links = await _make(pair, site, chance, numbers)
        await _follow(pair, site, links, chance, numbers)
        await pair.on_both(clicks.stored)
        await _read(pair, site, links)
        await _delete(pair, site, links)
    author.at = pair.one.clock.now


async def _make(pair: Pair, site: SiteRow, chance: random.Random, numbers: Any) -> list[Any]:
    writer, owner = ReadClient(f"write-{site.site_id}"), ReadClient(f"admin-{site.site_id}")

    async def make(asker: ReadClient, body: Any, once: str | None = None) -> Any:
        key = once or f"links {next(numbers)}"  # without it ids are drawn, and each of the two draws its own
        call = asker.post("/v1/links", msgspec.json.encode(body), _JSON, ("Idempotency-Key", key))
        return (await pair.ask(call)).json

    def link(**fields: Any) -> dict[str, Any]:
        return {"url": site.origins[0] + chance.choice(PATHS)} | fields

    many = [
        link(external_id=f"contact {n % 5}", campaign="May" if n % 3 else "Ünder", label=f"label {n}", channel="email")
        for n in range(12)
    ]
    made = [await make(writer, link(places=["door", "table-1"], campaign="May"))]
    made += (await make(writer, {"links": many}, f"mailing {site.key}"))["links"]
    assert (await make(writer, {"links": many}, f"mailing {site.key}"))["links"] == made[1:]
    await make(writer, {"links": many[1:]}, f"mailing {site.key}")
    made.append(await make(owner, link(word=f"spring {site.key}".replace(" ", "-"), keep=True, external_id="kept")))
    soon = rfc3339(pair.one.clock.now + 1)
    made.append(await make(owner, link(word=f"brief {site.key}".replace(" ", "-"), expires_at=soon)))
    for asker, fields in (
        (writer, {"word": "autumn"}), (owner, {"word": "spring-site-a"}), (owner, {"word": "admin"}),
        (owner, {"label": ""}), (owner, {"url": "https://elsewhere.example/"}), (owner, {"expires_at": "2001-01-01"}),
    ):  # fmt: skip
        await make(asker, link(**fields))
    html = f'<p><a href="{site.origins[0]}/a">a</a> <a href="https://elsewhere.example/">b</a>'.encode()
    body = msgspec.json.encode({"html": html.decode(), "label": "Letter", "external_id": "contact 1"})
    await pair.ask(writer.post("/v1/links/rewrite", body, _JSON, ("Idempotency-Key", f"letter {site.key}")))
    return made


async def _follow(pair: Pair, site: SiteRow, links: list[Any], chance: random.Random, numbers: Any) -> None:
    """Three generations come through half of the links, and some only click."""
    for server in (pair.one, pair.other):
        server.clock.now += ids.HOUR_MS
    people = [Person(f"192.0.2.{n}", CHROME, "en", None) for n in range(1, 250)]
    robot = people[0]._replace(agent=PREVIEWERS[0])
    for link in links:
        token, code = link["token"], link["qr_url"].rpartition("/s/")[2].partition("/")[0]
        for path in (f"/s/{token}", f"/s/{token}?at=door", f"/s/{code}?at=table-1", f"/s/{code}", f"/s/{token}?at=x"):
            await pair.ask(chance.choice(people).get(path))
        await pair.ask(robot.get(f"/s/{token}"))
        for picture in ("qr.svg", "qr.png"):
            await pair.ask(people[0].get(f"/s/{token}/{picture}"))
        await pair.ask(people[0].get(f"/about/{token}"))
    for picture in ("qr.svg", "qr.png"):
        await pair.ask(people[0].get(f"/go/spring-{site.key}/{picture}"))
    for word in (f"spring-{site.key}", f"Sprlng-{site.key}.", f"brief-{site.key}", "no-such-word"):
        await pair.ask(people[0].get(f"/go/{word}"))
    writer = ReadClient(f"write-{site.site_id}")
    for link in links[::2]:
        tokens = [link["token"], *(place["token"] for place in link["places"])]
        number, answer = 0, dict[str, Any]()
        for generation in range(3):
            person, number = chance.choice(people), next(numbers)
            visit = {"site": site.key, "url": link["page"], "nonce": f"{number:020}", "channels": ["copy", "whatsapp"]}
            call = person.call("/v1/visits", visit | {"token": chance.choice(tokens)}, site.origins[0])
            answer = (await pair.ask(call)).json
            assert answer["returned"]["depth"] == generation + 1
            tokens = [*answer["tokens"].values()]
        of_deal = 200 if link["external_id"] else 422
        for status, fields in (
            (200, {"value": "9.5", "id": f"order {number}", "visit": answer["visit"]}),
            (of_deal, {"value": "20", "id": f"deal {number}", "external_id": link["external_id"] or "a stranger"}),
            (200, {"value": "-2.5", "id": f"order {number} refund", "refund_of": f"order {number}"}),
            (of_deal, {"value": "-0.5", "id": f"deal {number} refund", "refund_of": f"deal {number}"}),
            (422, {"value": "-7.5", "id": f"order {number} too much", "refund_of": f"order {number}"}),
        ):
            sold = msgspec.json.encode({"goal": "order", "currency": "EUR"} | fields)
            assert (await pair.ask(writer.post("/v1/conversions", sold, _JSON))).status == status, fields


async def _read(pair: Pair, site: SiteRow, links: list[Any]) -> None:
    reader = ReadClient(f"secret-{site.site_id}")
    for names in (
        {}, {"campaign": "May"}, {"campaign": "Ünder", "external_id": "contact 0"}, {"label": "label 3"},
        {"campaign": "nobody's"}, {"limit": 1_000}, {"limit": 0},
    ):  # fmt: skip
        await pair.ask(reader.get("/v1/links", **names))
    first = (await pair.ask(reader.get("/v1/links", limit=5))).json
    await pair.ask(reader.get("/v1/links", limit=5, cursor=first["next"]))
    await pair.ask(reader.get("/v1/links", limit=5, cursor=first["next"], campaign="May"))
    for name in (*(link["token"] for link in links), links[0]["visit"], links[0]["places"][1]["token"], "0" * 23):
        await pair.ask(reader.get(f"/v1/links/{name}"))
    for campaign in ("May", "Ünder", "nobody's"):
        await pair.ask(reader.get("/v1/links/summary", campaign=campaign))
    await pair.ask(reader.get(f"/v1/tokens/{links[0]['token']}"))
    await pair.ask(reader.get(f"/v1/cascades/{links[0]['visit']}"))
    for table in ("links", "shares", "conversions"):
        await pair.ask_in_any_order(reader.get(f"/v1/export/{table}"))
    answer = await pair.ask(sign_in(f"secret-{site.site_id}"))
    viewer = ReadClient(cookie=dict(answer.headers)["set-cookie"].partition(";")[0])
    await pair.ask(viewer.get("/links"))
    await pair.ask(viewer.get("/links", campaign="May"))
    await pair.ask(viewer.get(f"/links/{links[0]['token']}"))


async def _delete(pair: Pair, site: SiteRow, links: list[Any]) -> None:
    """Leaves a link with a word, one with clicks, and those of one campaign."""
    owner = ReadClient(f"admin-{site.site_id}")
    for token in (links[2]["token"], links[2]["token"], links[-1]["token"]):
        await pair.ask(owner.post(f"/v1/links/{token}", b"", method="DELETE"))
    await pair.ask(owner.post("/v1/links?external_id=contact%201", b"", method="DELETE"))
    await pair.ask(ReadClient(f"secret-{site.site_id}").get(f"/v1/links/{links[2]['token']}"))
    await pair.ask(owner.get("/go/no-such-word"))
