"""The server's own salts, shared by all processes of one database."""

from __future__ import annotations

from grapevine.store.repositories.repository import Repository


class SaltRepository(Repository):
    """One salt for each kind and day."""

    async def salt(self, kind: str, day: int, fresh: str) -> str:
        """Returns the salt of a kind and day; stores ``fresh`` when there is none. The first process's salt stays."""
        async with self._transaction() as change:
            await change.run("insert_salt", kind=kind, day=day, value=fresh)
            ((value,),) = await change.run("salt", kind=kind, day=day)
            return str(value)

    async def forget_salts(self, kind: str, before_day: int) -> None:
        """Destroys the salts of that kind of days before ``before_day``."""
        async with self._transaction() as change:
            await change.run("delete_salts", kind=kind, before_day=before_day)
