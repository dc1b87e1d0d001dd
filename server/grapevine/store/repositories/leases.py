"""Leases: locks with an expiry, each held by one process at a time."""

from __future__ import annotations

from grapevine.store.repositories.repository import Repository


class LeaseRepository(Repository):
    """Each lease has a name, a holder and a time at which it ends by itself."""

    async def acquire_lease(self, name: str, holder: str, now: int, expires_at: int) -> bool:
        """Takes or prolongs a lease. Returns False while another holder's lease has not ended."""
        async with self._transaction() as change:
            return bool(await change.run("acquire_lease", name=name, holder=holder, now=now, expires_at=expires_at))

    async def release_lease(self, name: str, holder: str) -> None:
        """Ends the lease of ``holder``."""
        async with self._transaction() as change:
            await change.run("release_lease", name=name, holder=holder)

    async def slot_holders(self, now: int) -> list[str]:
        """Returns the holders of writers' slots, one for each process that writes."""
        return [holder for (holder,) in await self._read("slot_holders", now=now)]
