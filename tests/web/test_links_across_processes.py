"""Minted links on servers that share a database: what one of them ends leads nowhere on the others, at once."""

from __future__ import annotations

from contextlib import AsyncExitStack

import pytest

from grapevine.config.settings import Settings
from grapevine.domain.periods import rfc3339
from tests.support.in_process_server import BOTH_BACKENDS, ORIGIN, Server, serving
from tests.web.api.test_read_api import with_key

pytestmark = pytest.mark.anyio

PAGE = f"{ORIGIN}/spring"


@BOTH_BACKENDS
async def test_what_one_server_ends_leads_nowhere_on_the_others(database: str, anyio_backend: str) -> None:
    assert anyio_backend == "asyncio"
    settings = Settings(database=database, secret_keys=(b"k" * 32,), rate_limit=0)
    async with AsyncExitStack() as stack:
        one, other = [await stack.enter_async_context(serving(settings)) for _ in range(2)]
        await one.add_site("site-a", ORIGIN)
        other.clock.now = one.clock.now
        shop = await with_key(one, "shop", scope="admin")
        soon = rfc3339(one.clock.now + 1)
        wanted = [{"url": PAGE, "word": "summer"}, {"url": PAGE, "word": "winter", "expires_at": soon}]
        made = (await shop.http.post("/v1/links", json={"links": wanted})).json()["links"]
        paths = [path for link in made for path in (f"/s/{link['token']}", f"/go/{link['word']}")]
        for server in (one, other):
            assert await statuses(server, paths) == [(302, link["url"]) for link in made for _ in range(2)]
            server.clock.now += 1
        assert (await shop.http.delete(f"/v1/links/{made[0]['token']}")).status_code == 204
        home = f"{ORIGIN}/#gv-{made[0]['token']}"
        for server in (other, one):
            assert await statuses(server, paths) == [(302, home), (404, ""), (410, ""), (410, "")]


async def statuses(server: Server, paths: list[str]) -> list[tuple[int, str]]:
    answers = [await server.http.get(path) for path in paths]
    return [(answer.status_code, answer.headers.get("location", "")) for answer in answers]
