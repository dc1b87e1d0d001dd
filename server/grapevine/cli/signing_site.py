"""A site whose tokens a command may sign, not only read."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from grapevine.cli.context import CommandContext
from grapevine.config.settings import Settings
from grapevine.keyring.watch import KeyWatch
from grapevine.sites.cache import Site
from grapevine.sites.management import find_site
from grapevine.store.base import Store


class SigningSite(NamedTuple):
    """A site that signs with the key that the database is used with."""

    store: Store
    settings: Settings
    site: Site


@asynccontextmanager
async def signing_site(context: CommandContext, named: str) -> AsyncIterator[SigningSite]:
    """Opens the database, which has to be there, and finds a site in it by what somebody typed.

    A database that has never signed takes the key of the settings, and the key file is made if there is none: what is
    signed now has to be valid when the server starts. Raises StoreError, SettingError, UnknownSite.
    """
    await context.require_database(context.settings())
    async with context.store_and_keys(make=True) as (store, settings):
        row = await find_site(store.sites, named)
        watch = KeyWatch(settings, store.fingerprints, context.clock, f"command {secrets.token_hex(8)}")
        async with watch.entered() as keyring:
            yield SigningSite(store, settings, Site(row, keyring.keys))
