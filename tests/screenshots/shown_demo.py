"""A demo that is the same each time: its clock stands still, and its keys and ids come from one seed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Final, NamedTuple

from starlette.applications import Starlette

from grapevine.analytics.cascades import list_cascades
from grapevine.config.settings import Settings
from grapevine.demo.history import History
from grapevine.demo.links import demo_world_with_links
from grapevine.demo.site import demo_folder
from grapevine.serving.app import running
from grapevine.serving.server import Server
from grapevine.simulate.player import Target
from grapevine.simulate.presets import demo_history
from grapevine.sites.cache import Site
from grapevine.sites.management import NewSite, add_site
from grapevine.store.base import Store
from grapevine.store.factory import make_store
from grapevine.web.application import web_application
from grapevine.web.demo_site import demo_site
from grapevine.web.state import AppState

NOW: Final = int(datetime(2026, 11, 27, 18, 30, tzinfo=UTC).timestamp() * 1_000)
DAYS: Final = 30
SEED: Final = 18
ORIGIN: Final = "https://lees.example"
PUBLIC: Final = "https://share.lees.example"
MOST_DRAWN: Final = 80
"""Visits of the cascade in the picture: a larger one is a thicket."""


class ShownDemo(NamedTuple):
    """``key`` opens the dashboard of the site with a history, ``new_key`` that of a site without a visit; ``root`` is
    the first visit of a large cascade, ``link`` the token of a tracked link with places."""

    server: str
    site_url: str
    key: str
    new_key: str
    root: str
    link: str


@asynccontextmanager
async def shown_demo(folder: Path) -> AsyncIterator[ShownDemo]:
    """Runs the demo with its database in ``folder``, after its history was filled in."""
    random = Random(SEED).randbytes  # noqa: S311 - the keys of a picture, no secret
    settings = Settings(
        database=f"sqlite:///{folder / 'demo.sqlite3'}", secret_keys=(random(32),), rate_limit=0, base_url=PUBLIC
    )
    store = make_store(settings)
    await store.open()
    async with AsyncExitStack() as stack:
        stack.push_async_callback(store.close)
        await store.salts.salt("nonce", 0, random(32).hex())  # ids of visits follow from it
        values: dict[str, str] = {}
        site = Server(demo_site(demo_folder(), values))
        lees = await add_site(store, "Lees", [ORIGIN], NOW, random)
        new = await add_site(store, "My new site", ["https://www.example.com"], NOW, random)
        live = await add_site(store, "Live", [site.url], NOW, random)  # visits of the pictures themselves
        state = await stack.enter_async_context(running(settings, store, _now))
        app = web_application(settings, None)
        assert isinstance(app, Starlette)
        app.state.app_state = state
        server = Server(app)
        values |= {"GRAPEVINE": server.url, "SITE": live.row.key}
        root, link = await _fill(state, store, lees)
        for each in (server, site):
            await stack.enter_async_context(_serving(each))
        yield ShownDemo(server.url, site.url, lees.key.secret, new.key.secret, root, link)


async def _fill(state: AppState, store: Store, site: NewSite) -> tuple[str, str]:
    """Fills in the past. Returns the root of the deepest of the large cascades that a picture can hold, and the token
    of a link with places."""
    world = demo_world_with_links(demo_history(NOW, DAYS), NOW)
    await History(state, Target(site.row.key, ORIGIN), world, lambda _at: None).play()
    shown = Site(site.row, state.keyring.keys)
    found = await list_cascades(store, shown, NOW, "size", 50)
    drawable = [cascade for cascade in found.cascades if cascade.size <= MOST_DRAWN]
    root = max(drawable, key=lambda cascade: (cascade.max_depth, cascade.size, cascade.root)).root
    placed = next(link for link in await store.links.of_site(shown.site_id, 50) if link.places)
    return root, shown.tokens.mint_one(placed.visit_id, placed.channel)


@asynccontextmanager
async def _serving(server: Server) -> AsyncIterator[None]:
    task = asyncio.create_task(server.work())
    await server.ready.wait()
    try:
        yield
    finally:
        server.stop()
        await task


def _now() -> int:
    return NOW
