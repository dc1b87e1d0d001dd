"""Answers to requests with an ``Idempotency-Key``, kept so that a repeat gets the same."""

from __future__ import annotations

from typing import Final, NamedTuple

import msgspec

from grapevine.errors import GrapevineError
from grapevine.store.query_runner import Runner
from grapevine.store.repositories.repository import Repository
from grapevine.store.rows import KeptAnswer

KEPT_MS: Final = 86_400_000
"""For how long an answer is kept: retries of a client that was offline for a day still get it."""


class AlreadyAnswered(GrapevineError):
    """A request with the same idempotency key was answered meanwhile: what the transaction did is rolled back."""


class KeptAmount(NamedTuple):
    """How many answers are kept for an API key, and the time of the oldest (UTC milliseconds; 0 for none)."""

    number: int
    oldest: int


async def keep_answer(change: Runner, answer: KeptAnswer | None) -> None:
    """Keeps an answer in the transaction ``change`` of what it tells of, so that there is neither without the other.

    A concurrent repeat waits here for the end of the other transaction. Raises AlreadyAnswered.
    """
    if answer is None:
        return
    values = msgspec.structs.asdict(answer)
    await change.run("forget_kept_answer", **values, since=answer.created_at - KEPT_MS)
    if not await change.run("insert_kept_answer", **values):
        raise AlreadyAnswered("a request with this idempotency key was answered before")


class KeptAnswerRepository(Repository):
    """Finds and forgets answers; times are UTC milliseconds."""

    async def find(self, key_id: str, digest: str, now: int) -> KeptAnswer | None:
        """Returns the answer that is kept for an API key and the SHA-256 (hex) of an idempotency key."""
        rows = await self._read("kept_answer", key_id=key_id, hash=digest, since=now - KEPT_MS)
        return KeptAnswer(**dict(zip(KeptAnswer.__struct_fields__, rows[0], strict=True))) if rows else None

    async def amount(self, key_id: str) -> KeptAmount:
        """Returns how many answers are kept for an API key."""
        ((number, oldest),) = await self._read("amount_of_kept_answers", key_id=key_id)
        return KeptAmount(int(number), int(oldest or 0))

    async def keep(self, answer: KeptAnswer) -> None:
        """Keeps an answer for itself. Raises AlreadyAnswered."""
        async with self._transaction() as change:
            await keep_answer(change, answer)

    async def forget(self, now: int) -> None:
        """Deletes the answers that are too old at ``now``."""
        async with self._transaction() as change:
            await change.run("forget_kept_answers", since=now - KEPT_MS)
