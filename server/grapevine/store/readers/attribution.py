"""The conversions that are credited to shares."""

from __future__ import annotations

from typing import NamedTuple

from grapevine.store.query_runner import Runner
from grapevine.store.readers.scope import Scope


class CreditedConversion(NamedTuple):
    """A conversion or a refund: its visit, the code of its reporter, and its value in millionths of a currency."""

    visit_id: int
    reported_by: int
    currency: str | None
    worth: int | None
    is_refund: bool = False


class AttributionReader:
    """Reads conversions and the chains before them (``attribution.sql``)."""

    def __init__(self, runner: Runner) -> None:
        self._run = runner.run

    async def credited(self, scope: Scope, goal: str | None, limit: int) -> list[CreditedConversion]:
        """At most ``limit`` conversions and refunds in the scope, in no order."""
        rows = await self._run("credited_by", goal=goal, limit=limit, **scope.params())
        least = scope.least_reporter
        return [
            CreditedConversion(
                visit, by, currency if by >= least else None, value if by >= least else None, bool(is_refund)
            )
            for visit, by, currency, value, is_refund in rows
        ]
