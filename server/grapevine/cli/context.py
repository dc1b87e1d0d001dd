"""The context of one command: its settings, the store that they name, and its output."""

from __future__ import annotations

import secrets
import signal
import sys
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final, TextIO

import msgspec
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from grapevine.cli.encoding import for_stream
from grapevine.config.secret_keys import key_file, with_secret_keys
from grapevine.config.settings import SQLITE, Settings, database_path, load, redacted_database
from grapevine.domain.printable import printable, printable_lines
from grapevine.errors import StoreError
from grapevine.keyring.keyring import signing_order
from grapevine.store.base import Store
from grapevine.store.factory import make_store, schema_version

WIDTH_OF_PIPES: Final = 120
_KEY_BYTES: Final = 32


class CommandContext:
    """The context of one command. All output goes through it: text is printed without markup or highlighting, and
    unprintable characters as escapes."""

    def __init__(self, environ: Mapping[str, str], config: Path | None) -> None:
        self.environ = environ
        self._config = config
        self.out = _console(sys.stdout)
        self.err = _console(sys.stderr)

    def settings(self) -> Settings:
        """Returns the settings, without secret keys unless they were given. Raises SettingError."""
        return load(self.environ, self._config)

    @asynccontextmanager
    async def store_and_keys(self, *, make: bool = False) -> AsyncIterator[tuple[Store, Settings]]:
        """Opens the store, and yields it and the settings with the secret keys, of which the last one signs.

        With ``make`` the first call ever makes the database and the key file. Raises StoreError where there is no
        database otherwise, SettingError when the database is used with other keys.
        """
        settings = self.settings()
        if make:
            await self._refuse_new_keys(settings)
            settings = with_secret_keys(settings)
        async with self.store(settings, make=make) as store:
            yield store, await self.with_keys(store, settings, make=make)

    async def with_keys(self, store: Store, settings: Settings, *, make: bool = False) -> Settings:
        """Returns the settings with the secret keys of an open store, of which the last one signs.

        With ``make`` the settings have them already. Raises SettingError when the database is used with other keys.
        """
        known = await store.fingerprints.known()
        if not make:
            settings = _with_existing_keys(settings, is_signed=bool(known))
        return msgspec.structs.replace(settings, secret_keys=signing_order(settings.secret_keys, known))

    async def _refuse_new_keys(self, settings: Settings) -> None:
        """Raises SettingError where a new key file would hide that the one of before is gone."""
        path, database = key_file(settings), database_path(settings)
        if settings.secret_keys or path is None or database is None:
            return
        with suppress(PermissionError):  # which is a clear error a moment later
            if path.exists() or not database.exists():
                return
            async with self.store(settings, make=True) as store:
                known = await store.fingerprints.known()
                if not path.exists():  # else another process made it meanwhile, before the database knew its key
                    signing_order((), known)

    @asynccontextmanager
    async def store(self, settings: Settings | None = None, *, make: bool = False) -> AsyncIterator[Store]:
        """Opens the store, and closes it afterwards.

        Only with ``make`` a database is made that is not there: a command that reads would show an empty one, where
        somebody named the wrong database. Raises StoreError.
        """
        settings = settings or self.settings()
        if not make:
            await self.require_database(settings)
        store = make_store(settings)
        await store.open()
        try:
            yield store
        finally:
            await store.close()

    async def require_database(self, settings: Settings) -> None:
        """Says on a terminal which database is used. Raises StoreError where there is none yet."""
        if not await schema_version(settings):
            raise StoreError(no_database(settings))
        if sys.stdout.isatty() and sys.stderr.isatty():
            self.err.print(f"Database: {shown_database(settings)}", style="dim", soft_wrap=True)

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
        text = (encoded if one_line else msgspec.json.format(encoded, indent=2)).decode()
        self.say(for_stream(text, sys.stdout))

    def ask(self, question: str) -> str | None:
        """Writes a question to standard output. Returns the line that is typed; None at Ctrl-C or the end."""
        sys.stdout.write(f"{printable_lines(question)} ")
        sys.stdout.flush()
        # asyncio's own handler only notes an interrupt while a line is read.
        handler = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            line = sys.stdin.readline()
        except KeyboardInterrupt:
            line = ""
        finally:
            signal.signal(signal.SIGINT, handler)
        if not line:
            self.say()
        return line.strip() if line else None

    def complain(self, text: str) -> None:
        """Writes one line to standard error."""
        sys.stderr.write(f"grapevine: {printable(' '.join(text.split()))}\n")


def shown_database(settings: Settings) -> str:
    """Returns which database the settings name: a file's whole path, or an address without name and password."""
    path = database_path(settings)
    return redacted_database(settings) if path is None else str(path.absolute())


def no_database(settings: Settings) -> str:
    """Returns what is wrong where the settings name no database that is there, and what to do."""
    path = database_path(settings)
    other = "postgresql://USER:PASSWORD@HOST/DATABASE" if path is None else f"{SQLITE}/path/to/grapevine.sqlite3"
    return (
        f"there is no Grapevine database at {shown_database(settings)} yet. Is this your first site? Run: grapevine "
        f"site add NAME --origin https://example.com. Is your database elsewhere? Set GRAPEVINE_DATABASE={other}"
    )


def _with_existing_keys(settings: Settings, *, is_signed: bool) -> Settings:
    """Returns the settings with secret keys, none of which is stored anew: where nothing was ever signed, any will do
    to find that out."""
    path = key_file(settings)
    if settings.secret_keys or path is None or path.exists():
        return with_secret_keys(settings)
    if is_signed:
        return settings  # without a key, so that the missing one is named
    return msgspec.structs.replace(settings, secret_keys=(secrets.token_bytes(_KEY_BYTES),))


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
