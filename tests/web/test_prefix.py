"""``GRAPEVINE_PREFIX``: what a page calls stands below it, for blockers that know the usual paths."""

from __future__ import annotations

import pytest

from tests.support.in_process_server import ORIGIN, Server

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.parametrize("server", ["asgi /g", "socket /g"], indirect=True),
]

VISIT = {"site": "site-a", "url": f"{ORIGIN}/x", "nonce": "n" * 16, "channels": ["copy"]}


async def test_the_widget_its_calls_and_its_short_links_stand_below_the_prefix(server: Server) -> None:
    assert (await server.http.get("/g/widget.js")).status_code == 200
    answer = await server.http.post("/g/v1/visits", json=VISIT)
    assert answer.status_code == 200
    token = answer.json()["tokens"]["copy"]
    shared = {"site": "site-a", "url": f"{ORIGIN}/x", "session": answer.json()["session"], "token": token}
    assert (await server.http.post("/g/v1/shares", json=shared)).status_code == 200
    for path in (f"/g/s/{token}", f"/s/{token}"):
        response = await server.http.get(path)
        assert (response.status_code, response.headers["location"]) == (302, f"{ORIGIN}/x#gv-{token}")


async def test_nothing_of_it_stands_at_the_usual_place(server: Server) -> None:
    assert (await server.http.get("/widget.js")).status_code == 404
    assert (await server.http.post("/v1/visits", json=VISIT)).status_code == 404


async def test_people_and_programs_find_the_rest_where_it_was(server: Server) -> None:
    assert (await server.http.get("/healthz")).status_code == 200
    assert (await server.http.get("/v1/stats/summary")).status_code == 401
