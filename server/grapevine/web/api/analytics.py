"""``/v1/stats/…``, ``/v1/attribution`` and ``/v1/spikes``: the numbers of a site for a period. Scope ``read``."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from starlette.responses import Response

from grapevine.analytics.attribution import attribute_conversions
from grapevine.analytics.breakdown import MOST_ROWS, SORTS, breakdown_page
from grapevine.analytics.direct import Direct, direct_summary
from grapevine.analytics.metrics import DIMENSIONS, LONGEST_APP, BreakdownRow, Summary
from grapevine.analytics.models.attribution import MODELS, Attribution
from grapevine.analytics.rates import MOST_RATES, RATE_DIMENSIONS, Rates, period_rates
from grapevine.analytics.series import METRICS, Choice, Point, metric_series
from grapevine.analytics.spikes import MOST_SPIKES, list_spikes
from grapevine.analytics.summary import period_summary
from grapevine.api_schemas.lists import SpikeList
from grapevine.api_schemas.queries import FilterQuery, PeriodQuery
from grapevine.domain import enums
from grapevine.domain.periods import INTERVALS
from grapevine.web.api.call import SiteCall
from grapevine.web.api.operation import Operation, ResponseSpec
from grapevine.web.responses import json_response, next_page


class SeriesQuery(FilterQuery, frozen=True, kw_only=True):
    """The parameters of ``GET /v1/stats/series``."""

    metric: Annotated[str, msgspec.Meta(examples=["visits"], extra_json_schema={"enum": [*METRICS]})]
    """Which number."""
    interval: Annotated[str, msgspec.Meta(extra_json_schema={"enum": [*INTERVALS]})] = "day"
    """How long each point is. `bound_hits` is counted by day, so `hour` is refused for it."""
    currency: Annotated[str, msgspec.Meta(examples=["EUR"], pattern="^[A-Za-z]{3}$")] | None = None
    """With `metric=value`: amounts in this currency (ISO 4217). Needed where the period has amounts in several."""
    reported_by: Annotated[str | None, msgspec.Meta(extra_json_schema={"enum": [*enums.CONVERSION_REPORTERS]})] = None
    """With `metric=conversions` or `metric=value`: only what a page, or your server with a key, reported."""
    reason: Annotated[str | None, msgspec.Meta(extra_json_schema={"enum": [*enums.DROP_REASONS]})] = None
    """With `metric=drops`: only those for this reason."""
    verdict: Annotated[str | None, msgspec.Meta(extra_json_schema={"enum": [*enums.VERDICTS]})] = None
    """With `metric=suspects`: only those with this verdict."""
    bound: Annotated[str | None, msgspec.Meta(extra_json_schema={"enum": [*enums.BOUND_KINDS]})] = None
    """With `metric=bound_hits`: only those of this bound."""
    preview: Annotated[str, msgspec.Meta(examples=["slack"], min_length=1, max_length=LONGEST_APP)] | None = None
    """With `metric=unfurls`: only previews that this app fetched."""

    def choice(self) -> Choice:
        """Returns which of the numbers of a metric is meant. Raises Invalid for a value that does not exist."""
        return Choice(**{name: getattr(self, name) for name in Choice.__struct_fields__})


class BreakdownQuery(FilterQuery, frozen=True, kw_only=True):
    """The parameters of ``GET /v1/stats/breakdown``."""

    by: Annotated[str, msgspec.Meta(examples=["channel"], extra_json_schema={"enum": [*DIMENSIONS]})]
    """What each row stands for."""
    sort: Annotated[str, msgspec.Meta(extra_json_schema={"enum": [*SORTS]})] = "top"
    """`top`: most visits and shares first; while visits come, a row may pass the cursor between two pages, and is then
    on none. `key`: in an order that never changes, so that all pages together have each row once."""
    limit: Annotated[int, msgspec.Meta(ge=1, le=MOST_ROWS)] = 100
    """How many rows at most."""
    cursor: str | None = None
    """Where the page begins: from the `Link` header of the page before."""


class RatesQuery(FilterQuery, frozen=True, kw_only=True):
    """The parameters of ``GET /v1/stats/rates``."""

    by: Annotated[str, msgspec.Meta(examples=["channel"], extra_json_schema={"enum": [*RATE_DIMENSIONS]})]
    """What each row stands for: the page that the sharing visits began on, or the channel of their shares."""
    limit: Annotated[int, msgspec.Meta(ge=1, le=MOST_RATES)] = 20
    """How many rows at most, those with the most shares first."""
    cursor: str | None = None
    """Where the page begins: `next` of the response before."""


class AttributionQuery(FilterQuery, frozen=True, kw_only=True):
    """The parameters of ``GET /v1/attribution``."""

    model: Annotated[str, msgspec.Meta(examples=["linear"], extra_json_schema={"enum": [*MODELS]})]
    """How the credit for a conversion is divided among the shares that led to it."""
    goal: Annotated[str | None, msgspec.Meta(examples=["order"])] = None
    """Only conversions of this goal."""
    limit: Annotated[int, msgspec.Meta(ge=1, le=MOST_ROWS)] = 100
    """How many pages and shares at most; those beyond are added up as `(other)`."""
    sort: Annotated[str, msgspec.Meta(extra_json_schema={"enum": [*SORTS]})] = "top"
    """`top`: pages and shares with the most credit first; while conversions come, one may pass the cursor between two
    pages of the list, and is then on none. `key`: in an order that never changes."""
    cursor: str | None = None
    """Where the lists of pages and shares begin: `next` of the response before."""


class SpikesQuery(PeriodQuery, frozen=True, kw_only=True):
    """The parameters of ``GET /v1/spikes``."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=MOST_SPIKES)] = 100
    """How many spikes at most, the newest first."""
    cursor: str | None = None
    """Where the page begins: `next` of the page before."""


