"""``/v1/keys``: make, list, change and revoke API keys, none of which reaches further than the one that asks."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from grapevine.domain import cursors
from grapevine.sites import api_keys
from grapevine.store.rows import EVERY_SITE, SEVERAL_SITES
from tests.support.in_process_server import BOTH_BACKENDS, Server
from tests.web.api.test_read_api import KeyClient, refused, with_key

pytestmark = pytest.mark.anyio

SITES = ("site-a", "site-b", "site-c", "site-d")
REACHES = {"one": (2, ()), "two": (SEVERAL_SITES, (2, 3)), "every": (EVERY_SITE, ())}


@pytest.fixture
async def server(server: Server) -> Server:
    """A server with four sites."""
    for name in SITES[1:]:
        await server.add_site(name, f"https://{name}.example")
    return server


async def admin(server: Server, reach: str) -> KeyClient:
    site_id, sites = REACHES[reach]
    return await with_key(server, reach, scope="admin", site_id=site_id, sites=sites)


async def create(asker: KeyClient, **fields: Any) -> Any:
    answer = await asker.http.post("/v1/keys", json={"scope": "read"} | fields)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def ids(asker: KeyClient, **params: Any) -> list[str]:
    return [key["id"] for key in (await asker.json("/v1/keys", **params))["keys"]]


@BOTH_BACKENDS
async def test_a_key_for_two_sites_is_made_used_changed_and_revoked(server: Server) -> None:
    owner = await admin(server, "every")
    made = await create(owner, sites=["site-c", "site-b", "site-b"], name="report", scope="write")
    secret = made.pop("key")
    assert made == {
        "id": made["id"], "name": "report", "scope": "write", "sites": ["site-b", "site-c"], "every_site": False,
        "created_at": made["created_at"], "last_used_at": None, "revoked_at": None,
    }  # fmt: skip
    path = f"/v1/keys/{made['id']}"
    assert await owner.json(path) == made
    used = KeyClient(server, secret)
    for site in ("site-b", "site-c"):
        assert (await used.get("/v1/stats/summary", site=site)).status_code == 200
    for site in ("site-a", "nobody", ""):
        assert refused(await used.get("/v1/stats/summary", site=site))[:2] == (403, "forbidden")
    assert refused(await used.get("/v1/stats/summary")) == (422, "invalid", ["site"])
    assert refused(await used.get("/v1/keys"))[:2] == (403, "forbidden")
    changed = await owner.http.patch(path, json={"scope": "admin", "name": "all of it"})
    assert changed.json() | {"last_used_at": None} == made | {"scope": "admin", "name": "all of it"}
    assert (await used.get("/v1/keys")).status_code == 200
    await owner.http.patch(path, json={"scope": "read"})
    assert refused(await used.get("/v1/keys"))[:2] == (403, "forbidden")
    assert (await owner.http.delete(path)).status_code == 204
    assert (await used.get("/v1/stats/summary", site="site-b")).status_code == 401
    assert (await owner.json(path))["revoked_at"] is not None
    for answer in (await owner.http.delete(path), await owner.http.patch(path, json={"scope": "admin"})):
        assert refused(answer)[:2] == (404, "not-found")
    assert (await used.get("/v1/stats/summary", site="site-b")).status_code == 401


@pytest.mark.parametrize(
    ("reach", "fields", "expected"),
    [
        ("one", {}, ["site-b"]), ("one", {"sites": ["site-b"]}, ["site-b"]), ("two", {"sites": ["site-c"]}, ["site-c"]),
        ("two", {"sites": ["site-b", "site-c"]}, ["site-b", "site-c"]), ("every", {"sites": ["site-a"]}, ["site-a"]),
        ("every", {"sites": list(SITES)}, list(SITES)), ("every", {"every_site": True}, []),
    ],
)  # fmt: skip
async def test_what_a_key_may_make(server: Server, reach: str, fields: dict[str, Any], expected: list[str]) -> None:
    made = await create(await admin(server, reach), scope="admin", **fields)
    assert (made["sites"], made["every_site"]) == (expected, fields.get("every_site", False))
    reached = await KeyClient(server, made["key"]).json("/v1/sites")
    assert [site["site"] for site in reached["sites"]] == (expected or list(SITES))


@pytest.mark.parametrize(
    ("reach", "fields", "expected"),
    [
        ("one", {"sites": ["site-a"]}, (403, "forbidden")),
        ("one", {"sites": ["site-b", "site-a"]}, (403, "forbidden")),
        ("one", {"sites": ["nobody"]}, (403, "forbidden")),
        ("one", {"every_site": True}, (403, "forbidden")),
        ("two", {"every_site": True}, (403, "forbidden")),
        ("two", {"sites": ["site-b", "site-d"]}, (403, "forbidden")),
        ("two", {"sites": ["site-b", "0"]}, (403, "forbidden")),
        ("two", {}, (422, "invalid")),
        ("every", {}, (422, "invalid")),
        ("every", {"sites": ["nobody"]}, (404, "unknown-site")),
        ("every", {"sites": ["site-a"], "every_site": True}, (422, "invalid")),
        ("every", {"sites": []}, (422, "invalid")),
        ("every", {"sites": ["site-a"] * 101}, (422, "invalid")),
        ("every", {"sites": ["site-a"], "scope": "root"}, (422, "invalid")),
        ("every", {"sites": ["site-a"], "name": "x" * 101}, (422, "invalid")),
        ("every", {"sites": ["site-a"], "name": "\u202ebad"}, (422, "invalid")),
        ("every", {"sites": ["site-a"], "site_id": 0}, (422, "invalid")),
    ],
)
async def test_what_a_key_may_not_make(
    server: Server, reach: str, fields: dict[str, Any], expected: tuple[int, str]
) -> None:
    asker = await admin(server, reach)
    before = await server.store.look("SELECT count(*) FROM api_keys")
    answer = await asker.http.post("/v1/keys", json={"scope": "admin"} | fields)
    assert refused(answer)[:2] == expected
    assert await server.store.look("SELECT count(*) FROM api_keys") == before


async def test_a_key_sees_and_changes_those_that_reach_no_further(server: Server) -> None:
    askers = {reach: await admin(server, reach) for reach in REACHES}
    await with_key(server, "other", site_id=4)
    await with_key(server, "mixed", site_id=SEVERAL_SITES, sites=(3, 4))
    await with_key(server, "third", site_id=3)
    seen = {
        "one": {"id-one"},
        "two": {"id-one", "id-two", "id-third"},
        "every": {"id-one", "id-two", "id-every", "id-other", "id-mixed", "id-third"},
    }
    for reach, asker in askers.items():
        assert set(await ids(asker)) == seen[reach]
        for key in sorted(seen["every"] - seen[reach]):
            for answer in (
                await asker.get(f"/v1/keys/{key}"),
                await asker.http.patch(f"/v1/keys/{key}", json={"scope": "admin"}),
                await asker.http.delete(f"/v1/keys/{key}"),
            ):
                assert refused(answer)[:2] == (404, "not-found")
    assert set(await ids(askers["every"], site="site-c")) == {"id-two", "id-mixed", "id-third"}
    assert set(await ids(askers["two"], site="site-c")) == {"id-two", "id-third"}
    assert refused(await askers["one"].get("/v1/keys", site="site-c"))[:2] == (403, "forbidden")
    assert {key["scope"] for key in (await askers["every"].json("/v1/keys"))["keys"]} == {"admin", "read"}


@BOTH_BACKENDS
async def test_pages_tell_nothing_of_keys_that_reach_further(server: Server) -> None:
    """No page is short, and none follows, because of keys that are not shown."""
    askers = {reach: await admin(server, reach) for reach in REACHES}
    for name in ("before", "point", "zone"):  # their ids stand before, between and behind those of the askers
        await with_key(server, name, site_id=SEVERAL_SITES, sites=(2, 4))
    whole = await askers["one"].json("/v1/keys", limit=2)
    assert ([key["id"] for key in whole["keys"]], whole["next"]) == (["id-one"], None)
    for params in ({}, {"site": "site-b"}):
        first = await askers["two"].json("/v1/keys", limit=1, **params)
        second = await askers["two"].json("/v1/keys", limit=2, cursor=first["next"], **params)
        assert [key["id"] for key in (*first["keys"], *second["keys"])] == ["id-one", "id-two"]
        assert second["next"] is None
    assert await ids(askers["every"], site="site-b") == ["id-before", "id-one", "id-point", "id-two", "id-zone"]


async def test_a_long_list_has_pages(server: Server) -> None:
    owner = await admin(server, "every")
    for number in range(4):
        await with_key(
            server, f"key-{number}", site_id=1 if number % 2 else SEVERAL_SITES, sites=() if number % 2 else (1, 2)
        )
    for reach in ("every", "two"):
        asker = owner if reach == "every" else await admin(server, reach)
        seen, cursor = [], None
        for _ in range(10):
            page = await asker.json("/v1/keys", limit="2", **({} if cursor is None else {"cursor": cursor}))
            seen += [key["id"] for key in page["keys"]]
            if (cursor := page["next"]) is None:
                break
        assert cursor is None
        assert seen == await ids(asker)
    cursor = (await owner.json("/v1/keys", limit="2"))["next"]
    assert refused(await owner.get("/v1/keys", cursor=cursor, site="site-a")) == (422, "invalid", ["cursor"])


async def test_the_keys_of_a_site_are_bounded(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_keys, "MOST_KEYS", 4)
    owner = await admin(server, "every")
    made = [await create(owner, sites=["site-b", "site-c"]), *[await create(owner, sites=["site-b"]) for _ in range(3)]]
    for sites in (["site-b"], ["site-a", "site-b"]):
        answer = await owner.http.post("/v1/keys", json={"scope": "read", "sites": sites})
        assert refused(answer) == (422, "invalid", ["sites"])
    await create(owner, sites=["site-c"])
    await owner.http.delete(f"/v1/keys/{made[0]['id']}")
    await create(owner, sites=["site-b"])


async def test_revoked_keys_do_not_pile_up(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grapevine.store.repositories.api_keys._KEPT_REVOKED", 3)
    owner = await admin(server, "every")
    made = []
    for number in range(8):
        server.clock.now += 1
        made.append((await create(owner, sites=["site-b", "site-c"] if number % 2 else ["site-b"]))["id"])
        await owner.http.delete(f"/v1/keys/{made[-1]}")
    assert await ids(owner, site="site-b") == made[-4:]  # the last one was revoked after the last one was made
    ((sites,),) = await server.store.look("SELECT count(*) FROM key_sites")
    assert sites == 4


async def test_a_key_goes_with_its_last_site(server: Server) -> None:
    both = await admin(server, "two")
    await server.state.site_deletions.begin(2)
    await server.state.sites.reload()
    assert [site["site"] for site in (await both.json("/v1/sites"))["sites"]] == ["site-c"]
    assert refused(await both.get("/v1/stats/summary", site="site-b"))[:2] == (403, "forbidden")
    assert (await both.get("/v1/stats/summary", site="site-c")).status_code == 200
    await server.state.site_deletions.begin(3)
    assert (await both.get("/v1/sites")).status_code == 401
    assert await server.store.look("SELECT count(*) FROM key_sites") == [(0,)]


async def test_a_revoked_key_leaves_those_in_force_that_it_made(server: Server) -> None:
    stolen = await admin(server, "one")
    made = await create(stolen, scope="admin")
    assert (await stolen.http.delete("/v1/keys/id-one")).status_code == 204
    assert (await stolen.get("/v1/keys")).status_code == 401
    assert await ids(KeyClient(server, made["key"])) == ["id-one", made["id"]]


async def test_a_rename_does_not_bring_back_a_scope(server: Server) -> None:
    owner = await admin(server, "every")
    made = await create(owner, sites=["site-a"], scope="admin")
    path = f"/v1/keys/{made['id']}"
    changes = [{"name": f"name {number}"} for number in range(5)]
    await asyncio.gather(
        *(owner.http.patch(path, json=change) for change in changes[:3]),
        owner.http.patch(path, json={"scope": "read"}),
        *(owner.http.patch(path, json=change) for change in changes[3:]),
    )
    assert (await owner.json(path))["scope"] == "read"


@BOTH_BACKENDS
async def test_what_no_database_takes(server: Server) -> None:
    owner = await admin(server, "every")
    for key in ("%00", "a%00b", "%ED%A0%80", "%F0%9F%8D%87", "x" * 200, "%20"):
        for answer in (
            await owner.get(f"/v1/keys/{key}"),
            await owner.http.patch(f"/v1/keys/{key}", json={"name": "x"}),
            await owner.http.delete(f"/v1/keys/{key}"),
        ):
            assert refused(answer)[:2] == (404, "not-found")
    asked = cursors.question("keys", None)
    for position in ((1, "\0"), (1 << 70, "a"), (1, "\ud800"), (1,), ("a", 1), (1, "a" * 101)):
        made = cursors.written(asked, position) if "\ud800" not in position else "eyJ"
        assert refused(await owner.get("/v1/keys", cursor=made)) == (422, "invalid", ["cursor"])
