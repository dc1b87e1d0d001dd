"""The lease of a job that may run for hours: renewed while it works, and given back at its end."""

from __future__ import annotations

from typing import Final

from grapevine.background.leases import Leases
from grapevine.domain.periods import Clock

_RENEW_MS: Final = 20_000


class JobLease:
    """The lease ``name``. Where it is not ``needed``, it is always held: a SQLite file has one process, which need not
    wait for the lease of a killed one."""

    def __init__(self, leases: Leases, name: str, clock: Clock, *, needed: bool) -> None:
        self._leases = leases
        self._name = name
        self._clock = clock
        self._needed = needed
        self._renewed_at = 0

    async def holds(self) -> bool:
        """Returns whether this process holds the lease, which it acquires, and renews in time."""
        if not self._needed:
            return True
        now = self._clock()
        if not self._renewed_at <= now < self._renewed_at + _RENEW_MS:
            self._renewed_at = now if await self._leases.acquire(self._name) else 0
        return self._renewed_at > 0

    async def release(self) -> None:
        """Gives the lease back."""
        if self._needed:
            await self._leases.release(self._name)
            self._renewed_at = 0
