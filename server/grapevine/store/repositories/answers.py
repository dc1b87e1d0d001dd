"""Classes of answers: those of the rules, and those of a person (``answers.sql``)."""

from __future__ import annotations

from collections.abc import Sequence

from grapevine.domain import ids
from grapevine.store.answer_rows import AnswerRow
from grapevine.store.repositories.repository import Repository

ClassifiedRow = tuple[int, int, int, int, str, int | None, int]
"""(site, visit, cell, event key, class, channel, version of the rules)."""


class AnswerRepository(Repository):
    """Changes what answers mean; never their text."""

    async def classify(self, rows: Sequence[ClassifiedRow]) -> None:
        """Stores the classes of some answers; those that newer rules have classified stay as they are."""
        async with self._transaction() as changes:
            await changes.run("classify_answers", rows)

    async def correct(self, site_id: int, visit_id: int, key: int, class_: str | None) -> AnswerRow | None:
        """Stores the class that a person gives an answer; None takes it back. Returns the answer, None where there is
        none."""
        cell = ids.cell_of(visit_id) if visit_id else ids.hashed_cell(key)
        async with self._transaction() as changes:
            found = await changes.run(
                "correct_answer", site_id=site_id, visit_id=visit_id, cell=cell, event_key=key, corrected=class_
            )
        return AnswerRow(*found[0]) if found else None

    async def next_site(self, site_id: int) -> int | None:
        """Returns the first site behind ``site_id`` that has answers."""
        found = await self._read("next_site_with_answers", site_id=site_id)
        return int(found[0][0]) if found else None
