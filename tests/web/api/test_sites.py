"""``/v1/sites``: list, add, change and delete sites; a key reaches those that it was made for."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from grapevine.api_schemas.sites import SiteView
from grapevine.sites import deletion, management
from grapevine.store.rows import SEVERAL_SITES
from tests.support.in_process_server import BOTH_BACKENDS, ORIGIN, Server
from tests.web.api.test_read_api import KeyClient, refused, with_key

pytestmark = pytest.mark.anyio

NEW = {"name": "My shop", "origins": ["https://Shop.example/", "https://www.shop.example"]}


@pytest.fixture
async def owner(server: Server) -> KeyClient:
    """Asks with a key for every site."""
    return await with_key(server, "owner", scope="admin", site_id=0)


async def create(owner: KeyClient, fields: Mapping[str, Any] = NEW) -> Any:
    answer = await owner.http.post("/v1/sites", json=fields)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_the_snippet_names_no_address_that_browsers_cannot_reach(owner: KeyClient) -> None:
    direct = await owner.json("/v1/sites/site-a")
    assert "http://grapevine.example/widget.js" in direct["snippet"]
    for header in ("Forwarded", "X-Forwarded-Host", "X-Forwarded-Proto"):
        behind = await owner.http.get("/v1/sites/site-a", headers={header: "https"})
        assert behind.json() == direct | {"snippet": None}


@BOTH_BACKENDS
async def test_a_site_is_added_shown_changed_and_deleted(
    server: Server, owner: KeyClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deletion, "FOLLOWED_SECONDS", 0.1)
    added = await create(owner)
    site = added["site"]
    assert (site["name"], site["origins"]) == ("My shop", ["https://shop.example", "https://www.shop.example"])
    assert site.keys() == set(SiteView.__struct_fields__)
    assert site["site"] in site["snippet"]
    path = f"/v1/sites/{site['site']}"
    assert await owner.json(path) == site
    mine = KeyClient(server, added["key"])
    assert await mine.json(path) == site
    assert await mine.json("/v1/sites") == {"sites": [site], "next": None}
    assert [each["site"] for each in (await owner.json("/v1/sites"))["sites"]] == ["site-a", site["site"]]
    changes = {"name": "Our shop", "query": ["page", "id"], "contact": "privacy@shop.example", "values": "keys"}
    changed = await owner.http.patch(path, json=changes | {"origins": ["https://new.example"]})
    expected = site | changes | {"origins": ["https://new.example"], "query": ["id", "page"]}
    assert changed.json() == expected | {"snippet": changed.json()["snippet"]}
    assert "data-query" in changed.json()["snippet"]
    visit = {"site": site["site"], "url": "https://new.example/", "channels": ["copy"]}
    page = server.browser(Origin="https://new.example")
    assert (await page.post("/v1/visits", json=visit | {"nonce": "n" * 16})).status_code == 200

    assert refused(await owner.http.delete(path)) == (422, "invalid", ["confirm"])
    for wrong in ("My shop", "our shop", ""):
        assert refused(await owner.http.delete(path, params={"confirm": wrong}))[:2] == (409, "conflict")
    gone = await owner.http.delete(path, params={"confirm": " Our shop"})
    assert (gone.status_code, gone.json()) == (202, {"site": site["site"], "name": "Our shop"})
    assert refused(await owner.get(path))[:2] == (404, "unknown-site")
    assert (await mine.get("/v1/sites")).status_code == 401
    assert (await page.post("/v1/visits", json=visit | {"nonce": "m" * 16})).status_code == 404
    await server.state.site_deletions.run()  # as the task in the background does at the same time
    assert await server.store.site_deletion.unfinished() == []
    assert [each["site"] for each in (await owner.json("/v1/sites"))["sites"]] == ["site-a"]


async def test_a_deletion_that_another_process_began_is_carried_out(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deletion, "FOLLOWED_SECONDS", 0.1)
    await server.add_site("site-b", "https://b.example")
    await server.store.site_deletion.begin(2, server.clock.now, by_server=True)
    await server.store.site_deletion.begin(1, server.clock.now)  # a command's own
    await server.state.site_deletions.run()
    assert [site.key for site in await server.store.site_deletion.unfinished()] == ["site-a"]


async def test_a_key_for_some_sites_reaches_these_alone(server: Server) -> None:
    for name in ("site-b", "site-c", "site-d"):
        await server.add_site(name, f"https://{name}.example")
    two = await with_key(server, "two", scope="admin", site_id=SEVERAL_SITES, sites=(2, 3))
    one = await with_key(server, "one", scope="admin", site_id=2)
    assert [each["site"] for each in (await two.json("/v1/sites"))["sites"]] == ["site-b", "site-c"]
    assert [each["site"] for each in (await one.json("/v1/sites"))["sites"]] == ["site-b"]
    for strange in ("site-a", "site-d", "nobody"):
        for answer in (
            await two.get(f"/v1/sites/{strange}"),
            await two.http.patch(f"/v1/sites/{strange}", json={"name": "mine"}),
            await two.http.delete(f"/v1/sites/{strange}", params={"confirm": strange}),
            await two.get("/v1/stats/summary", site=strange),
        ):
            assert refused(answer)[:2] == (403, "forbidden")
    assert (await two.get("/v1/stats/summary", site="site-c")).status_code == 200
    assert refused(await two.get("/v1/stats/summary")) == (422, "invalid", ["site"])
    for caller in (one, two):
        assert refused(await caller.http.post("/v1/sites", json=NEW))[:2] == (403, "forbidden")
    assert len(await server.store.sites.sites()) == 4


@pytest.mark.parametrize("scope", ["read", "write"])
async def test_other_scopes_may_not(server: Server, scope: str) -> None:
    asker = await with_key(server, scope, scope=scope, site_id=0)
    for answer in (
        await asker.get("/v1/sites"),
        await asker.http.post("/v1/sites", json=NEW),
        await asker.get("/v1/sites/site-a"),
        await asker.http.patch("/v1/sites/site-a", json={"name": "x"}),
        await asker.http.delete("/v1/sites/site-a", params={"confirm": "site-a"}),
    ):
        assert refused(answer)[:2] == (403, "forbidden")


async def test_a_long_list_has_pages(server: Server, owner: KeyClient) -> None:
    for number in range(4):
        await server.add_site(f"site-{number}", ORIGIN)
    seen, cursor = [], None
    for _ in range(3):
        page = await owner.json("/v1/sites", limit="2", **({} if cursor is None else {"cursor": cursor}))
        seen += [each["site"] for each in page["sites"]]
        cursor = page["next"]
    assert seen == ["site-a", "site-0", "site-1", "site-2", "site-3"]
    assert cursor is None
    for wrong in ("x", "W10", "a" * 5_000):
        assert refused(await owner.get("/v1/sites", cursor=wrong)) == (422, "invalid", ["cursor"])


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"name": ""}, "name"), ({"name": "x" * 101}, "name"), ({"name": "a\u0000b"}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"origins": []}, "origins"), ({"origins": ["https://x.example"] * 101}, "origins"),
        ({"origins": ["x"]}, "origins"), ({"contact": "nobody"}, "contact"), ({"admin": True}, "admin"),
    ],
)  # fmt: skip
async def test_what_cannot_be_is_refused(owner: KeyClient, fields: dict[str, Any], named: str) -> None:
    assert refused(await owner.http.post("/v1/sites", json=NEW | fields)) == (422, "invalid", [named])


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"query": ["a b"]}, "query"), ({"query": ["a,b"]}, "query"), ({"query": ["*", "a"]}, "query"),
        ({"keep": ["a=b"]}, "keep"), ({"place": "path"}, "place"), ({"values": "none"}, "values"),
        ({"element": "xml"}, "element"), ({"param": "0"}, "param"), ({"key": "mine"}, "key"), ({"salt": "0"}, "salt"),
    ],
)  # fmt: skip
async def test_changes_that_cannot_be(owner: KeyClient, fields: dict[str, Any], named: str) -> None:
    before = await owner.json("/v1/sites/site-a")
    assert refused(await owner.http.patch("/v1/sites/site-a", json=fields)) == (422, "invalid", [named])
    assert await owner.json("/v1/sites/site-a") == before


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"place": "foo", "param": "a b"}, ["param", "place"]),
        ({"contact": 5, "origins": []}, ["origins", "contact"]),
        ({"name": "a\nb", "element": "xml", "values": "none"}, ["name", "element", "values"]),
        ({"origins": ["x"], "contact": "nobody"}, ["contact", "origins"]),
        ({"colour": "red", "name": 5}, ["colour", "name"]),
    ],
)
async def test_every_wrong_field_is_named(owner: KeyClient, fields: dict[str, Any], named: list[str]) -> None:
    assert refused(await owner.http.patch("/v1/sites/site-a", json=fields)) == (422, "invalid", named)


async def test_a_new_site_is_refused_for_all_that_is_wrong_with_it(owner: KeyClient) -> None:
    wrong = {"name": "a\nb", "origins": ["x"], "contact": "nobody"}
    assert refused(await owner.http.post("/v1/sites", json=wrong)) == (422, "invalid", ["name", "origins", "contact"])
    assert refused(await owner.http.post("/v1/sites", json={"contact": 1})) == (
        422, "invalid", ["name", "origins", "contact"],
    )  # fmt: skip


async def test_an_origin_on_the_servers_machine_is_the_operators_to_add(server: Server, owner: KeyClient) -> None:
    mine = await with_key(server, "mine", scope="admin", site_id=1)
    (site,) = (await mine.json("/v1/sites"))["sites"]
    kept = "http://localhost:3000"
    for local in ("http://127.0.0.1:8080", "http://127.8.8.8", "https://LOCALHOST/", "http://[::1]:9000", kept):
        answer = await mine.http.patch("/v1/sites/site-a", json={"origins": [*site["origins"], local]})
        assert refused(answer) == (422, "invalid", ["origins"]), local
    assert (await mine.json("/v1/sites/site-a"))["origins"] == site["origins"]
    assert (await owner.http.patch("/v1/sites/site-a", json={"origins": [kept]})).status_code == 200
    answer = await mine.http.patch("/v1/sites/site-a", json={"origins": [kept, "https://b.example"]})
    assert answer.json()["origins"] == [kept, "https://b.example"]


@BOTH_BACKENDS
async def test_concurrent_changes_of_a_site_are_all_kept(owner: KeyClient) -> None:
    changes: dict[str, Any] = {
        "name": "Our shop", "origins": ["https://b.example"], "param": "via", "place": "query", "query": ["id"],
        "keep": ["ref"], "element": "lees", "values": "keys", "contact": "privacy@b.example", "fragment": "parameter",
    }  # fmt: skip
    each = (owner.http.patch("/v1/sites/site-a", json={name: value}) for name, value in changes.items())
    assert {answer.status_code for answer in await asyncio.gather(*each)} == {200}
    assert (await owner.json("/v1/sites/site-a")).items() >= changes.items()


async def test_a_change_of_nothing_changes_nothing(owner: KeyClient) -> None:
    before = await owner.json("/v1/sites/site-a")
    assert (await owner.http.patch("/v1/sites/site-a", json={"name": None})).json() == before


async def test_a_server_has_a_bounded_number_of_sites(owner: KeyClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(management, "MOST_SITES", 3)
    answers = await asyncio.gather(*(owner.http.post("/v1/sites", json=NEW) for _ in range(2)))
    assert [answer.status_code for answer in answers] == [201, 201]
    assert refused(await owner.http.post("/v1/sites", json=NEW)) == (422, "invalid", ["name"])
