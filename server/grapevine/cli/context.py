"""The context of one command: its settings, the store that they name, and its output."""

from __future__ import annotations

import sys
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, TextIO

import msgspec
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from grapevine.config.secret_keys import key_file, with_secret_keys
from grapevine.config.settings import Settings, database_path, load
from grapevine.domain.printable import printable, printable_lines
from grapevine.keyring.keyring import signing_order
from grapevine.store.base import Store
from grapevine.store.factory import make_store

WIDTH_OF_PIPES: Final = 120


class CommandContext:
    """The context of one command. All output goes through it: text is printed without markup or highlighting, and
    unprintable characters as escapes."""

    def __init__(self, environ: Mapping[str, str], config: Path | None) -> None:
        self._environ = environ
        self._config = config
        self.out = _console(sys.stdout)
        self.err = _console(sys.stderr)

    def settings(self) -> Settings:
        """Returns the settings, without secret keys unless they were given. Raises SettingError."""
        return load(self._environ, self._config)

    @asynccontextmanager
    async def store_and_keys(self) -> AsyncIterator[tuple[Store, Settings]]:
        """Opens the store, and yields it and the settings with the secret keys, of which the last one signs.

        The first call ever makes the key file. Raises SettingError when the database is used with other keys.
        """
        settings = self.settings()
        path, database = key_file(settings), database_path(settings)
        if not settings.secret_keys and path is not None and not path.exists() and database and database.exists():
            async with self.store(settings) as store:  # before a new file hides that the one of before is gone
                known = await store.fingerprints.known()
                if not path.exists():  # else another process made it meanwhile, before the database knew its key
                    signing_order((), known)
        settings = with_secret_keys(settings)
        async with self.store(settings) as store:
            keys = signing_order(settings.secret_keys, await store.fingerprints.known())
            yield store, msgspec.structs.replace(settings, secret_keys=keys)

    @asynccontextmanager
    async def store(self, settings: Settings | None = None) -> AsyncIterator[Store]:
        """Opens the store, and closes it afterwards."""
        store = make_store(settings or self.settings())
        await store.open()
        try:
            yield store
        finally:
            await store.close()

    def clock(self) -> int:
        """Returns ``now``, for what takes a clock."""
        return self.now()

    def now(self) -> int:
        """Returns the time in UTC milliseconds."""
        return time.time_ns() // 1_000_000

    def say(self, text: str = "") -> None:
        """Writes one line to standard output and flushes it."""
        sys.stdout.write(f"{printable_lines(text)}\n")
        sys.stdout.flush()

    def say_json(self, value: object, *, one_line: bool = False) -> None:
        """Writes a value as JSON to standard output."""
        encoded = msgspec.json.encode(value)
        self.say((encoded if one_line else msgspec.json.format(encoded, indent=2)).decode())

    def complain(self, text: str) -> None:
        """Writes one line to standard error."""
        sys.stderr.write(f"grapevine: {printable(' '.join(text.split()))}\n")


def counted(number: int, noun: str) -> str:
    """Returns the number with its noun: ``1 visit``, ``2,000 visits``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


class _SafeConsole(Console):
    """A console that writes unprintable characters of texts as escapes; its own, such as colours, it adds later."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=printable_lines(segment.text))


def _console(stream: TextIO) -> Console:
    width = None if stream.isatty() else WIDTH_OF_PIPES
    return _SafeConsole(file=stream, width=width, markup=False, emoji=False, highlight=False)
