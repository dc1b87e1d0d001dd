"""How tokens in fragments are written: new sites, sites that had an older build of the widget, and what owners set."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from grapevine.collect import old_builds
from grapevine.domain import ids
from grapevine.store.rows import OLD_BUILD_DAYS
from tests.support.in_process_server import BOTH_BACKENDS, NOON, ORIGIN, Server
from tests.web.backend_pair import change

pytestmark = pytest.mark.anyio

TODAY = ids.day_at(NOON)


@pytest.fixture(autouse=True)
def _stored_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(old_builds, "EVERY_SECONDS", 0.01)


async def seen_on(server: Server, day: int) -> None:
    """Waits until it is stored that an older build was seen on that day."""
    async with asyncio.timeout(20):
        while (await server.store.sites.sites())[0].old_build_day != day:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def written(server: Server, **fields: Any) -> str:
    """What stands before the token in a short link's redirect; the answer to the visit says the same."""
    answer = await server.visit(**fields)
    token = answer["tokens"]["copy"]
    location = (await server.http.get(f"/s/{token}")).headers["location"]
    written = str(location.removeprefix(f"{ORIGIN}/").removesuffix(token))
    assert written == f"#gv{answer['joint']}"
    return written


async def test_a_new_site_writes_an_identifier_at_once_and_for_ever(server: Server) -> None:
    assert await written(server, build="0.1.0") == "#gv-"
    assert await written(server) == "#gv-"
    await seen_on(server, TODAY)
    server.clock.now += 1_000
    assert await written(server) == "#gv-"


@BOTH_BACKENDS
async def test_a_site_that_had_an_older_build_goes_over_two_weeks_after_the_last(server: Server) -> None:
    await server.store.sites.change_site(1, {"fragment": "auto"})
    server.clock.now += 1_000
    await server.visit()
    await seen_on(server, TODAY)
    server.clock.now += (OLD_BUILD_DAYS - 1) * ids.DAY_MS
    for _ in range(2):
        assert await written(server, build="0.1.0") == "#gv="
    assert await written(server) == "#gv="
    await seen_on(server, TODAY + OLD_BUILD_DAYS - 1)
    server.clock.now += (OLD_BUILD_DAYS - 1) * ids.DAY_MS
    assert await written(server, build="0.2.0") == "#gv="
    server.clock.now += ids.DAY_MS
    assert await written(server, build="0.2.0") == "#gv-"
    (row,) = await server.store.sites.sites()
    assert row.old_build_day == TODAY + OLD_BUILD_DAYS - 1


async def test_a_site_from_before_goes_over_two_weeks_after_its_first_visit(server: Server) -> None:
    await server.store.sites.change_site(1, {"fragment": "auto"})
    await change(server, ["UPDATE sites SET old_build_day = -1"])
    for name in ("Lees", "Dregs"):
        server.clock.now += OLD_BUILD_DAYS * ids.DAY_MS
        await server.store.sites.change_site(1, {"name": name})
    first = ids.day_at(server.clock.now)
    assert await written(server, build="0.1.0") == "#gv="
    await seen_on(server, first)
    server.clock.now += OLD_BUILD_DAYS * ids.DAY_MS
    assert await written(server, build="0.1.0") == "#gv-"


async def test_many_visits_of_one_day_read_the_sites_anew_once(server: Server) -> None:
    before = await server.store.sites.version()
    for _ in range(5):
        await server.visit()
        await seen_on(server, TODAY)
        server.clock.now += 1_000
    assert await server.store.sites.version() == before + 1


async def test_an_owner_may_set_either_form(server: Server) -> None:
    for form, expected in (("parameter", "#gv="), ("identifier", "#gv-"), ("parameter", "#gv=")):
        await server.store.sites.change_site(1, {"fragment": form})
        server.clock.now += 1_000
        assert await written(server) == expected


async def test_an_owners_change_keeps_the_day_of_the_last_older_build(server: Server) -> None:
    await server.visit()
    await seen_on(server, TODAY)
    await server.store.sites.change_site(1, {"name": "Dregs"})
    (after,) = await server.store.sites.sites()
    assert (after.name, after.old_build_day) == ("Dregs", TODAY)


async def test_a_visit_without_a_row_has_no_form(server: Server) -> None:
    response = await server.post("visits", opted_out=True)
    assert response.json() == {"visit": None, "session": None, "tokens": {}, "returned": None}


@pytest.mark.parametrize(("place", "prefix"), [("auto", "gv-"), ("fragment", "gv-"), ("query", "gv=")])
async def test_the_page_about_a_link_shows_the_form(server: Server, place: str, prefix: str) -> None:
    await server.store.sites.change_site(1, {"place": place})
    server.clock.now += 1_000
    token = (await server.visit())["tokens"]["copy"]
    text = (await server.http.get(f"/about/{token}", headers={"Accept-Language": "en"})).text
    assert f"<span>{prefix}</span><b>{token}</b>" in text
    assert f"“{prefix}…”" in text
