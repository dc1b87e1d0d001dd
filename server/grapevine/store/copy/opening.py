"""The ends that addresses name."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from grapevine.config.settings import Settings, database_path
from grapevine.store.copy.endpoint import End
from grapevine.store.copy.sqlite import FileEnd
from grapevine.store.factory import make_store


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[End]:
    """The database at ``url``, a value of the setting ``database``. Raises StoreError or SettingError."""
    settings = Settings(database=url)
    path = database_path(settings)
    if path is None:
        make_store(settings)  # says which package is missing, if one is
        from grapevine.store.copy.postgres import database_end

        async with database_end(url) as end:
            yield end
        return
    end_of_file = FileEnd(path)
    try:
        yield end_of_file
    finally:
        end_of_file.close()
