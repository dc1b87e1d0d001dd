"""Sessions of the dashboard: which API key a signed-in browser uses, until the session ends."""

from __future__ import annotations

from grapevine.store.repositories.repository import Repository


class SessionRepository(Repository):
    """Begins, finds and ends sessions by the SHA-256 (hex) of their ids. No process caches them, so a session
    that ended in one has ended in all."""

    async def add(self, digest: str, key_id: str, expires_at: int, most: int) -> None:
        """Adds a session of an API key; ends the key's oldest ones beyond ``most``."""
        async with self._transaction() as change:
            await change.run("insert_session", hash=digest, key_id=key_id, expires_at=expires_at)
            await change.run("end_surplus_sessions", key_id=key_id, most=most)

    async def key_id(self, digest: str, now: int) -> str | None:
        """Returns the id of a session's API key; None when the session has ended."""
        found = await self._read("session_key", hash=digest, now=now)
        return str(found[0][0]) if found else None

    async def end(self, digest: str) -> None:
        """Ends a session; one that has ended stays so."""
        async with self._transaction() as change:
            await change.run("end_session", hash=digest)

    async def end_all(self, key_id: str) -> None:
        """Ends every session of an API key."""
        async with self._transaction() as change:
            await change.run("end_sessions_of_key", key_id=key_id)

    async def forget(self, now: int) -> None:
        """Deletes sessions that expired by ``now``."""
        async with self._transaction() as change:
            await change.run("forget_sessions", now=now)
