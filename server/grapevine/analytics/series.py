"""One number of the summary over time: for each interval what the summary of that interval says, without gaps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from grapevine.analytics import count_tables, metrics
from grapevine.analytics.count_tables import added, check_app, check_kept, counts_by, scope_of
from grapevine.analytics.metrics import EVERYTHING, Filters
from grapevine.domain import enums, ids, money
from grapevine.domain.currencies import currency_code
from grapevine.domain.periods import Period, interval_start, interval_starts, rfc3339
from grapevine.errors import FieldError, Invalid
from grapevine.sites.cache import Site
from grapevine.store.readers.reads import Reads
from grapevine.store.readers.scope import Scope
from grapevine.store.readers.summary import Converted

METRICS: Final[Mapping[str, tuple[str, ...]]] = {
    "views": ("views",),
    "visits": ("visits",),
    "visitors": ("visitors",),
    "returns": ("returns",),
    "self_returns": ("self_returns",),
    "shares": ("shares", "total"),
    "reported": ("shares", "reported"),
    "proven": ("shares", "proven"),
    "dark": ("shares", "dark"),
    "public": ("shares", "public"),
    "dark_share": ("dark_share",),
    "return_share": ("return_share",),
    "k_factor": ("k_factor",),
    "amplification": ("amplification",),
    "same_network_returns": ("same_network_returns",),
    "unfurls": ("unfurls",),
    "conversions": ("conversions",),
    "value": ("value",),
    "drops": ("drops",),
    "suspects": ("suspects",),
    "bound_hits": ("bound_hits",),
}
"""Every metric, with the place of its number in a summary. No number of the summary is without a metric."""

CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "currency": ("value",),
    "reported_by": ("conversions", "value"),
    "reason": ("drops",),
    "verdict": ("suspects",),
    "bound": ("bound_hits",),
    "preview": ("unfurls",),
}
"""The parameters that choose one of the numbers that the summary has under a key, and the metrics that take each."""

_CLOSED: Final[Mapping[str, Iterable[str]]] = {
    "reported_by": enums.CONVERSION_REPORTERS,
    "reason": enums.DROP_REASONS,
    "verdict": enums.VERDICTS,
    "bound": enums.BOUND_KINDS,
}
_MOST_NAMED: Final = 20
_BY_FAMILY: Final = ("dark", "public", "dark_share")
_FROM_ROWS: Final = ("value", "suspects")
"""Metrics that no table of counts has, whatever the filters."""


class Choice(msgspec.Struct, frozen=True):
    """Which of the numbers that a summary has under a key is meant: those of one ``currency`` of ``value``, one
    reporter of ``conversions`` and ``value``, one ``reason`` of ``drops``, one ``verdict`` of ``suspects``, one
    ``bound`` of ``bound_hits``, or one app's ``preview`` of ``unfurls``. A currency may be written in small letters.

    Raises Invalid, naming each field whose value does not exist.
    """

    currency: str | None = None
    reported_by: str | None = None
    reason: str | None = None
    verdict: str | None = None
    bound: str | None = None
    preview: str | None = None

    def __post_init__(self) -> None:
        wrong = [
            FieldError(name, f"must be one of {', '.join(known)}")
            for name, known in _CLOSED.items()
            if getattr(self, name) is not None and getattr(self, name) not in known
        ]
        if self.currency is not None:
            code = currency_code(self.currency)
            if code is None:
                wrong.append(FieldError("currency", "must be a current code of ISO 4217, such as EUR or USD"))
            msgspec.structs.force_setattr(self, "currency", code)
        if self.preview is not None and not metrics.is_app(self.preview):
            wrong.append(FieldError("preview", metrics.NO_APP))
        if wrong:
            raise Invalid.of_all(wrong)

    def check(self, metric: str) -> None:
        """Raises Invalid for what cannot be chosen of ``metric``."""
        wrong = [
            FieldError(name, f"is taken with metric={' or metric='.join(taking)} alone")
            for name, taking in CHOICES.items()
            if getattr(self, name) is not None and metric not in taking
        ]
        if wrong:
            raise Invalid.of_all(wrong)


ALL: Final = Choice()


class Point(msgspec.Struct, frozen=True, omit_defaults=True):
    """One interval of a series."""

    at: str
    """When it begins."""
    value: int | float | str | None
    """The number that belongs to it: a ratio is null where it divides by zero, money is a decimal string."""
    currency: str | None = None
    """Of money: its currency, where there is any in the period."""


class _Asked(NamedTuple):
    """A question for a series, by hour or day: the intervals are made of these."""

    reads: Reads
    scope: Scope
    filters: Filters
    by: str
    choice: Choice


_Number = int | float | str | None
_Read = tuple[Iterable[tuple[Any, Any]], Callable[[Sequence[Any]], _Number]]
"""What was read as (number of the hour or day, part), and how the parts of an interval become its number."""


async def metric_series(
    reads: Reads,
    site: Site,
    metric: str,
    interval: str,
    period: Period,
    filters: Filters = EVERYTHING,
    choice: Choice = ALL,
) -> list[Point]:
    """One of ``METRICS`` for each of ``periods.INTERVALS`` in ``period``, without gaps.

    The first week or month may begin before the period; what lies outside of it is not counted. Raises Invalid for an
    unknown metric or interval, for a choice that the metric does not have, for bounds by hour, for amounts of several
    currencies where none is chosen, and for more than 10,000 points.
    """
    if metric not in METRICS:
        raise Invalid.of("metric", f"must be one of {', '.join(METRICS)}")
    choice.check(metric)
    parts: dict[int, list[Any]] = {start: [] for start in interval_starts(period, interval)}
    if metric == "bound_hits" and interval == "hour":
        raise Invalid.of("interval", "must be day, week or month: what exceeds a bound is counted by day")
    by = "hour" if interval == "hour" else "day"
    if metric in _FROM_ROWS:
        await check_kept(reads, period, f"{metric} can be asked")
    await check_app(reads, period, filters, by, *(("channel",) if metric in _BY_FAMILY else ()))
    asked = _Asked(reads, await scope_of(reads, site, period, filters), filters, by, choice)
    currency = None
    if metric == "value":
        converted = await _converted(asked)
        currency = choice.currency or _only_currency(converted)
        found, number = _values(converted, currency)
    else:
        found, number = await _READERS[metric](asked, metric)
    for key, part in found:
        if isinstance(key, int):
            parts[interval_start(key * ids.HOUR_MS if by == "hour" else ids.day_start(key), interval)].append(part)
    return [Point(at=rfc3339(at), value=number(several), currency=currency) for at, several in parts.items()]


async def _counted(asked: _Asked, metric: str) -> _Read:
    """Numbers that the counts themselves have, and ratios of them."""
    found = await counts_by(asked.reads, asked.scope, asked.filters, asked.by, with_visitors=metric == "visitors")
    if metric in metrics.RATIOS:
        ratio = metrics.RATIOS[metric]
        return found.items(), lambda parts: ratio(added(parts))
    name = "same_network" if metric == "same_network_returns" else metric
    return [(key, counts.metric(name)) for key, counts in found.items()], sum


async def _families(asked: _Asked, metric: str) -> _Read:
    """Numbers of shares through dark and public channels. Parts are (whether dark, number of shares)."""
    table = count_tables.table_of(asked.filters, "channel", asked.by)
    found = await asked.reads.summary.shares_by_family(table, asked.scope, asked.by)

    def number(parts: Sequence[tuple[bool, int]]) -> _Number:
        total = sum(shares for _, shares in parts)
        dark = sum(shares for is_dark, shares in parts if is_dark)
        return {"dark": dark, "public": total - dark, "dark_share": metrics.ratio(dark, total)}[metric]

    return [(key, (is_dark, shares)) for key, is_dark, shares in found], number


async def _unfurls(asked: _Asked, _: str) -> _Read:
    app, summary = asked.choice.preview, asked.reads.summary
    if asked.filters == EVERYTHING and not (app and asked.by == "hour"):
        table = "day" if asked.by == "hour" else "device"
        counted = await summary.counts(table, msgspec.structs.replace(asked.scope, app=app), asked.by)
        return [(key, counts.unfurls) for key, counts in counted.items()], sum
    found = await summary.unfurls(asked.scope, asked.by)
    return [(key, unfurls) for key, of, unfurls in found if app in (None, of)], sum


async def _conversions(asked: _Asked, _: str) -> _Read:
    return [(one.key, one.times) for one in await _converted(asked)], sum


async def _drops(asked: _Asked, _: str) -> _Read:
    found = await asked.reads.summary.drops(asked.scope, asked.by)
    return [(key, events) for key, reason, events in found if asked.choice.reason in (None, reason)], sum


async def _suspects(asked: _Asked, _: str) -> _Read:
    found = await asked.reads.summary.suspects(asked.scope, asked.by)
    wanted = asked.choice.verdict
    return [(key, visits) for key, code, visits in found if wanted in (None, enums.VERDICT_NAMES[code])], sum


async def _bound_hits(asked: _Asked, _: str) -> _Read:
    found = await asked.reads.summary.bound_hits(asked.scope)
    wanted = asked.choice.bound
    return [(key, events) for key, kind, events in found if wanted in (None, enums.BOUND_KIND_NAMES[kind])], sum


async def _converted(asked: _Asked) -> list[Converted]:
    """The conversions of the chosen reporter."""
    wanted = asked.choice.reported_by
    found = await asked.reads.summary.conversions(asked.scope, asked.by)
    return [one for one in found if wanted in (None, enums.CONVERSION_REPORTER_NAMES[one.reported_by])]


def _values(converted: Sequence[Converted], currency: str | None) -> _Read:
    """Amounts of one currency. An interval's are added up as the summary's are, with its bound on currencies."""

    def number(parts: Sequence[Converted]) -> str:
        sums = money.amounts((one.currency, one.worth) for one in parts) if parts else {}
        return sums.get(currency or "", _NOTHING)

    return [(one.key, one) for one in converted], number


def _only_currency(converted: Iterable[Converted]) -> str | None:
    """The currency of all amounts, None where there are none. Raises Invalid where there are several."""
    used: Counter[str] = Counter()
    for one in converted:
        if one.currency is not None and one.worth is not None:
            used[one.currency] += one.times
    if len(used) > 1:
        named = ", ".join(currency for currency, _ in used.most_common(_MOST_NAMED))
        raise Invalid.of("currency", f"is needed: amounts of this period are in several currencies, such as {named}")
    return next(iter(used), None)


_NOTHING: Final = money.decimal(0)
_READERS: Final = {
    **dict.fromkeys(_BY_FAMILY, _families),
    "unfurls": _unfurls,
    "conversions": _conversions,
    "drops": _drops,
    "suspects": _suspects,
    "bound_hits": _bound_hits,
    **dict.fromkeys(
        (
            "views", "visits", "visitors", "returns", "self_returns", "same_network_returns", "shares", "reported",
            "proven", *metrics.RATIOS,
        ),
        _counted,
    ),
}  # fmt: skip
