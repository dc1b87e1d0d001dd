"""Fingerprints of the secret keys that a database is used with, and which keys each running process accepts.

Every change takes one lock first. So a process that starts, and says which keys it accepts, comes either before the key
that signs changes, and is asked, or afterwards, and sees which one signs.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from grapevine.store.query_runner import Runner
from grapevine.store.repositories.repository import Repository


class KnownKey(NamedTuple):
    """The fingerprint of a key; ``rotation`` is None until it signs, and the highest one signs."""

    fingerprint: str
    rotation: int | None


class KeyProcess(NamedTuple):
    """A running process, and the fingerprints of the keys that it accepts."""

    process: str
    fingerprints: frozenset[str]


async def known_keys(reader: Runner) -> list[KnownKey]:
    """Returns the keys that a database knows; the last one signs, those that only wait come first."""
    return [KnownKey(fingerprint, rotation) for fingerprint, rotation in await reader.run("known_keys")]


class FingerprintRepository(Repository):
    """The queries of ``key_fingerprints.sql``."""

    async def known(self) -> list[KnownKey]:
        """Returns the keys that the database knows, as ``known_keys`` orders them."""
        return [KnownKey(fingerprint, rotation) for fingerprint, rotation in await self._read("known_keys")]

    async def enter(self, process: str, fingerprints: Sequence[str], now: int, expires_at: int) -> list[KnownKey]:
        """Adds a process that accepts these keys, the last of which signs. Returns the keys that the database knows;
        one that knows none takes these."""
        async with self._transaction() as change:
            await change.run("lock_keys")
            await change.run("delete_expired_key_processes", now=now)
            if not await known_keys(change):
                await _adopt(change, fingerprints)
            await _set_process(change, process, fingerprints, expires_at)
            return await known_keys(change)

    async def renew(self, process: str, fingerprints: Sequence[str], expires_at: int) -> None:
        """Says which keys a process accepts; it only ever accepts more."""
        async with self._transaction() as change:
            await _set_process(change, process, fingerprints, expires_at)

    async def leave(self, process: str) -> None:
        """Takes a process out that ends."""
        async with self._transaction() as change:
            await change.run("delete_key_process", process=process)

    async def processes(self, now: int) -> list[KeyProcess]:
        """Returns the running processes."""
        return [_process(row) for row in await self._read("key_processes", now=now)]

    async def add(self, fingerprint: str) -> None:
        """Adds a key that is accepted only; its fingerprint must be new."""
        async with self._transaction() as change:
            await change.run("lock_keys")
            await change.run("insert_keys", [(fingerprint, None)])

    async def forget(self, fingerprint: str) -> None:
        """Forgets a key; no-op if it is not known."""
        async with self._transaction() as change:
            await change.run("lock_keys")
            await change.run("delete_key", fingerprint=fingerprint)

    async def sign_with(self, fingerprint: str, now: int) -> list[str]:
        """Makes a key that is known the one that signs, unless a running process does not accept it. Returns those
        processes."""
        async with self._transaction() as change:
            await change.run("lock_keys")
            lacking = await _lacking(change, fingerprint, now)
            known = await known_keys(change)
            if not lacking and known[-1].fingerprint != fingerprint:
                rotation = (known[-1].rotation or 0) + 1
                await change.run("sign_with_key", fingerprint=fingerprint, rotation=rotation)
            return lacking

    async def replace(self, fingerprints: Sequence[str], now: int) -> list[str]:
        """Takes these keys instead of those that are known.

        Where the one that signs is among them it goes on signing, and new ones are accepted only. Else the last one
        signs, unless a running process does not accept it: then nothing changes, and those processes are returned.
        """
        async with self._transaction() as change:
            await change.run("lock_keys")
            known = await known_keys(change)
            goes_on = bool(known) and known[-1].fingerprint in fingerprints
            if not goes_on and (lacking := await _lacking(change, fingerprints[-1], now)):
                return lacking
            names = {key.fingerprint for key in known}
            for name in names if not goes_on else names.difference(fingerprints):
                await change.run("delete_key", fingerprint=name)
            if goes_on:
                await change.run("insert_keys", [(name, None) for name in fingerprints if name not in names])
            else:
                await _adopt(change, fingerprints)
            return []


async def _adopt(change: Runner, fingerprints: Sequence[str]) -> None:
    await change.run("insert_keys", [(name, rotation) for rotation, name in enumerate(fingerprints, 1)])


async def _set_process(change: Runner, process: str, fingerprints: Collection[str], expires_at: int) -> None:
    await change.run("set_key_process", process=process, fingerprints=" ".join(fingerprints), expires_at=expires_at)


async def _lacking(change: Runner, fingerprint: str, now: int) -> list[str]:
    found = [_process(row) for row in await change.run("key_processes", now=now)]
    return [each.process for each in found if fingerprint not in each.fingerprints]


def _process(row: tuple[str, str]) -> KeyProcess:
    process, fingerprints = row
    return KeyProcess(process, frozenset(fingerprints.split()))
