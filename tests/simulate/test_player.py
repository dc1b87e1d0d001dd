"""The player sends a world's requests in order, and asks the server for a site's origin."""

from __future__ import annotations

import json

import httpx
import pytest

from grapevine.domain import ids
from grapevine.errors import GrapevineError
from grapevine.simulate.parameters import Parameters
from grapevine.simulate.player import Player, Target, damaged, origin_of_site
from grapevine.simulate.world import World
from tests.support.in_process_server import NOON

ORIGIN = "https://a.example"


def test_a_damaged_token_is_another_one() -> None:
    for index in range(23):
        changed = damaged("z" * 23, index)
        assert changed != "z" * 23
        assert len(changed) == 23


@pytest.mark.anyio
async def test_the_player_makes_the_same_requests_in_the_same_order() -> None:
    async def requests() -> list[tuple[str, str, bytes]]:
        made = []

        def answer(request: httpx.Request) -> httpx.Response:
            made.append((request.method, str(request.url), request.read()))
            if request.method == "GET":
                return httpx.Response(302)
            body = json.loads(request.content)
            if request.url.path == "/v1/shares":
                return httpx.Response(200, json={"next": f"{body['token'][:-1]}+"})
            named = body.get("nonce", "")
            if "Sec-GPC" in request.headers or "bot" in request.headers["User-Agent"].lower():
                return httpx.Response(202, json={"visit": None, "session": None, "tokens": {}})
            tokens = {channel: f"{named}{channel:>24}" for channel in body.get("channels", ())}
            return httpx.Response(200, json={"visit": named, "session": f"s-{named}", "tokens": tokens})

        world = World(6, Parameters(visits=300))
        async with httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://a") as client:
            await Player(client, Target("site", ORIGIN), world, lambda: NOON).play()
        assert len(made) == world.truth.requests
        return made

    first = await requests()
    assert first == await requests()
    posts = [json.loads(body) for method, _, body in first if method == "POST"]
    assert {body["site"] for body in posts} == {"site"}
    assert {body["day"] for body in posts if "day" in body} == {ids.day_date(ids.day_at(NOON)).isoformat()}


@pytest.mark.anyio
async def test_a_server_names_the_origin_of_a_site_or_says_why_not() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if json.loads(request.content)["site"] == "site":
            return httpx.Response(
                403, json={"detail": f"which is not an origin of this site ({ORIGIN}, https://b.example)."}
            )
        if json.loads(request.content)["site"] == "unnamed":
            return httpx.Response(403, json={"detail": "which is not an origin of this site."})
        return httpx.Response(404, json={"detail": "No site of this server has that key."})

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://a") as client:
        assert await origin_of_site(client, "site") == ORIGIN
        assert await origin_of_site(client, "unnamed") is None
        with pytest.raises(GrapevineError, match="No site of this server"):
            await origin_of_site(client, "other")
