"""Reads answers and where their visits came from (``answers.sql``)."""

from __future__ import annotations

from typing import Final, NamedTuple

from grapevine.store.answer_rows import AnswerRow
from grapevine.store.query_runner import Runner

_COLUMNS: Final = len(AnswerRow.__struct_fields__)


class MeasuredAnswer(NamedTuple):
    """An answer with the source, channel and verdict (codes) of its visit; all None where it has none."""

    row: AnswerRow
    source: int | None
    channel: int | None
    verdict: int | None


class AnswerCount(NamedTuple):
    """How many answers mean ``meaning``, name the channel ``named``, and belong to visits of this source and channel.
    ``source`` is None where there is no visit."""

    meaning: str | None
    named: int | None
    source: int | None
    channel: int | None
    suspect: int
    times: int


class AnswerReader:
    """The queries of ``answers.sql`` that change nothing."""

    def __init__(self, runner: Runner) -> None:
        self._run = runner.run

    async def listed(
        self, site_id: int, start: int, end: int, class_: str | None, position: tuple[int, int, int], limit: int
    ) -> list[MeasuredAnswer]:
        """Returns answers from ``start`` to before ``end`` (ms), the newest first, behind ``position``: (time, visit,
        key)."""
        before, after_visit, after_key = position
        rows = await self._run(
            "answers_of_site",
            **{"class": class_},
            site_id=site_id,
            start=start,
            end=end,
            before=before,
            after_visit=after_visit,
            after_key=after_key,
            limit=limit,
        )
        return [MeasuredAnswer(AnswerRow(*row[:_COLUMNS]), *row[_COLUMNS:]) for row in rows]

    async def by_measured(self, site_id: int, start: int, end: int) -> list[AnswerCount]:
        """Counts the answers from ``start`` to before ``end`` (ms)."""
        return [
            AnswerCount(*row) for row in await self._run("answers_by_measured", site_id=site_id, start=start, end=end)
        ]
