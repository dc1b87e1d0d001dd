"""Guards: keys of events that must happen once, kept until they expire."""

from __future__ import annotations

from typing import Final

from grapevine.store.repositories.repository import Repository

_GUARDS_AT_ONCE: Final = 2_000
_BEFORE_ALL: Final = (-1, -1, -(1 << 63))
_BEHIND_ALL: Final = ((1 << 63) - 1, (1 << 15) - 1, (1 << 63) - 1)


class GuardRepository(Repository):
    """The writer sets guards in its batches; here they are deleted."""

    async def forget_guards(self, now: int) -> None:
        """Deletes the guards that have expired, few in each transaction, so that none blocks the writer for long."""
        last: tuple[int, int, int] | None = _BEFORE_ALL
        while last is not None:
            site_id, kind, key = last
            ends = await self._read("guards_after", site_id=site_id, kind=kind, guard_key=key, window=_GUARDS_AT_ONCE)
            last = (ends[0][0], ends[0][1], ends[0][2]) if ends else None
            to_site, to_kind, to_key = last or _BEHIND_ALL
            async with self._transaction() as change:
                await change.run(
                    "delete_guards",
                    now=now,
                    site_id=site_id,
                    kind=kind,
                    guard_key=key,
                    end_site=to_site,
                    end_kind=to_kind,
                    end_key=to_key,
                )
