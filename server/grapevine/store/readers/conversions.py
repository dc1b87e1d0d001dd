"""Single conversions: found by their key, whichever visit they are in, and their refunds."""

from __future__ import annotations

from collections.abc import Iterable

from grapevine.domain import ids
from grapevine.store.query_runner import Runner
from grapevine.store.readers.scope import visit_params
from grapevine.store.rows import ConversionRow
from grapevine.store.write_batch import ConversionGuard


class ConversionReader:
    """Reads conversions by their keys (``conversions.sql``). A key is the number of a conversion's public id."""

    def __init__(self, runner: Runner) -> None:
        self._run = runner.run

    async def conversion(self, site_id: int, key: int) -> ConversionRow | None:
        """Returns a conversion or a refund by its key; None of one that is not stored, or not any more."""
        return (await self.conversions(site_id, [key])).get(key)

    async def conversions(self, site_id: int, keys: Iterable[int]) -> dict[int, ConversionRow]:
        """Returns those of the conversions that are stored, by key."""
        guards = await self.guards(site_id, keys)
        rows = [
            (guard.visit_id, ids.cell_of(guard.visit_id), key)
            for key, guard in guards.items()
            if guard.visit_id is not None
        ]
        found = await self._run("conversions_of_keys", rows, site_id=site_id) if rows else []
        return {row.event_key: row for row in (ConversionRow(*columns) for columns in found)}

    async def guards(self, site_id: int, keys: Iterable[int]) -> dict[int, ConversionGuard]:
        """Returns the guards of those of some conversions that were ever reported, by key."""
        rows = [(key, ids.hashed_cell(key)) for key in dict.fromkeys(keys)]
        found = await self._run("guards_of_conversions", rows, site_id=site_id) if rows else []
        return {key: ConversionGuard(reported_by=by, visit_id=visit_id) for key, by, visit_id in found}

    async def left(self, site_id: int, conversions: Iterable[ConversionRow]) -> dict[int, int]:
        """Returns what is left of conversions after their refunds, in millionths, by key."""
        rows = [(site_id, each.visit_id, each.cell, each.event_key) for each in conversions]
        found = await self._run("refundable", rows) if rows else []
        return {key: left or 0 for _, _, key, *_, left in found}

    async def refunds(self, conversion: ConversionRow) -> list[ConversionRow]:
        """Returns the refunds of a conversion, the oldest first."""
        rows = await self._run(
            "refunds_of_key",
            **visit_params(conversion.site_id, conversion.visit_id),
            event_key=conversion.event_key,
        )
        return [ConversionRow(*columns) for columns in rows]
