"""The calls about the numbers of a period, described once, as in ``groups``."""

from __future__ import annotations

from typing import Literal, Unpack

from grapevine.analytics.answers import AnswerStats
from grapevine.analytics.direct import Direct
from grapevine.analytics.metrics import BreakdownRow, Summary
from grapevine.analytics.rates import RateRow, Rates
from grapevine.analytics.series import Point
from grapevine.client.arguments import Day, FilterParams, asked, query_of
from grapevine.client.call import Call, Group, PagedList, Way, answer, call, pages

Dimension = Literal["channel", "page", "source", "depth", "device", "app"]


class StatsGroup(Group[Way]):
    """The numbers of a period. Without ``first`` and ``last`` these are the last 30 days.

    ``filters`` are those of the API, which ask for a part of the numbers: ``page``, ``channel``, ``source``, ``device``
    and ``app``.
    """

    @call("GET", "/v1/stats/summary")
    def summary(
        self, first: Day | None = None, last: Day | None = None, **filters: Unpack[FilterParams]
    ) -> Call[Summary]:
        """Returns all numbers of a period."""
        return Call(read=answer(Summary), query=asked(first, last, filters))

    @call("GET", "/v1/stats/series")
    def series(
        self,
        metric: str,
        first: Day | None = None,
        last: Day | None = None,
        *,
        interval: Literal["hour", "day", "week", "month"] = "day",
        currency: str | None = None,
        reported_by: Literal["page", "key"] | None = None,
        reason: str | None = None,
        verdict: str | None = None,
        bound: str | None = None,
        preview: str | None = None,
        **filters: Unpack[FilterParams],
    ) -> Call[list[Point]]:
        """Returns one number for each hour, day, week or month, without gaps.

        ``currency``, ``reported_by``, ``reason``, ``verdict``, ``bound`` and ``preview`` choose a part of a metric, as
        in the API.
        """
        query = asked(
            first,
            last,
            filters,
            metric=metric,
            interval=interval,
            currency=currency,
            reported_by=reported_by,
            reason=reason,
            verdict=verdict,
            bound=bound,
            preview=preview,
        )
        return Call(read=answer(list[Point]), query=query)

    @call("GET", "/v1/stats/breakdown")
    def breakdown(
        self,
        by: Dimension,
        first: Day | None = None,
        last: Day | None = None,
        *,
        limit: int | None = None,
        **filters: Unpack[FilterParams],
    ) -> Call[list[BreakdownRow]]:
        """Returns the numbers of a period by channel, page, source, depth, device or app.

        These are at most ``limit`` rows, 100 or up to 1,000, those with the most visits and shares.
        """
        return Call(read=answer(list[BreakdownRow]), query=asked(first, last, filters, by=by, limit=limit))

    @pages("GET", "/v1/stats/breakdown")
    def all_rows(
        self,
        by: Dimension,
        first: Day | None = None,
        last: Day | None = None,
        *,
        sort: Literal["top", "key"] = "key",
        page_size: int = 1_000,
        **filters: Unpack[FilterParams],
    ) -> PagedList[list[BreakdownRow], BreakdownRow]:
        """Yields all rows of a breakdown. ``page_size`` is how many one request asks for.

        With ``sort="top"`` those with the most visits and shares come first; a row that changes meanwhile may then be
        left out.
        """
        query = asked(first, last, filters, by=by, sort=sort, limit=page_size)
        return PagedList(
            at=lambda link: Call(read=answer(list[BreakdownRow]), query=query | query_of(link)),
            items=lambda page: page,
            next=lambda _, link: link,
        )

    @call("GET", "/v1/stats/rates")
    def rates(
        self,
        by: Literal["page", "channel"],
        first: Day | None = None,
        last: Day | None = None,
        *,
        limit: int | None = None,
        **filters: Unpack[FilterParams],
    ) -> Call[Rates]:
        """Returns how often and how fast pages or channels are shared, each number with its interval.

        These are at most ``limit`` rows, 20 or up to 100, those with the most shares.
        """
        return Call(read=answer(Rates), query=asked(first, last, filters, by=by, limit=limit))

    @pages("GET", "/v1/stats/rates")
    def all_rates(
        self,
        by: Literal["page", "channel"],
        first: Day | None = None,
        last: Day | None = None,
        *,
        page_size: int = 100,
        **filters: Unpack[FilterParams],
    ) -> PagedList[Rates, RateRow]:
        """Yields all rows of ``rates``. ``page_size`` is how many one request asks for."""
        query = asked(first, last, filters, by=by, limit=page_size)
        return PagedList(
            at=lambda cursor: Call(read=answer(Rates), query=query | {"cursor": cursor}),
            items=lambda page: page.rows,
            next=lambda page, _: page.next,
        )

    @call("GET", "/v1/stats/answers")
    def answers(self, first: Day | None = None, last: Day | None = None) -> Call[AnswerStats]:
        """Returns what people said, by class, beside what was measured of the same visits."""
        return Call(read=answer(AnswerStats), query=asked(first, last))

    @call("GET", "/v1/stats/direct")
    def direct(self, first: Day | None = None, last: Day | None = None) -> Call[Direct]:
        """Returns the direct visits, and the estimate of private shares among them."""
        return Call(read=answer(Direct), query=asked(first, last))
