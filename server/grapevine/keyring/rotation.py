"""Replaces the key that signs, in two steps: every running process accepts a new key before any signs with it.

Whenever this is interrupted, the same call goes on. A fingerprint is stored before its key is written, so that the
database knows every key that a process may find.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, NamedTuple

from grapevine.config.secret_keys import add_to_file, read_file
from grapevine.domain.periods import Clock
from grapevine.domain.redaction import redacted_repr
from grapevine.errors import GrapevineError
from grapevine.keyring.derivation import fingerprint
from grapevine.store.base import Store
from grapevine.store.repositories.fingerprints import FingerprintRepository, KnownKey

PATIENCE_SECONDS: Final = 90.0
"""How long a rotation waits for processes to accept the key: longer than one counts that was killed."""
_PAUSE_SECONDS: Final = 0.25
_LOCK: Final = "secret rotate"
_LOCK_MS: Final = 5_000

Pause = Callable[[float], Awaitable[None]]


class RotationError(GrapevineError):
    """The key that signs was not replaced; the text says why, and how to go on."""


class WaitingKey(NamedTuple):
    """A key that is accepted and does not sign yet, and all keys with it. ``made`` says that it was made just now."""

    secret_key: bytes
    secret_keys: tuple[bytes, ...]
    made: bool

    def __repr__(self) -> str:
        return redacted_repr(self)


async def waiting_key(
    store: Store, keys: Sequence[bytes], file: Path | None, clock: Clock, *, start_over: bool = False
) -> WaitingKey:
    """Returns the key that is to sign next; makes one, and adds it to the key file, where none waits.

    ``keys`` are those of the settings; where there is a ``file``, its keys are read anew. ``start_over`` forgets keys
    that wait and that no process has. Raises RotationError.
    """
    async with _alone(store, clock):
        known = await store.fingerprints.known()
        if not known:
            raise RotationError("the database has not been served yet, so nothing is signed; start the server first")
        keys = tuple(keys) if file is None else read_file(file)
        waiting = {key.fingerprint for key in known if key.rotation is None}
        held = [key for key in keys if fingerprint(key) in waiting]
        if held:
            return WaitingKey(held[-1], keys, made=False)
        await _forget_waiting(store, waiting, clock(), allowed=start_over or file is not None)
        key = secrets.token_urlsafe(32).encode()
        await store.fingerprints.add(fingerprint(key))
        if file is not None:
            add_to_file(file, key)
        return WaitingKey(key, (*keys, key), made=True)


async def sign_with(
    repository: FingerprintRepository, key: bytes, clock: Clock, seconds: float, pause: Pause = asyncio.sleep
) -> None:
    """Makes ``key`` the one that signs as soon as every running process accepts it. Raises RotationError after so many
    seconds, when nothing has changed."""
    lacking = await repository.sign_with(fingerprint(key), clock())
    while lacking and seconds > 0:
        await pause(_PAUSE_SECONDS)
        seconds -= _PAUSE_SECONDS
        lacking = await repository.sign_with(fingerprint(key), clock())
    if lacking:
        count = len(await repository.processes(clock()))
        raise RotationError(
            f"{len(lacking)} of {count} running processes do not accept the key {fingerprint(key)} yet, so it does not "
            "sign: restart them with it, and run the same again. One that was killed is forgotten within a minute"
        )


async def accept(repository: FingerprintRepository, keys: Sequence[bytes], now: int) -> list[KnownKey]:
    """Makes the database know exactly these keys. Returns them as it knows them. Raises RotationError."""
    lacking = await repository.replace([fingerprint(key) for key in keys], now)
    if lacking:
        raise RotationError(
            f"{len(lacking)} running processes sign with a key that is not among these; stop them first. One that was "
            "killed is forgotten within a minute"
        )
    return await repository.known()


async def _forget_waiting(store: Store, waiting: set[str], now: int, *, allowed: bool) -> None:
    for process in await store.fingerprints.processes(now):
        if common := waiting & process.fingerprints:
            raise RotationError(
                f"the key {min(common)} waits to sign, running processes have it, and this command lacks it: run it "
                "with the secret keys that they have"
            )
    if waiting and not allowed:
        raise RotationError(
            f"the key {min(waiting)} waits to sign, and is not among these secret keys: give every process the list "
            "that the first call printed, and run this with it, too; if that list is lost, add --start-over"
        )
    for name in waiting:
        await store.fingerprints.forget(name)


@asynccontextmanager
async def _alone(store: Store, clock: Clock) -> AsyncIterator[None]:
    """Waits until no other rotation is in its first step; the lock of one that was killed expires."""
    holder, patience = secrets.token_hex(8), 2 * _LOCK_MS / 1000
    while not await store.leases.acquire_lease(_LOCK, holder, clock(), clock() + _LOCK_MS):
        if patience <= 0:
            raise RotationError("another `grapevine secret rotate` is at work; run this again when it has ended")
        await asyncio.sleep(_PAUSE_SECONDS)
        patience -= _PAUSE_SECONDS
    try:
        yield
    finally:
        await store.leases.release_lease(_LOCK, holder)
