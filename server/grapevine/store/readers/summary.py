"""The numbers of a period: from the tables of counts, or counted from the rows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from grapevine.domain import ids, money
from grapevine.domain.enums import DAY_KEYS, DAYS_OF_WEEK
from grapevine.store.query_runner import Runner
from grapevine.store.readers.scope import Scope
from grapevine.store.rows import Counts, Key

HIGHEST_SCORE: Final = (1 << 63) - 1
"""No page has more visits and shares."""


class Converted(msgspec.Struct, frozen=True):
    """Conversions of one key, reporter (a code) and currency: their number, and their value in millionths."""

    key: Key
    reported_by: int
    currency: str | None
    times: int
    worth: int | None


class SummaryReader:
    """Reads counts, shares and conversions of a period (``summary.sql``)."""

    def __init__(self, runner: Runner) -> None:
        self._run = runner.run

    async def counts(self, table: str, scope: Scope, by: str | None) -> dict[Key, Counts]:
        """Returns counts from the ``table`` day, hour, page or device, grouped by a dimension of that table or by time.

        The table of days holds one dimension at a time: that of ``by``, or else of a filter of the scope.
        """
        named = {"channel": scope.channel, "source": scope.source}
        dimension = by if by in DAY_KEYS else next((name for name, code in named.items() if code is not None), "source")
        rows = await self._run(
            f"counts_{table}_by",
            by=by,
            split=None,
            dimension=DAY_KEYS[dimension],
            key=named.get(dimension),
            **scope.params(),
        )
        return {_key(key, word): Counts(*numbers) for key, word, *numbers in rows}

    async def pages(
        self, scope: Scope, limit: int, sort: str = "top", score: int = HIGHEST_SCORE, page_id: int = 0
    ) -> dict[Key, Counts]:
        """Views, visits, returns and shares by page, from the counts, of the next ``limit`` pages.

        In the order ``top`` those with the most visits and shares come first, behind ``page_id`` of those with the sum
        ``score``; in the order ``key`` all come by their number.
        """
        return {
            page: Counts(views=views, visits=visits, returns=returns, shares=shares, proven=proven, unlinked=unlinked)
            for page, views, visits, returns, shares, proven, unlinked in await self._run(
                "counts_of_pages",
                limit=limit,
                sort=sort,
                score=score,
                after_page=page_id,
                **scope.params(),
                **weeks_of(scope.start, scope.end),
            )
        }

    async def counted_pages(self, scope: Scope, pages: Iterable[int]) -> set[int]:
        """Those of ``pages`` that ``pages`` returns, in whatever order."""
        rows = await self._run("counted_pages", [(page,) for page in pages], **scope.params())
        return {page for (page,) in rows}

    async def visits(self, scope: Scope, by: str | None) -> dict[Key, Counts]:
        """Views, visits and returns counted from the visits themselves.

        All views of a visit count when it began; people who asked not to be followed have no rows and are not in it.
        """
        name = "visits_by" if scope.page_id is None else "visits_of_page_by"
        return {
            _key(key, word): Counts(
                views=views, visits=visits, returns=returns, self_returns=self_returns, same_network=same_network
            )
            for key, word, views, visits, returns, self_returns, same_network in await self._run(
                name, by=by, **scope.params()
            )
        }

    async def visitors(self, scope: Scope, by: str | None) -> dict[Key, int]:
        """Daily distinct visitors counted from the visits themselves, each where their first visit of a day belongs."""
        rows = await self._run("visitors_by", by=by, **scope.params())
        return {_key(key, word): visitors for key, word, visitors in rows}

    async def shares_by_family(self, table: str | None, scope: Scope, by: str) -> list[tuple[int, bool, int]]:
        """Shares first seen in the scope as (number of the hour or day, whether dark, number), from the ``table`` hour
        or day, or from their rows where that is None."""
        name = "shares_by" if table is None else f"counts_{table}_by"
        rows = await self._run(
            name, by=by, split="family", dimension=DAY_KEYS["channel"], key=scope.channel, **scope.params()
        )
        shares = 2 if table is None else 2 + Counts.__struct_fields__.index("shares")
        return [(row[0], row[1] == "dark", row[shares]) for row in rows]

    async def shares(self, scope: Scope, by: str | None) -> dict[Key, Counts]:
        """Shares first seen in the scope, how many of them were reported and how many proven, from their rows."""
        return {
            _key(key, word): Counts(shares=shares, reported=reported, proven=proven)
            for key, word, shares, reported, proven in await self._run("shares_by", by=by, split=None, **scope.params())
        }

    async def unfurls(self, scope: Scope, by: str | None) -> list[tuple[Key, str, int]]:
        """Unfurls from their rows as (key, app, number); ``by`` is hour, day or None."""
        rows = await self._run("unfurls_by", by=by, **scope.params())
        return [(key, app, unfurls) for key, app, unfurls in rows]

    async def unfurls_by_app(self, scope: Scope) -> dict[str, int]:
        """Unfurls of a site's whole period by app, from the counts; filters of the scope have no part in it."""
        return dict(await self._run("unfurls_by_app", **scope.params()))

    async def conversions(self, scope: Scope, by: str | None) -> list[Converted]:
        """Conversions in the scope by key, reporter and currency."""
        rows = await self._run("conversions_by", by=by, **scope.params())
        return [counted(_key(key, word), scope.least_reporter, *numbers) for key, word, *numbers in rows]

    async def refused_and_bounded(self, scope: Scope) -> tuple[dict[str, int], dict[int, int]]:
        """A site's refused events of the period by reason, and its events that exceeded a bound by the bound's kind.

        Filters of the scope have no part in either.
        """
        rows = await self._refused_and_bounded(scope, None)
        return (
            {name: events for _, is_bound, name, events in rows if not is_bound},
            {int(name): events for _, is_bound, name, events in rows if is_bound},
        )

    async def drops(self, scope: Scope, by: str) -> list[tuple[int, str, int]]:
        """A site's refused events as (number of the hour or day, reason, number), whatever the scope's filters."""
        rows = await self._refused_and_bounded(scope, by)
        return [(key, name, events) for key, is_bound, name, events in rows if not is_bound]

    async def bound_hits(self, scope: Scope) -> list[tuple[int, int, int]]:
        """A site's events that exceeded a bound as (number of the day, kind, number), whatever the scope's filters."""
        rows = await self._refused_and_bounded(scope, "day")
        return [(key, int(name), events) for key, is_bound, name, events in rows if is_bound]

    async def _refused_and_bounded(self, scope: Scope, by: str | None) -> list[tuple[int, int, str, int]]:
        rows = await self._run("refused_and_bounded", by=by, **scope.params())
        return sorted(((key, bound, name, events) for key, bound, name, events in rows), key=lambda row: row[1:3])

    async def suspects(self, scope: Scope, by: str | None) -> list[tuple[int, int, int]]:
        """Visits of the scope that a verdict took out of every count, as (number of the hour or day, verdict's code,
        number)."""
        return [(key, code, visits) for key, code, visits in await self._run("suspects_by", by=by, **scope.params())]

    async def first_kept_day(self) -> int | None:
        """The first day of whose visits the rows are kept; None where none was ever deleted."""
        rows = await self._run("horizon")
        return int(rows[0][0]) if rows else None

    async def goals(self, scope: Scope, limit: int) -> tuple[dict[str, int], int]:
        """Conversions in the scope by goal, of the ``limit`` most frequent ones, and the number of all goals."""
        rows = await self._run("goals_by", limit=limit, **scope.params())
        return {goal: times for goal, times, _ in rows}, rows[0][2] if rows else 0

    async def goal_values(self, scope: Scope, goals: Iterable[str]) -> list[tuple[str, str | None, int | None]]:
        """The value of conversions in the scope as (goal, currency, millionths)."""
        rows = await self._run("goal_values", [(goal,) for goal in goals], **scope.params())
        return [(goal, currency, money.joined(units, rest)) for goal, currency, units, rest in rows]


