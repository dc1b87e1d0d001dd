"""The whole server on a real database, with a clock that stands still until a test moves it.

Tests run on SQLite and call the server through ASGI. ``test_backends_agree`` shows that every answer and every stored
row is the same on PostgreSQL, ``test_fast_path`` that every answer is the same over a socket; tests that look into rows
or do several things at once run on ``BOTH_BACKENDS`` all the same.
"""

from __future__ import annotations

import asyncio
import secrets
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.types import ASGIApp, Lifespan

from grapevine.client import AsyncClient, Retries
from grapevine.config.settings import Settings
from grapevine.domain import ids
from grapevine.serving.app import running
from grapevine.serving.server import Server as ListeningServer
from grapevine.store.factory import make_store
from grapevine.store.rows import SiteRow
from grapevine.web.application import web_application
from grapevine.web.state import AppState
from tests.support.backends import Backend
from tests.support.citus import CITUS
from tests.support.described_api import Exchange, described_api
from tests.support.user_agents import CHROME

ORIGIN = "https://a.example"
BOTH_BACKENDS = pytest.mark.parametrize("database", ["sqlite", "postgres"], indirect=True)
NOON = ids.day_start(2500) + 12 * ids.HOUR_MS
PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""No test uses TLS; a client that reads the machine's certificates takes longer than most tests."""


class Clock:
    """UTC milliseconds, as the test sets them."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> int:
        return self.now


class Server:
    """A running server and a browser that calls it."""

    def __init__(self, state: AppState, app: ASGIApp, clock: Clock, store: Backend, url: str | None = None) -> None:
        self.url = url
        self._described = described_api(state.settings.prefix)
        self._clients: list[httpx.AsyncClient] = []
        self._api_clients: list[AsyncClient] = []
        self.state = state
        self.app = app
        self.clock = clock
        self.store = store
        self.site = "site-a"
        self._hooks = {"response": [self._check_description]}
        self.http = self.browser()

    def browser(self, address: str = "192.0.2.1", user_agent: str = CHROME, **headers: str) -> httpx.AsyncClient:
        """A client with an address and a user agent of its own, on a page of the first site."""
        sent = {"User-Agent": user_agent, "Accept-Language": "en", "Origin": ORIGIN} | headers
        if self.url:  # over a socket everybody comes from this machine, so a trusted proxy names the address
            sent |= {"X-Forwarded-For": address}
            client = httpx.AsyncClient(
                base_url=self.url, headers=sent, trust_env=False, verify=PLAIN, timeout=60, event_hooks=self._hooks
            )
            self._clients.append(client)
            return client
        transport = httpx.ASGITransport(self.app, client=(address, 50_000), raise_app_exceptions=False)
        return httpx.AsyncClient(
            transport=transport, base_url="http://grapevine.example", headers=sent, event_hooks=self._hooks
        )

    async def _check_description(self, answer: httpx.Response) -> None:
        """Fails where the answer to a call of the API is not as ``/openapi.json`` describes it."""
        self._described.check(await Exchange.of(answer))

    def api(self, key: str) -> AsyncClient:
        """A client of the API with that key, for the first site."""
        transport = None if self.url else httpx.ASGITransport(self.app, raise_app_exceptions=False)
        patient = Retries(patience=120)
        url = self.url or "http://localhost"
        client = AsyncClient(url, key, site=self.site, timeout=120, retries=patient, transport=transport)
        self._api_clients.append(client)
        return client

    async def hang_up(self) -> None:
        """Closes the connections of browsers and clients."""
        for browser in self._clients:
            await browser.aclose()
        for client in self._api_clients:
            await client.close()

    async def add_site(self, key: str, *origins: str, **settings: str) -> None:
        """A site with that public key."""
        row: dict[str, Any] = {"param": "gv", "place": "auto", "query": "*"} | settings
        number = 1 + len(await self.store.sites.sites())
        site = SiteRow(
            site_id=number, key=key, name=key, salt=f"{number:032x}", created_at=NOON, origins=origins, **row
        )
        await self.store.sites.add_site(site)
        self.clock.now += 1_000  # sites are read again when a second has passed
        await self.state.sites.reload()  # on a busy machine, the next request would go on without them

    async def visit(self, client: httpx.AsyncClient | None = None, **fields: Any) -> Any:
        """A visit's answer; fields are the request's."""
        response = await self.post("visits", client, **fields)
        assert response.status_code == 200, response.text
        return response.json()

    async def post(self, call: str, client: httpx.AsyncClient | None = None, **fields: Any) -> httpx.Response:
        """A collect call with sensible fields where none are given."""
        usual = {"site": self.site, "url": f"{ORIGIN}/deep/page"}
        if call == "visits":
            usual |= {"nonce": secrets.token_hex(8), "channels": ["copy", "whatsapp"]}  # type: ignore[dict-item]
        if call == "views":
            usual |= {"nonce": secrets.token_hex(8)}
        return await (client or self.http).post(f"/v1/{call}", json=usual | fields)

    async def share(self, token: str, client: httpx.AsyncClient | None = None, **fields: Any) -> httpx.Response:
        """Reports a share as the widget does, with the session of the visit that made it."""
        site = self.state.sites.known(self.site)
        assert site is not None
        session = site.tokens.session(site.tokens.read(token).visit_id)
        return await self.post("shares", client, token=token, session=session, **fields)

    async def drops(self) -> dict[str, int]:
        """The refused events that are stored by now, by reason."""
        await self.post("visits")  # a batch carries the drops along
        rows = await self.store.look("SELECT reason, sum(drops) FROM drops GROUP BY reason ORDER BY reason")
        return {reason: int(count) for reason, count in rows}


@pytest.fixture
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The setting of an empty database: SQLite, the cluster where one is at hand, or as ``BOTH_BACKENDS`` says."""
    if getattr(request, "param", "postgres" if CITUS else "sqlite") == "sqlite":
        return f"sqlite:///{tmp_path / 'grapevine.sqlite3'}"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
