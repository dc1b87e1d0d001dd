"""Keeps a running process's keys up to date with the database, and says there which keys it accepts.

A new key is signed with only when every running process accepts it (docs/decisions/0045), so the order matters: a
process first accepts a key everywhere, and says so afterwards.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Final

from grapevine.background.task import background_task
from grapevine.config.secret_keys import file_keys
from grapevine.config.settings import Settings
from grapevine.domain.periods import Clock
from grapevine.errors import SettingError, StoreError
from grapevine.keyring.derivation import fingerprint
from grapevine.keyring.keyring import KeyRing, signing_order
from grapevine.store.repositories.fingerprints import FingerprintRepository, KnownKey

log = logging.getLogger(__name__)

EXPIRY_MS: Final = 60_000
"""A process that was killed counts for so long, and a rotation waits for it."""
_LOOK_SECONDS: Final = 0.5
_RENEW_MS: Final = 20_000

UseKeys = Callable[[Sequence[bytes]], Awaitable[None]]
"""Makes the process accept these keys and sign with the last one; returns when it does everywhere."""


class KeyWatch:
    """The keys of one process, ``ring``, and its row in the database."""

    def __init__(self, settings: Settings, repository: FingerprintRepository, clock: Clock, process: str) -> None:
        self.ring = KeyRing(settings.secret_keys)
        self._settings = settings
        self._repository = repository
        self._clock = clock
        self._process = process
        self._renewed_at = 0
        self._problem = ""

    @asynccontextmanager
    async def entered(self) -> AsyncIterator[KeyRing]:
        """Counts as a running process while the block runs. Raises SettingError when the database knows other keys."""
        now = self._clock()
        known = await self._repository.enter(self._process, self.ring.fingerprints(), now, now + EXPIRY_MS)
        try:
            added, _ = self._added(known)  # between the start of the process and now
            self.ring.keys = signing_order((*self.ring.keys, *added), known)
            await self._renew(now)
            yield self.ring
        finally:
            with suppress(StoreError):  # it expires
                await self._repository.leave(self._process)

    @asynccontextmanager
    async def watching(self, use: UseKeys, on_rotation: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
        """Follows changes while the block runs; ``on_rotation`` is called after another key has begun to sign."""

        async def watch() -> None:
            while True:
                await asyncio.sleep(_LOOK_SECONDS)
                try:
                    await self.look(use, on_rotation)
                except StoreError as error:
                    self._report(f"the secret keys cannot be compared, and stay as they are: {error}")

        async with background_task(watch(), "keys"):
            yield

    async def look(self, use: UseKeys, on_rotation: Callable[[], Awaitable[None]]) -> None:
        """Follows what has changed; the log says once what is wrong. Raises StoreError."""
        known = await self._repository.known()
        before = self.ring.keys
        added, problem = self._added(known)
        rotations = {key.fingerprint: key.rotation or 0 for key in known}
        keys = tuple(sorted((*before, *added), key=lambda key: rotations.get(fingerprint(key), 0)))
        if keys != before:
            await use(keys)
            self.ring.keys = keys
        now = self._clock()
        if added or abs(now - self._renewed_at) >= _RENEW_MS:
            await self._renew(now)
        if keys[-1] != before[-1]:
            log.info("tokens are signed with the key %s from now on", fingerprint(keys[-1]))
            await on_rotation()
        if known and known[-1].fingerprint not in self.ring.fingerprints():
            problem = f"the key {known[-1].fingerprint} signs, and this process lacks it: restart it with that key"
        self._report(problem)

    async def _renew(self, now: int) -> None:
        await self._repository.renew(self._process, self.ring.fingerprints(), now + EXPIRY_MS)
        self._renewed_at = now

    def _added(self, known: Sequence[KnownKey]) -> tuple[tuple[bytes, ...], str]:
        """Returns the keys that were added to the key file and that the database knows, or why it cannot be read."""
        names = {key.fingerprint for key in known}
        if names.issubset(self.ring.fingerprints()):
            return (), ""
        try:
            keys = file_keys(self._settings)
        except SettingError as error:
            return (), str(error)
        return tuple(key for key in keys if key not in self.ring.keys and fingerprint(key) in names), ""

    def _report(self, problem: str) -> None:
        if problem and problem != self._problem:
            log.error("%s", problem)
        self._problem = problem
