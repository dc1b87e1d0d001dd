"""What chains and statistics read: one typed method per named query."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from grapevine.domain import ids, money
from grapevine.domain.enums import DAY_KEYS, DAYS_OF_WEEK
from grapevine.store.query_runner import Runner
from grapevine.store.rows import CascadeVisit, Counts, Key

HIGHEST_ID: Final = (1 << 60) - 1
_WIDEST_DAY: Final = (1 << 16) - 1


class Scope(msgspec.Struct, frozen=True):
    """Which of a site's numbers are meant: from ``start`` to before ``end`` (ms, whole UTC days), codes as stored."""

    site_id: int
    start: int
    end: int
    page_id: int | None = None
    channel: int | None = None
    source: int | None = None
    device: int | None = None

    def params(self) -> dict[str, Any]:
        """The parameters of every query of ``summary.sql``."""
        first, after = ids.day_at(self.start), ids.day_at(self.end)
        return msgspec.structs.asdict(self) | {
            "from_hour": self.start // ids.HOUR_MS,
            "to_hour": self.end // ids.HOUR_MS,
            "from_unix_day": self.start // ids.DAY_MS,
            "to_unix_day": self.end // ids.DAY_MS,
            "from_day": first,
            "to_day": after,
            "from_id": ids.pack(_day(first - 1), 0, 0),
            "to_id": ids.pack(_day(after + 1), 0, 0),
        }


class ShareFacts(msgspec.Struct, frozen=True):
    """What is stored of one share."""

    page_id: int | None = None
    first_at: int | None = None
    reported_at: int | None = None
    proven_at: int | None = None
    returns: int = 0
    self_returns: int = 0


class ReachFacts(msgspec.Struct, frozen=True):
    """What lies below one share; ``worth`` are (currency, millionths), ``max_depth`` is None when nothing does."""

    visits: int
    max_depth: int | None
    shares: int
    conversions: int
    worth: list[tuple[str | None, int | None]]


class CascadeFacts(msgspec.Struct, frozen=True):
    """A cascade's stored summary; ``breadth`` and ``virality`` are those of when it had ``shape_size`` visits."""

    root_id: int
    cell: int
    page_id: int
    started_at: int
    last_at: int
    size: int
    max_depth: int
    shares: int
    conversions: int
    breadth: int | None
    virality: float | None
    shape_size: int
    shape_at: int


class Converted(msgspec.Struct, frozen=True):
    """Conversions of one key and currency: how many, and what they were worth in millionths."""

    key: Key
    currency: str | None
    times: int
    worth: int | None


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
        "from_week": from_week, "to_week": to_week,
        "front_from": min(front), "front_to": max(front), "front_sign": 1 if front[0] <= front[1] else -1,
        "back_from": min(back), "back_to": max(back), "back_sign": 1 if back[0] <= back[1] else -1,
    }  # fmt: skip


