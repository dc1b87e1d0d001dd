"""What the tools' transport lets through: reading calls of a closed list, whatever the key and the client."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

import httpx
import pytest
from starlette.routing import Mount, Route

from grapevine.mcp_server import read_only
from grapevine.mcp_server.read_only import AnswerTooLarge, CallNotAllowed, ReadOnlyTransport
from grapevine.web.routes import routes

pytestmark = pytest.mark.anyio

SERVER = "https://share.example.com"
VISIT, TOKEN = "03HSYteCXKm", "86Yqi1yJE1R97caFSkEt8V0"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "get", "COPY")
ALLOWED = {
    "/v1/stats/summary", "/v1/stats/series", "/v1/stats/breakdown", "/v1/stats/direct", "/v1/attribution", "/v1/spikes",
    "/v1/cascades", f"/v1/cascades/{VISIT}", f"/v1/tokens/{TOKEN}", "/v1/export/answers",
    "/v1/links/summary",
}  # fmt: skip


class Sent:
    """A client of the transport, and what went through it."""

    def __init__(self, answer: Callable[[httpx.Request], httpx.Response]) -> None:
        self.requests: list[httpx.Request] = []

        def note(request: httpx.Request) -> httpx.Response:
            self.requests.append(request)
            return answer(request)

        transport = ReadOnlyTransport(SERVER, httpx.MockTransport(note))
        headers = {"Authorization": "Bearer an-admin-key"}
        self.client = httpx.AsyncClient(base_url=SERVER, transport=transport, headers=headers, follow_redirects=True)


def every_path() -> set[str]:
    """Every URL of a server, and those that are like the allowed ones."""
    found: set[str] = set()
    for route in routes("/g"):
        below = route.routes if isinstance(route, Mount) else [route]
        prefix = route.path if isinstance(route, Mount) else ""
        for each in below or ():
            assert isinstance(each, Route)
            for value in (VISIT, TOKEN, "answers", "visits", "x"):
                parts = [value if part.startswith("{") else part for part in (prefix + each.path).split("/")]
                found.add("/".join(parts).replace("{rest}", ".js"))
    return found


async def test_of_all_that_a_server_has_only_reading_calls_are_sent() -> None:
    sent = Sent(lambda _: httpx.Response(200))
    paths = every_path()
    assert len(paths) > 50
    assert paths > ALLOWED
    for path in sorted(paths):
        for method in METHODS:
            with suppress(CallNotAllowed):
                await sent.client.request(method, path, params={"site": "a", "limit": "1"})
    got = {(request.method, request.url.path) for request in sent.requests}
    assert got == {("GET", path) for path in ALLOWED}
    await sent.client.aclose()


@pytest.mark.parametrize(
    "url",
    [
        "http://share.example.com/v1/cascades", "https://evil.example/v1/cascades", f"{SERVER}:8443/v1/cascades",
        "https://share.example.com.evil.example/v1/cascades", "/v1/cascades/", "/v1/cascades/%2e%2e", "//v1/cascades",
        "/v1/cascades%2f03HSYteCXKm", "/v1/stats/../webhooks", "/v1/stats/summary/../../webhooks", "/V1/cascades",
        "/v1/export/visits", "/v1/export/answers/", "/v1/cascades;x", "/v1/cascades/03HSYteCXK%0a",
    ],
)  # fmt: skip
async def test_other_servers_and_paths_that_are_alike(url: str) -> None:
    sent = Sent(lambda _: httpx.Response(200))
    with pytest.raises(CallNotAllowed):
        await sent.client.get(url)
    assert not sent.requests


@pytest.mark.parametrize(
    "to", ["https://evil.example/v1/cascades", "/v1/webhooks", "http://share.example.com/v1/spikes"]
)
async def test_a_redirect_does_not_lead_out(to: str) -> None:
    sent = Sent(lambda _: httpx.Response(307, headers={"Location": to}))
    with pytest.raises(CallNotAllowed):
        await sent.client.get("/v1/cascades")
    assert [request.url.path for request in sent.requests] == ["/v1/cascades"]


async def test_no_answer_is_longer_than_the_bound() -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 1_000_000

    sent = Sent(lambda _: httpx.Response(200, content=endless()))
    with pytest.raises(AnswerTooLarge, match="longer than 8 MB"):
        await sent.client.get("/v1/cascades")
    sent = Sent(lambda _: httpx.Response(200, content=b"x" * read_only.MOST_BYTES))
    assert len((await sent.client.get("/v1/cascades")).content) == read_only.MOST_BYTES


async def test_no_compressed_answer_is_unpacked() -> None:
    packed = gzip.compress(b"0" * 10_000_000)
    sent = Sent(lambda _: httpx.Response(200, content=packed, headers={"Content-Encoding": "gzip"}))
    with pytest.raises(AnswerTooLarge):
        await sent.client.get("/v1/cascades")
    assert sent.requests[0].headers["Accept-Encoding"] == "identity"
