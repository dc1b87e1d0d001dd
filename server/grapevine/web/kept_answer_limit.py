"""The limit on answers that are kept for one API key (``Idempotency-Key``), without counting them at each request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from grapevine.domain.periods import Clock
from grapevine.errors import RateLimited
from grapevine.store.repositories.kept_answers import KEPT_MS, KeptAnswerRepository
from grapevine.web.caches import make_room

_PASSED_AT_ONCE: Final = 256
"""Requests of a key that pass between two counts, fewer close to the limit. A count reads all answers of the key, which
takes milliseconds for thousands. Each process counts by itself, so each may keep so many answers beyond the limit."""
_REFUSED_MS: Final = 1_000
"""For how long requests are refused after one count."""


@dataclass
class _Counted:
    """What a count allows: so many further requests; where there are none, it was ``at``, and says to wait."""

    left: int
    at: int
    wait: int


class KeptAnswerLimit:
    """Counts requests of API keys, and asks the store how many answers it keeps now and then."""

    def __init__(self, answers: KeptAnswerRepository, clock: Clock) -> None:
        self._answers = answers
        self._clock = clock
        self._counted: dict[str, _Counted] = {}

    async def take(self, key_id: str, most: int) -> None:
        """Notes a request with a new idempotency key. Raises RateLimited where ``most`` answers are kept."""
        counted = self._counted.get(key_id)
        if counted is None or (not counted.left and abs(self._clock() - counted.at) >= _REFUSED_MS):
            found = await self._count(key_id, most)
            if self._counted.get(key_id) is counted:  # else a concurrent request has counted, and noted what it took
                make_room(self._counted, key_id)
                self._counted[key_id] = found
            counted = self._counted.get(key_id, found)
        if not counted.left:
            raise RateLimited(
                f"This API key has sent {most:,} idempotency keys within 24 hours. Wait, or send no further ones.",
                retry_after=counted.wait,
            )
        counted.left -= 1
        if not counted.left:
            del self._counted[key_id]

    async def _count(self, key_id: str, most: int) -> _Counted:
        amount, now = await self._answers.amount(key_id), self._clock()
        wait = max(1, (amount.oldest + KEPT_MS - now) // 1_000)
        return _Counted(left=max(0, min(most - amount.number, _PASSED_AT_ONCE)), at=now, wait=wait)