class Reads:
    """Every query of ``sql/`` that answers a question of ``insight``. Changes nothing."""

    def __init__(self, runner: Runner) -> None:
        self._run = runner.run

    async def chain_to(self, site_id: int, visit_id: int) -> list[CascadeVisit]:
        """The visits from the root of a cascade to this visit, in that order; empty when the visit is not there."""
        rows = await self._run("chain_to_visit", **_visit(site_id, visit_id))
        return [CascadeVisit(*row) for row in rows]

    async def share(self, site_id: int, visit_id: int, channel: int, n: int) -> ShareFacts:
        """What is stored of a share; of one that was neither reported nor opened, that it was not."""
        rows = await self._run("share", **_visit(site_id, visit_id), channel=channel, n=n)
        return ShareFacts(*rows[0]) if rows else ShareFacts()

    async def unfurls_of(self, site_id: int, visit_id: int, channel: int, n: int) -> dict[str, int]:
        """How many preview robots fetched a share's link, by app."""
        return dict(await self._run("unfurls_of_share", **_visit(site_id, visit_id), channel=channel, n=n))

    async def reach(self, site_id: int, visit_id: int, channel: int, n: int, hangs_on: int) -> ReachFacts:
        """Everything below a share.

        ``hangs_on`` is the sharing visit itself, or the visit it hangs on where it is a self-return: those never have
        children of their own.
        """
        rows = await self._run("reach_of_share", **_visit(site_id, visit_id), channel=channel, n=n, hangs_on=hangs_on)
        found = {what: (times, total) for what, _, times, total, _ in rows if what != "conversions"}
        converted = [
            (currency, times, money.joined(units, rest))
            for what, currency, times, units, rest in rows
            if what == "conversions"
        ]
        return ReachFacts(
            visits=found["visits"][0],
            max_depth=found["visits"][1],
            shares=found["shares"][0],
            conversions=sum(times for _, times, _ in converted),
            worth=[(currency, total) for currency, _, total in converted],
        )

    async def urls(self, site_id: int, pages: Iterable[int]) -> dict[int, str]:
        """The URLs of those of ``pages`` that are stored."""
        return dict(
            await self._run(
                "page_urls", [(page, ids.hashed_cell(page)) for page in dict.fromkeys(pages)], site_id=site_id
            )
        )

    async def shared_url(self, site_id: int, visit_id: int, channel: int, n: int) -> str | None:
        """The page a share is of: the reported one, else the first page of the visit that made it."""
        rows = await self._run("shared_page", **_visit(site_id, visit_id), channel=channel, n=n)
        return (await self.urls(site_id, [rows[0][0]])).get(rows[0][0]) if rows else None

    async def shares_of_page(self, site_id: int, page_id: int) -> dict[int, int]:
        """How often a page was shared since it was first shared, by channel; without those it never was."""
        return dict(await self._run("shares_of_page", site_id=site_id, page_id=page_id))

    async def counts(self, table: str, scope: Scope, by: str | None) -> dict[Key, Counts]:
        """Counts from the ``table`` day, hour, page or device, told apart by what that table tells apart, or by time.

        The table of days holds one dimension at a time: what ``by`` or else a filter of the scope names.
        """
        named = {"channel": scope.channel, "source": scope.source}
        dimension = by if by in DAY_KEYS else next((name for name, code in named.items() if code is not None), "source")
        rows = await self._run(
            f"counts_{table}_by", by=by, dimension=DAY_KEYS[dimension], key=named.get(dimension), **scope.params()
        )
        return {_key(key, word): Counts(*numbers) for key, word, *numbers in rows}

    async def pages(self, scope: Scope, limit: int) -> dict[Key, Counts]:
        """Views, visits, returns and shares by page, from the counts, of the pages with the most visits and shares."""
        return {
            page: Counts(views=views, visits=visits, returns=returns, shares=shares, proven=proven, unlinked=unlinked)
            for page, views, visits, returns, shares, proven, unlinked in await self._run(
                "counts_of_pages", limit=limit, **scope.params(), **weeks_of(scope.start, scope.end)
            )
        }

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

    async def shares(self, scope: Scope, by: str | None) -> dict[Key, Counts]:
        """Shares first seen in the scope, how many of them were reported and how many proven, from their rows."""
        return {
            _key(key, word): Counts(shares=shares, reported=reported, proven=proven)
            for key, word, shares, reported, proven in await self._run("shares_by", by=by, **scope.params())
        }

    async def unfurls(self, scope: Scope, by: str | None) -> list[tuple[Key, str, int]]:
        """Unfurls from their rows as (key, app, number); ``by`` is hour, day or None."""
        rows = await self._run("unfurls_by", by=by, **scope.params())
        return [(key, app, unfurls) for key, app, unfurls in rows]

    async def unfurls_by_app(self, scope: Scope) -> dict[str, int]:
        """Unfurls of a site's whole period by app, from the counts; filters of the scope have no part in it."""
        return dict(await self._run("unfurls_by_app", **scope.params()))

    async def conversions(self, scope: Scope, by: str | None) -> list[Converted]:
        """Conversions in the scope by key and currency."""
        rows = await self._run("conversions_by", by=by, **scope.params())
        return [
            Converted(_key(key, word), currency, times, money.joined(units, rest))
            for key, word, currency, times, units, rest in rows
        ]

    async def credited(self, scope: Scope, goal: str | None, limit: int) -> list[tuple[int, str | None, int | None]]:
        """At most ``limit`` conversions in the scope as (visit, currency, millionths), in no order."""
        rows = await self._run("credited_by", goal=goal, limit=limit, **scope.params())
        return [(visit, currency, value) for visit, currency, value in rows]

    async def visits_by_id(self, site_id: int, visits: Iterable[int]) -> dict[int, CascadeVisit]:
        """Those of ``visits`` that are stored."""
        rows = await self._run("cascade_visits_by_id", _roots(list(dict.fromkeys(visits))), site_id=site_id)
        return {row[0]: CascadeVisit(*row) for row in rows}

    async def reported_pages(
        self, site_id: int, shares: Iterable[tuple[int, int, int]]
    ) -> dict[tuple[int, int, int], int]:
        """The pages of those of ``shares`` (visit, channel, n) that were reported with one."""
        keys = [(visit, ids.cell_of(visit), channel, n) for visit, channel, n in shares]
        rows = await self._run("reported_pages", keys, site_id=site_id)
        return {(visit, channel, n): page for visit, channel, n, page in rows}

    async def last_return(self, site_id: int, visit_id: int, channel: int, n: int, at: int) -> int | None:
        """The last visit that came through a share at or before ``at``, self-returns left out."""
        sharer = (await self.visits_by_id(site_id, [visit_id])).get(visit_id)
        hangs_on = visit_id if sharer is None else sharer.hangs_on
        rows = await self._run(
            "last_return", **_visit(site_id, visit_id), channel=channel, n=n, hangs_on=hangs_on, at=at
        )
        return rows[0][0] if rows else None

    async def drops(self, scope: Scope) -> dict[str, int]:
        """A site's refused events of the period by reason; filters of the scope have no part in it."""
        return dict(await self._run("drops_by_reason", **scope.params()))

    async def suspects(self, scope: Scope) -> dict[int, int]:
        """Visits of the scope that a verdict took out of every count, by its code."""
        return dict(await self._run("suspects_by", **scope.params()))

    async def goals(self, scope: Scope, limit: int) -> list[tuple[str, str | None, int, int | None]]:
        """Conversions in the scope as (goal, currency, number, millionths), the ``limit`` most frequent ones."""
        rows = await self._run("goals_by", limit=limit, **scope.params())
        return [(goal, currency, times, money.joined(units, rest)) for goal, currency, times, units, rest in rows]

    async def cascade_unfurls(self, site_id: int, root: int) -> list[tuple[int, int, int, str, int]]:
        """The unfurls of a cascade's shares as (visit, channel, n, app, number)."""
        rows = await self._run("cascade_unfurls", site_id=site_id, root_id=root, cell=ids.cell_of(root))
        return [(visit, channel, n, app, times) for visit, channel, n, app, times in rows]

    async def cascade_order(
        self, site_id: int, sort: str, value: float, root_id: int, limit: int
    ) -> list[tuple[float, int]]:
        """The next cascades after (``value``, ``root_id``) in the order ``sort``: what they are sorted by, and root.

        In the order ``value`` that is a sum in millionths, exact however many bits it has.
        """
        if sort == "value":
            units, rest = money.parted(int(value))
            rows = await self._run(
                "cascades_by_value", site_id=site_id, units=units, rest=rest, root_id=root_id, limit=limit
            )
            return [(total, root) for *parts, root in rows if (total := money.joined(*parts)) is not None]
        rows = await self._run(f"cascades_by_{sort}", site_id=site_id, value=value, root_id=root_id, limit=limit)
        return [(value, root) for value, root in rows]

    async def cascade_heads(self, site_id: int, roots: Sequence[int]) -> dict[int, CascadeFacts]:
        """The summaries of those of ``roots`` that have one, by root."""
        rows = await self._run("cascade_heads", _roots(roots), site_id=site_id)
        return {row[0]: CascadeFacts(*row) for row in rows}

    async def lonely_cascade(self, site_id: int, root: int) -> CascadeFacts | None:
        """A visit as if it had a summary, or None when it is not there."""
        rows = await self._run("lonely_cascade", site_id=site_id, root_id=root, cell=ids.cell_of(root))
        return CascadeFacts(*rows[0]) if rows else None

    async def cascade_worth(self, site_id: int, roots: Sequence[int]) -> dict[int, list[tuple[str | None, int | None]]]:
        """What the conversions of some cascades were worth, as (currency, millionths) by root."""
        sums: dict[tuple[int, str | None], int] = {}
        for query in ("root_values", "cascade_values"):
            for root, currency, units, rest in await self._run(query, _roots(roots), site_id=site_id):
                sums[root, currency] = sums.get((root, currency), 0) + (money.joined(units, rest) or 0)
        found: dict[int, list[tuple[str | None, int | None]]] = {}
        for (root, currency), worth in sums.items():
            found.setdefault(root, []).append((currency, worth))
        return found

    async def stale_shapes(self, site_id: int, small: int, before: int, limit: int) -> list[tuple[int, int]]:
        """(root, size) of cascades that grew since their shape was computed; of more than ``small`` visits only those
        whose shape is older than ``before``."""
        rows = await self._run("stale_shapes", site_id=site_id, small=small, before=before, limit=limit)
        return [(root, size) for root, _, size in rows]

    async def shape_visits(self, site_id: int, roots: Sequence[int]) -> dict[int, list[tuple[int, int | None, int]]]:
        """(visit, parent, depth) of all visits below each of ``roots``, self-returns left out."""
        below: dict[int, list[tuple[int, int | None, int]]] = {root: [] for root in roots}
        for root, visit, parent, depth in await self._run("shape_visits", _roots(roots), site_id=site_id):
            below[root].append((visit, parent, depth))
        return below

    async def cascade_visits(self, site_id: int, root: int) -> list[CascadeVisit]:
        """All visits of a cascade by depth and time, self-returns left out."""
        rows = await self._run("cascade_visits", site_id=site_id, root_id=root, cell=ids.cell_of(root))
        return [CascadeVisit(*row) for row in rows]

    async def cascade_conversions(self, site_id: int, root: int) -> list[Converted]:
        """The conversions of a cascade by visit and currency."""
        rows = await self._run("cascade_conversions", site_id=site_id, root_id=root, cell=ids.cell_of(root))
        return [
            Converted(visit, currency, times, money.joined(units, rest)) for visit, currency, times, units, rest in rows
        ]

    async def direct_days(self, scope: Scope, pages: Iterable[int]) -> list[tuple[int, int, list[int]]]:
        """Visits of ``pages`` as (page, day, [deep direct, general, private returns in four groups])."""
        rows = await self._run("direct_days", [(page,) for page in pages], **scope.params())
        return [(page, day, [int(number) for number in numbers]) for page, day, *numbers in rows]

    async def direct_apps(self, scope: Scope) -> dict[str, int]:
        """Untagged visits that an app brought, by app; filters of the scope have no part in it."""
        return dict(sorted(await self._run("direct_apps", **scope.params())))

    async def direct_shares(self, scope: Scope) -> tuple[int, int, int]:
        """Private shares first seen in the period: (reported, proven, both)."""
        reported, proven, both = (await self._run("direct_shares", **scope.params()))[0]
        return int(reported or 0), int(proven or 0), int(both or 0)


def _visit(site_id: int, visit_id: int) -> dict[str, Any]:
    return {"site_id": site_id, "visit_id": visit_id, "cell": ids.cell_of(visit_id)}


def _roots(roots: Sequence[int]) -> list[tuple[int, int]]:
    return [(root, ids.cell_of(root)) for root in roots]


def _key(key: int | None, word: str | None) -> Key:
    return key if word is None else word


def _day(day: int) -> int:
    return min(max(day, 0), _WIDEST_DAY)
