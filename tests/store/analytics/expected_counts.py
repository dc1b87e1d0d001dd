"""The numbers of a world, counted one object at a time: what statistics must agree with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from grapevine.analytics.metrics import Filters
from grapevine.domain import channels, enums, ids
from grapevine.domain.money import decimal
from grapevine.domain.periods import Period, interval_start, rfc3339
from tests.store.world import Visit, World


class Happening(NamedTuple):
    """Something that counts: in which visit, when, under which channel, and as what."""

    visit: Visit
    at: int
    channel: int
    measures: dict[str, int]
    app: str = ""
    value: int | None = None
    currency: str | None = None


def happenings(world: World, *, unlinked: bool = True) -> Iterator[Happening]:
    """Yields each event of a world with the measures that it raises."""
    first = world.first_of_day()
    for visit in world.visits:
        if visit.verdict is not None:
            continue
        if visit.counts:
            measures = {
                "views": visit.views,
                "visits": 1,
                "visitors": int(visit.visit_id in first),
                "returns": int(visit.returned),
                "self_returns": int(visit.own),
                "same_network_returns": int(visit.returned and visit.same_network),
            }
            yield Happening(visit, visit.at, visit.arrival, measures)
        for at, value, currency in visit.conversions:
            yield Happening(visit, at, visit.arrival, {"conversions": 1}, value=value, currency=currency)
        for refund in visit.refunds:
            yield Happening(visit, refund.at, visit.arrival, {}, value=refund.value, currency=refund.currency)
    for share in world.shares.values():
        if share.first_at is not None and share.visit.verdict is None:
            measures = {
                "shares": 1,
                "reported": int(share.reported_at is not None),
                "proven": int(share.proven_at is not None),
                "dark": int(channels.is_dark(share.channel)),
                "public": int(not channels.is_dark(share.channel)),
            }
            yield Happening(share.visit, share.first_at, share.channel, measures)
        for app, at in share.unfurls:
            yield Happening(share.visit, at, share.channel, {"unfurls": 1}, app=app)
    for at, source, page, device in world.unlinked if unlinked else ():
        ghost = Visit(0, at, page, source, device, None, 0, 1)
        yield Happening(ghost, at, enums.NO_CHANNEL, {"visits": 1, "views": 1})


def chosen(world: World, period: Period, filters: Filters, *, unlinked: bool = True) -> list[Happening]:
    """What happened in a period and passes the filters."""
    return [
        happening
        for happening in happenings(world, unlinked=unlinked)
        if period.start <= happening.at < period.end
        and filters.page in (None, happening.visit.page)
        and filters.channel in (None, channels.NAMES.get(happening.channel))
        and filters.source in (None, enums.SOURCE_NAMES[happening.visit.source])
        and filters.device in (None, enums.DEVICE_NAMES[happening.visit.device])
        and filters.app in (None, happening.visit.app)
    ]


def total(found: list[Happening]) -> Counter[str]:
    """Returns the sums of all measures."""
    numbers: Counter[str] = Counter()
    for happening in found:
        numbers.update(happening.measures)
    return numbers


def worth(found: Iterable[Happening]) -> dict[str, str]:
    """The value of what was converted, by currency."""
    sums: Counter[str] = Counter()
    for happening in found:
        if happening.value is not None and happening.currency is not None:
            sums[happening.currency] += happening.value
    return {currency: decimal(amount) for currency, amount in sorted(sums.items())}


def key_of(happening: Happening, by: str) -> str | int | None:
    """The key of a breakdown under which something counts."""
    visit = happening.visit
    keys: dict[str, str | int | None] = {
        "channel": channels.NAMES.get(happening.channel),
        "page": visit.page,
        "source": enums.SOURCE_NAMES[visit.source],
        "depth": visit.depth,
        "device": enums.DEVICE_NAMES[visit.device],
        "app": visit.app,
    }
    return keys[by]


def by_interval(found: list[Happening], interval: str, period: Period) -> dict[str, list[Happening]]:
    """What happened in each interval, by its start; empty ones among them."""
    points: dict[int, list[Happening]] = {interval_start(ids.day_start(day), interval): [] for day in period.days}
    if interval == "hour":
        points = {hour * ids.HOUR_MS: [] for hour in period.hours}
    for happening in found:
        points[interval_start(happening.at, interval)].append(happening)
    return {rfc3339(at): happenings for at, happenings in points.items()}


def number(found: list[Happening], metric: str) -> float | None:
    """A metric of what happened, as the contract defines it."""
    numbers = total(found)
    others = numbers["visits"] - numbers["self_returns"]
    ratios = {
        "dark_share": (numbers["dark"], numbers["shares"]),
        "return_share": (numbers["returns"], numbers["visits"]),
        "k_factor": (numbers["returns"], others),
        "amplification": (others, others - numbers["returns"]),
    }
    if metric not in ratios:
        return numbers[metric]
    part, whole = ratios[metric]
    return part / whole if whole else None