async def get_summary(call: SiteCall, query: FilterQuery) -> Summary:
    """All numbers of a period."""
    return await period_summary(call.reads, call.site, query.period(call.now), query.filters())


async def get_series(call: SiteCall, query: SeriesQuery) -> list[Point]:
    """One number by hour, day, week or month, without gaps.

    Each point is what the summary of its interval says. The first week or month may begin before the period; what lies
    outside of the period is not counted.
    """
    period, filters, choice = query.period(call.now), query.filters(), query.choice()
    return await metric_series(call.reads, call.site, query.metric, query.interval, period, filters, choice)


async def get_breakdown(call: SiteCall, query: BreakdownQuery) -> Response:
    """The numbers of a period by channel, page, source, depth, device or app.

    Where more rows follow, the header `Link` leads to the next page (RFC 8288).
    """
    period, filters = query.period(call.now), query.filters()
    page = await breakdown_page(call.reads, call.site, query.by, period, filters, query.limit, query.sort, query.cursor)
    pinned = {"from": period.first.isoformat(), "to": period.last.isoformat()}
    return json_response(page.rows, headers=next_page(call.request, page.next, **pinned))


async def get_rates(call: SiteCall, query: RatesQuery) -> Rates:
    """How often and how fast pages or channels are shared, each number with its interval.

    Of a period with more than 50,000 visits a part of about as many is read; `part` says which. `channel` narrows down
    shares and their returns, but not the views and visits that they are divided by; the other filters are the sharing
    visit's.
    """
    now, period, filters = call.now, query.period(call.now), query.filters()
    return await period_rates(
        call.reads, call.site, query.by, period, now, filters, limit=query.limit, cursor=query.cursor
    )


async def get_direct(call: SiteCall, query: PeriodQuery) -> Direct:
    """Direct visits, and the estimate of private shares among them.

    It takes no filters, because the estimate needs all visits of a page.
    """
    return await direct_summary(call.reads, call.site, query.period(call.now))


async def get_attribution(call: SiteCall, query: AttributionQuery) -> Attribution:
    """Conversions and their value, credited to channels, pages and shares.

    With a `cursor` the lists of pages and shares go on after those of the response before, and their row `(other)`
    adds up what follows these. A list that has ended is empty.
    """
    return await attribute_conversions(
        call.reads,
        call.site,
        query.model,
        query.period(call.now),
        query.filters(),
        goal=query.goal,
        limit=query.limit,
        sort=query.sort,
        cursor=query.cursor,
    )


async def get_spikes(call: SiteCall, query: SpikesQuery) -> SpikeList:
    """Pages whose returns rose far above their own rate, the newest first."""
    now = call.now
    found = await list_spikes(call.state.store, call.site, now, query.period(now), query.limit, cursor=query.cursor)
    return SpikeList(spikes=found.spikes, next=found.next)


OPERATIONS: Final = [
    Operation(
        method="GET",
        path="/v1/stats/summary",
        handler=get_summary,
        tag="statistics",
        scope="read",
        query=FilterQuery,
        responses={200: ResponseSpec(Summary, "The numbers of the period.")},
    ),
    Operation(
        method="GET",
        path="/v1/stats/series",
        handler=get_series,
        tag="statistics",
        scope="read",
        query=SeriesQuery,
        responses={200: ResponseSpec(list[Point], "One point for each interval that touches the period, in order.")},
    ),
    Operation(
        method="GET",
        path="/v1/stats/breakdown",
        handler=get_breakdown,
        tag="statistics",
        scope="read",
        query=BreakdownQuery,
        responses={
            200: ResponseSpec(
                list[BreakdownRow], "The rows, those with the most visits and shares first.", headers=("Link",)
            )
        },
    ),
    Operation(
        method="GET",
        path="/v1/stats/rates",
        handler=get_rates,
        tag="statistics",
        scope="read",
        query=RatesQuery,
        responses={200: ResponseSpec(Rates, "The rates.")},
    ),
    Operation(
        method="GET",
        path="/v1/stats/direct",
        handler=get_direct,
        tag="statistics",
        scope="read",
        query=PeriodQuery,
        responses={200: ResponseSpec(Direct, "The counts, the evidence and the estimate.")},
    ),
    Operation(
        method="GET",
        path="/v1/attribution",
        handler=get_attribution,
        tag="statistics",
        scope="read",
        query=AttributionQuery,
        responses={200: ResponseSpec(Attribution, "The credits.")},
    ),
    Operation(
        method="GET",
        path="/v1/spikes",
        handler=get_spikes,
        tag="statistics",
        scope="read",
        query=SpikesQuery,
        responses={200: ResponseSpec(SpikeList, "The spikes that were raised in the period.")},
    ),
]
