"""The read API over HTTP: keys, parameters, statuses, and the main job from first visit to chain."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from grapevine.errors import StoreError
from grapevine.sites.api_keys import hash_secret
from grapevine.store.readers.cascades import CascadeReader
from grapevine.store.rows import KeyRow
from tests.support.in_process_server import NOON, ORIGIN, Server

pytestmark = pytest.mark.anyio

CALLS = (
    "/v1/tokens/0",
    "/v1/stats/summary",
    "/v1/stats/series?metric=visits",
    "/v1/stats/breakdown?by=page",
    "/v1/cascades",
    "/v1/cascades/0",
)


class KeyClient:
    """A client with an API key."""

    def __init__(self, server: Server, secret: str) -> None:
        self.http = server.browser(Authorization=f"Bearer {secret}")

    async def get(self, path: str, **params: Any) -> httpx.Response:
        return await self.http.get(path, params=params or None)

    async def json(self, path: str, **params: Any) -> Any:
        response = await self.get(path, **params)
        assert response.status_code == 200, response.text
        assert response.headers["content-type"] == "application/json"
        assert response.headers["cache-control"] == "private, no-cache"
        return response.json()


async def with_key(
    server: Server, secret: str, site_id: int = 1, scope: str = "read", sites: tuple[int, ...] = ()
) -> KeyClient:
    key = KeyRow(key_id=f"id-{secret}", site_id=site_id, name="test", scope=scope, created_at=NOON, sites=sites)
    await server.store.api_keys.add_key(key, hash_secret(secret))
    return KeyClient(server, secret)


@pytest.fixture
async def asker(server: Server) -> KeyClient:
    return await with_key(server, "reader")


def refused(response: httpx.Response) -> tuple[int, str, list[str]]:
    body = response.json()
    assert response.headers["content-type"] == "application/problem+json"
    assert {"type", "title", "status", "detail", "code"} <= set(body)
    return response.status_code, body["code"], [error["field"] for error in body.get("errors", [])]


async def three_people(server: Server) -> tuple[Any, Any, Any]:
    first = await server.visit()
    await server.share(first["tokens"]["copy"], url=f"{ORIGIN}/shared")
    friend = await server.visit(server.browser("192.0.2.2"), token=first["tokens"]["copy"], url=f"{ORIGIN}/shared")
    third = await server.visit(server.browser("192.0.2.3"), token=friend["tokens"]["whatsapp"])
    return first, friend, third


async def test_a_chain_of_three_stands_in_the_api(server: Server, asker: KeyClient) -> None:
    first, friend, third = await three_people(server)
    answer = await asker.json(f"/v1/tokens/{friend['tokens']['whatsapp']}")
    assert answer["share"] == {
        "visit": friend["visit"], "channel": "whatsapp", "n": 0, "url": f"{ORIGIN}/shared", "at": answer["share"]["at"],
        "depth": 1, "reported": False, "proven": True, "returns": 1, "self_returns": 0, "networks": 1,
        "unfurls": {}, "reported_by": None,
    }  # fmt: skip
    assert [(node["visit"], node["depth"], node["source"]) for node in answer["chain"]] == [
        (first["visit"], 0, answer["chain"][0]["source"]),
        (friend["visit"], 1, "share"),
    ]
    assert answer["chain"][0]["via"] is None
    assert answer["chain"][1]["via"] == {"token": first["tokens"]["copy"], "channel": "copy", "n": 0}
    assert answer["reach"] == {"visits": 1, "shares": 0, "max_depth": 2, "conversions": 0, "value": {}}
    assert list(answer) == ["token", "share", "chain", "reach"]
    last = await asker.json(f"/v1/tokens/{third['tokens']['copy']}")
    assert [node["depth"] for node in last["chain"]] == [0, 1, 2]
    assert last["reach"]["max_depth"] == 2


async def test_the_cascade_of_three(server: Server, asker: KeyClient) -> None:
    first, friend, third = await three_people(server)
    listed = await asker.json("/v1/cascades")
    (head,) = listed["cascades"]
    assert listed["next"] is None
    assert list(head) == [
        "root", "url", "started_at", "last_at", "size", "max_depth", "breadth", "structural_virality", "shares",
        "conversions", "value", "networks", "link",
    ]  # fmt: skip
    assert (head["root"], head["size"], head["max_depth"], head["breadth"]) == (first["visit"], 3, 2, 1)
    assert head["structural_virality"] == pytest.approx(4 / 3)
    assert head["networks"] == 2
    tree = await asker.json(f"/v1/cascades/{first['visit']}")
    assert {name: tree[name] for name in head} == head
    assert [(node["visit"], node["parent"], node["via"]) for node in tree["nodes"]] == [
        (first["visit"], None, None),
        (friend["visit"], first["visit"], {"channel": "copy", "n": 0}),
        (third["visit"], friend["visit"], {"channel": "whatsapp", "n": 0}),
    ]
    assert list(tree["nodes"][0]) == [
        "visit", "parent", "via", "depth", "at", "url", "source", "device", "conversions",
    ]  # fmt: skip


async def test_numbers_of_three(server: Server, asker: KeyClient) -> None:
    await three_people(server)
    numbers = await asker.json("/v1/stats/summary")
    assert list(numbers) == [
        "views", "visits", "visitors", "returns", "self_returns", "shares", "dark_share", "return_share", "k_factor",
        "amplification", "same_network_returns", "unfurls", "conversions", "value", "drops", "suspects", "bound_hits",
        "conversions_by",
    ]  # fmt: skip
    assert (numbers["visits"], numbers["returns"], numbers["k_factor"]) == (3, 2, pytest.approx(2 / 3))
    assert numbers["shares"] == {"total": 2, "reported": 1, "proven": 2, "dark": 2, "public": 0}
    points = await asker.json("/v1/stats/series", metric="returns")
    assert (len(points), points[-1]["value"], sum(point["value"] for point in points)) == (30, 2, 2)
    rows = await asker.json("/v1/stats/breakdown", by="channel")
    assert {row["key"]: (row["returns"], row["proven"]) for row in rows} == {"copy": (1, 1), "whatsapp": (1, 1)}
    assert list(rows[0]) == ["key", "views", "visits", "returns", "shares", "proven", "conversions", "value"]


@pytest.mark.parametrize("call", CALLS)
async def test_no_key_no_answer(server: Server, call: str) -> None:
    for headers in (
        {},
        {"Authorization": "Bearer nobody"},
        {"Authorization": "Basic eA=="},
        {"Authorization": "Bearer "},
    ):
        response = await server.http.get(call, headers=headers)
        assert refused(response)[:2] == (401, "unauthorized")
        assert response.headers["www-authenticate"] == "Bearer"


async def test_a_revoked_key_is_unknown(server: Server, asker: KeyClient) -> None:
    await asker.json("/v1/stats/summary")
    assert await server.store.api_keys.revoke_key("id-reader", NOON)
    assert refused(await asker.get("/v1/stats/summary"))[0] == 401


@pytest.mark.parametrize("scope", ["read", "write", "admin"])
async def test_every_scope_may_read(server: Server, scope: str) -> None:
    await (await with_key(server, scope, scope=scope)).json("/v1/stats/summary")


@pytest.mark.parametrize("call", CALLS)
async def test_a_key_reaches_its_site_alone(server: Server, call: str) -> None:
    await server.add_site("site-b", "https://b.example")
    path, _, query = call.partition("?")
    params = dict([query.split("=")]) if query else {}
    own = await with_key(server, "own")
    every = await with_key(server, "every", site_id=0)
    for site in ("site-b", "nobody", ""):
        assert refused(await own.get(path, **params, site=site))[:2] == (403, "forbidden")
    assert refused(await every.get(path, **params)) == (422, "invalid", ["site"])
    assert refused(await every.get(path, **params, site="nobody"))[:2] == (404, "unknown-site")
    assert (await own.get(path, **params, site="site-a")).status_code not in (401, 403)
    assert (await every.get(path, **params, site="site-b")).status_code not in (401, 403)


async def test_sites_do_not_see_each_other(server: Server) -> None:
    first, _, _ = await three_people(server)
    await server.add_site("site-b", "https://b.example")
    every = await with_key(server, "every", site_id=0)
    assert (await every.json("/v1/stats/summary", site="site-b"))["visits"] == 0
    assert (await every.json("/v1/cascades", site="site-b"))["cascades"] == []
    token = first["tokens"]["copy"]
    assert refused(await every.get(f"/v1/tokens/{token}", site="site-b"))[:2] == (422, "bad-signature")
    assert refused(await every.get(f"/v1/cascades/{first['visit']}", site="site-b"))[:2] == (404, "unknown-visit")


async def test_each_bad_token_gets_its_code(server: Server, asker: KeyClient) -> None:
    visit = await server.visit()
    good = visit["tokens"]["copy"]
    strange = (await server.state.sites.all())[0].tokens.mint(5, (0,))[0]
    cases = {
        "short": (400, "not-a-token"),
        good[:-1] + "_": (400, "not-a-token"),
        good[:-1] + ("a" if good[-1] != "a" else "b"): (422, "bad-signature"),
        visit["session"]: (422, "bad-signature"),
        strange: (404, "unknown-visit"),
    }
    for text, expected in cases.items():
        assert refused(await asker.get(f"/v1/tokens/{text}"))[:2] == expected
    for tail in (".", ")", "%20", "%E2%80%9D", "&fbclid=x", "*"):  # as a person pastes it
        assert await asker.json(f"/v1/tokens/{good}{tail}") == await asker.json(f"/v1/tokens/{good}")
    response = await asker.http.post("/v1/tokens/resolve", json={"tokens": [*cases, good]})
    *bad, resolved = response.json()["results"]
    assert bad == [{"token": text, "error": code} for text, (_, code) in cases.items()]
    assert resolved == await asker.json(f"/v1/tokens/{good}")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", (400, "malformed", [])),
        (b"[]", (400, "malformed", [])),
        (b"\xff", (400, "malformed", [])),
        (b'{"tokens": ["\\ud800"]}', (422, "invalid", [""])),
        (b"[" * 5_000, (400, "malformed", [])),
        (b"{}", (422, "invalid", ["tokens"])),
        (b'{"tokens": "x"}', (422, "invalid", ["tokens"])),
        (b'{"tokens": [1]}', (422, "invalid", ["tokens[0]"])),
        (b'{"tokens": [], "more": 1}', (422, "invalid", ["more"])),
        (b'{"tokens": [' + b",".join([b'"x"'] * 1_001) + b"]}", (422, "invalid", ["tokens"])),
        (b" " * 65_537, (413, "too-large", [])),
    ],
)
async def test_bad_bodies_of_resolve(asker: KeyClient, body: bytes, expected: tuple[int, str, list[str]]) -> None:
    assert refused(await asker.http.post("/v1/tokens/resolve", content=body)) == expected


async def test_a_thousand_tokens_resolve_at_once(server: Server, asker: KeyClient) -> None:
    good = (await server.visit())["tokens"]["copy"]
    response = await asker.http.post("/v1/tokens/resolve", json={"tokens": [good] * 1_000})
    assert len(response.json()["results"]) == 1_000
    assert (await asker.http.post("/v1/tokens/resolve", json={"tokens": []})).json() == {"results": []}


@pytest.mark.parametrize(
    ("path", "params", "fields"),
    [
        ("/v1/stats/summary", {"form": "2026-01-01"}, ["form"]),
        ("/v1/stats/summary", {"a": "1", "b": "2"}, ["a", "b"]),
        ("/v1/stats/summary", {"from": ["2026-01-01", "2026-01-02"]}, ["from"]),
        ("/v1/stats/summary", {"from": "yesterday"}, ["from"]),
        ("/v1/stats/summary", {"from": "20260101"}, ["from"]),
        ("/v1/stats/summary", {"to": "2026-02-30"}, ["to"]),
        ("/v1/stats/summary", {"to": ""}, ["to"]),
        ("/v1/stats/summary", {"to": "0001-01-01"}, ["from", "to"]),
        ("/v1/stats/summary", {"from": "2026-01-02", "to": "2026-01-01"}, ["from"]),
        ("/v1/stats/summary", {"from": "2010-01-01", "to": "2026-01-01"}, ["from"]),
        ("/v1/stats/summary", {"channel": "moon", "source": "sun"}, ["channel", "source"]),
        ("/v1/stats/summary", {"device": ""}, ["device"]),
        ("/v1/stats/series", {}, ["metric"]),
        ("/v1/stats/series", {"metric": "moons"}, ["metric"]),
        ("/v1/stats/series", {"metric": "visits", "interval": "year"}, ["interval"]),
        (
            "/v1/stats/series",
            {"metric": "visits", "interval": "hour", "from": "2024-01-01", "to": "2026-01-01"},
            ["interval"],
        ),
        ("/v1/stats/series", {"metric": "value", "currency": "EURO"}, ["currency"]),
        ("/v1/stats/series", {"metric": "visits", "reason": "robot"}, ["reason"]),
        ("/v1/stats/series", {"metric": "drops", "reason": "mood", "verdict": "guilty"}, ["reason", "verdict"]),
        ("/v1/stats/series", {"metric": "unfurls", "preview": "a\0"}, ["preview"]),
        ("/v1/stats/series", {"metric": "bound_hits", "interval": "hour"}, ["interval"]),
        ("/v1/stats/summary", {"app": ""}, ["app"]),
        ("/v1/stats/summary", {"app": "\0"}, ["app"]),
        ("/v1/stats/summary", {"app": "x" * 257}, ["app"]),
        ("/v1/stats/breakdown", {"by": "page", "sort": "size"}, ["sort"]),
        ("/v1/stats/breakdown", {"by": "page", "cursor": "WyJ4IiwxLDJd"}, ["cursor"]),
        ("/v1/attribution", {"model": "first", "cursor": "\0"}, ["cursor"]),
        ("/v1/attribution", {"model": "first", "sort": "beauty"}, ["sort"]),
        ("/v1/spikes", {"cursor": "garbage"}, ["cursor"]),
        ("/v1/stats/breakdown", {}, ["by"]),
        ("/v1/stats/breakdown", {"by": "moon"}, ["by"]),
        ("/v1/stats/breakdown", {"by": "page", "limit": "0"}, ["limit"]),
        ("/v1/stats/breakdown", {"by": "page", "limit": "1001"}, ["limit"]),
        ("/v1/stats/breakdown", {"by": "page", "limit": "-1"}, ["limit"]),
        ("/v1/stats/breakdown", {"by": "page", "limit": "٣"}, ["limit"]),
        ("/v1/stats/breakdown", {"by": "page", "limit": "9" * 5_000}, ["limit"]),
        ("/v1/cascades", {"sort": "beauty"}, ["sort"]),
        ("/v1/cascades", {"limit": "201"}, ["limit"]),
        ("/v1/cascades", {"cursor": "garbage"}, ["cursor"]),
        ("/v1/cascades", {"page": "1"}, ["page"]),
        ("/v1/cascades/00000000000", {"depth": "1"}, ["depth"]),
        ("/v1/tokens/0", {"x": "1"}, ["x"]),
    ],
)
async def test_refusals_name_the_parameter(
    asker: KeyClient, path: str, params: dict[str, Any], fields: list[str]
) -> None:
    assert refused(await asker.get(path, **params)) == (422, "invalid", fields)


@pytest.mark.parametrize(
    ("path", "params", "fields", "says"),
    [
        (
            "summary",
            {"bogus": "1"},
            ["bogus"],
            "`bogus` is no parameter of this call. This call takes site, from, to, ",
        ),
        (
            "summary",
            {"bogus": "1", "to": "x"},
            ["bogus", "to"],
            "`bogus` is no parameter of this call; `to` must be a ",
        ),
        ("summary", {"from": ["x", "y"], "to": "x"}, ["from", "to"], "`from` must come once; `to` must be a date "),
        ("summary", {"from": "2026-11-30", "to": "2026-11-01"}, ["from"], "`from` must not be after `to`."),
        ("summary", {"to": "1999-01-01"}, ["from", "to"], "`from` must be a date from 2000-01-01 to 2198-12-31; `to` "),
        (
            "series",
            {"interval": "year"},
            ["metric", "interval"],
            "`metric` is needed; `interval` must be one of hour, ",
        ),
        ("breakdown", {"limit": "x", "from": "x"}, ["from", "by", "limit"], "`from` must be a date such as "),
    ],
)
async def test_the_sentence_of_a_refusal_says_what_is_wrong(
    asker: KeyClient, path: str, params: dict[str, Any], fields: list[str], says: str
) -> None:
    found = await asker.get(f"/v1/stats/{path}", **params)
    assert refused(found)[0] == 422
    assert sorted(refused(found)[2]) == sorted(fields)
    assert found.json()["detail"].startswith(says)


async def test_strange_filters_find_nothing(server: Server, asker: KeyClient) -> None:
    await server.visit()
    for page in ("", "\0", "é", "x" * 5_000, f"{ORIGIN}/nowhere"):
        assert (await asker.json("/v1/stats/summary", page=page))["visits"] == 0
    assert (await asker.json("/v1/stats/summary", page=f"{ORIGIN}/deep/page"))["visits"] == 1
    assert (await asker.json("/v1/stats/summary", page=f"{ORIGIN}/deep/page", device="desktop"))["visits"] == 1


async def test_the_days_asked_for(server: Server, asker: KeyClient) -> None:
    await server.visit()
    today = (await asker.json("/v1/stats/series", metric="visits"))[-1]["at"][:10]
    for params, visits in (({"from": today}, 1), ({"to": today}, 1), ({"to": "2026-01-01"}, 0)):
        assert (await asker.json("/v1/stats/summary", **params))["visits"] == visits
    assert len(await asker.json("/v1/stats/series", metric="visits", interval="hour", **{"from": today})) == 24


async def test_what_is_no_cascade(server: Server, asker: KeyClient) -> None:
    first, friend, _ = await three_people(server)
    assert refused(await asker.get("/v1/cascades/moon"))[:2] == (404, "not-found")
    assert refused(await asker.get("/v1/cascades/00000000000"))[:2] == (404, "unknown-visit")
    response = await asker.get(f"/v1/cascades/{friend['visit']}")
    assert refused(response)[:2] == (404, "not-found")
    assert first["visit"] in response.json()["detail"]
    alone = await server.visit(server.browser("192.0.2.9"))
    assert (await asker.json(f"/v1/cascades/{alone['visit']}"))["size"] == 1


async def test_many_tokens_are_answered_in_their_order(server: Server, asker: KeyClient) -> None:
    tokens = list((await server.visit())["tokens"].values())
    for token in tokens[:4]:
        tokens += (await server.visit(token=token))["tokens"].values()
    tokens += tokens[::-3]
    found = (await asker.http.post("/v1/tokens/resolve", json={"tokens": tokens})).json()["results"]
    assert [resolved["token"] for resolved in found] == tokens
    for token, resolved in zip(tokens[:12], found, strict=False):
        assert resolved == await asker.json(f"/v1/tokens/{token}")


async def test_tokens_while_the_store_is_away(
    server: Server, asker: KeyClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = list((await server.visit())["tokens"].values())

    async def away(*_: object) -> None:
        raise StoreError("the database is away")

    monkeypatch.setattr(CascadeReader, "chain_to", away)
    assert refused(await asker.http.post("/v1/tokens/resolve", json={"tokens": tokens}))[:2] == (503, "busy")
    assert refused(await asker.get(f"/v1/tokens/{tokens[0]}"))[:2] == (503, "busy")