async def server(request: pytest.FixtureRequest, database: str, anyio_backend: str) -> AsyncIterator[Server]:
    """A server with one site, ``site-a`` on https://a.example, called through ASGI or as the parameter says."""
    way, _, prefix = getattr(request, "param", "asgi").partition(" ")
    assert anyio_backend == "asyncio"
    proxies = ("127.0.0.1",) if way == "socket" else ()
    settings = Settings(
        database=database,
        secret_keys=(b"k" * 32,),
        rate_limit=0,
        trusted_proxies=proxies,
        prefix=prefix,
    )
    async with serving(settings) as server:
        await server.add_site("site-a", ORIGIN)
        yield server
        await server.hang_up()


@asynccontextmanager
async def serving(
    settings: Settings, prepare: Callable[[Backend], Awaitable[None]] | None = None
) -> AsyncIterator[Server]:
    """A server without a site; ``prepare`` does something with its open store before it begins."""
    clock = Clock()
    store = make_store(settings)
    assert isinstance(store, Backend)
    await store.open()
    try:
        if prepare is not None:
            await prepare(store)
        async with AsyncExitStack() as stack:
            state = await stack.enter_async_context(running(settings, store, clock))
            app = web_application(settings, _lifespan(state))
            url = None
            if isinstance(app, Starlette):  # no proxies: ASGI calls run no lifespan
                app.state.app_state = state
            else:
                url = await stack.enter_async_context(_listening(app))
            yield Server(state, app, clock, store, url)
    finally:
        await store.close()


def _lifespan(state: AppState) -> Lifespan[Starlette]:
    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[dict[str, AppState]]:
        app.state.app_state = state
        yield {"app_state": state}

    return lifespan


@asynccontextmanager
async def _listening(app: ASGIApp) -> AsyncIterator[str]:
    listening = ListeningServer(app, "127.0.0.1", 0)
    task = asyncio.create_task(listening.serve([listening.socket]))
    await listening.ready.wait()
    try:
        yield listening.url
    finally:
        listening.stop()
        await task
        listening.socket.close()