def counted(
    key: Key, least_reporter: int, reported_by: int, currency: str | None, times: int, units: int, rest: int
) -> Converted:
    """Returns conversions as a query returns them, without the value of reporters below ``least_reporter``."""
    has_value = reported_by >= least_reporter
    return Converted(
        key=key,
        reported_by=reported_by,
        currency=currency if has_value else None,
        times=times,
        worth=money.joined(units, rest) if has_value else None,
    )


def weeks_of(start: int, end: int) -> dict[str, Any]:
    """A period (ms, whole days) as weeks, and as the days by which they have to be mended in front and at the back: to
    be added, or where that are fewer, taken off (a sign of -1)."""
    first, after = ids.day_at(start), ids.day_at(end)
    over, left = first % DAYS_OF_WEEK, after % DAYS_OF_WEEK
    from_week = first // DAYS_OF_WEEK + (over > DAYS_OF_WEEK // 2)
    to_week = after // DAYS_OF_WEEK + (left > DAYS_OF_WEEK // 2)
    if from_week >= to_week:
        from_week = to_week = 0
        front, back = (first, after), (after, after)
    else:
        front, back = (first, from_week * DAYS_OF_WEEK), (to_week * DAYS_OF_WEEK, after)
    return {
        "from_week": from_week,
        "to_week": to_week,
        "front_from": min(front),
        "front_to": max(front),
        "front_sign": 1 if front[0] <= front[1] else -1,
        "back_from": min(back),
        "back_to": max(back),
        "back_sign": 1 if back[0] <= back[1] else -1,
    }


def _key(key: int | None, word: str | None) -> Key:
    return key if word is None else word
