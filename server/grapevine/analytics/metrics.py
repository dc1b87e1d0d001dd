"""Numbers of a period: the structs of the contract, and the pure functions that make them from counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Final

import msgspec

from grapevine.domain import channels, enums, money
from grapevine.domain.money import Amounts
from grapevine.errors import FieldError, Invalid
from grapevine.store.rows import Counts, Key

DIMENSIONS: Final = ("channel", "page", "source", "depth", "device", "app")
LONGEST_APP: Final = 256
"""Characters of an app's name that may be asked for; longer ones are not stored."""
NO_APP: Final = f"must be an app's name: 1 to {LONGEST_APP} characters that can be printed"


def is_app(name: str) -> bool:
    """Whether an app may have this name."""
    return 0 < len(name) <= LONGEST_APP and name.isprintable()


class Filters(msgspec.Struct, frozen=True):
    """Which part of a site's numbers is asked for: names of the contract's closed sets, a page's URL, an app's name.

    ``channel`` is the arrival channel for visits, returns and conversions and the share's own for shares and unfurls;
    ``page`` is the first page of the visit (for shares and unfurls: of the sharing visit); ``source``, ``device`` and
    ``app`` are the visit's likewise. Raises Invalid, naming each field whose value is in no closed set, or is no name.
    """

    page: str | None = None
    channel: str | None = None
    source: str | None = None
    device: str | None = None
    app: str | None = None

    def __post_init__(self) -> None:
        closed = (
            ("channel", self.channel, channels.CODES),
            ("source", self.source, enums.SOURCES),
            ("device", self.device, enums.DEVICES),
        )
        wrong = tuple(
            FieldError(field, f"must be one of {', '.join(names)}")
            for field, value, names in closed
            if value is not None and value not in names
        )
        if self.app is not None and not is_app(self.app):
            wrong += (FieldError("app", NO_APP),)
        if wrong:
            raise Invalid.of_all(wrong)


EVERYTHING: Final = Filters()
FILTERS: Final = Filters.__struct_fields__
"""The names of the filters, as parameters of every call that takes them."""


class ShareNumbers(msgspec.Struct, frozen=True):
    """Shares that were first seen in the period."""

    total: int
    """All of them."""
    reported: int
    """Those that a page reported."""
    proven: int
    """Those through which somebody came."""
    dark: int
    """Those through private channels, which other analytics cannot see."""
    public: int
    """Those through public networks."""


class ReporterTotals(msgspec.Struct, frozen=True):
    """The conversions that one kind of reporter reported."""

    conversions: int
    """How many."""
    value: Amounts
    """Their value by currency."""


class Summary(msgspec.Struct, frozen=True):
    """The numbers of a period.

    Visits with a verdict are in ``suspects`` alone. With E = visits − self_returns, each ratio is null where it divides
    by zero.
    """

    views: int
    """Pages that were seen."""
    visits: int
    """Visits, self-returns among them."""
    visitors: int
    """Distinct visitors of each day, added up."""
    returns: int
    """Visits that came with a valid token, without self-returns."""
    self_returns: int
    """Sharers who opened their own link."""
    shares: ShareNumbers
    """Shares that were first seen in the period."""
    dark_share: float | None
    """Dark shares ÷ all shares."""
    return_share: float | None
    """Returns ÷ visits."""
    k_factor: float | None
    """Returns ÷ E: how many visits each visit brought."""
    amplification: float | None
    """E ÷ (E − returns): how many visits each visit without a share led to."""
    same_network_returns: int
    """Returns from the network of the sharer, a part of `returns`."""
    unfurls: dict[str, int]
    """Previews of shared links by the app that drew them."""
    conversions: int
    """Goals that were reached."""
    value: Amounts
    """Their value by currency."""
    drops: dict[str, int]
    """Events of the whole site that were refused or repeated, by reason, whatever the filters."""
    suspects: dict[str, int]
    """Stored visits by the verdict that took them out of all other numbers."""
    bound_hits: dict[str, int]
    """Events of the whole site that exceeded a bound on what visitors may invent, by kind."""
    conversions_by: dict[str, ReporterTotals]
    """Conversions and value by who reported them: `key` (your own server) or `page` (a browser)."""


class BreakdownRow(msgspec.Struct, frozen=True):
    """The numbers of one channel, page, source, depth, device or app."""

    key: str | int
    """Its name; of a page, its URL; of a depth, a number from 0 to 62, or `63+`."""
    views: int
    """Pages that were seen."""
    visits: int
    """Visits, self-returns among them."""
    returns: int
    """Visits that came with a valid token, without self-returns."""
    shares: int
    """Shares that were first seen in the period."""
    proven: int
    """Those through which somebody came."""
    conversions: int
    """Goals that were reached."""
    value: Amounts
    """Their value by currency."""


def share_numbers(by_channel: Mapping[Key, Counts]) -> ShareNumbers:
    """Shares by channel code, split into dark and public ones. Counts without a channel are no shares."""
    shares = [(channel, counts) for channel, counts in by_channel.items() if isinstance(channel, int) and channel >= 0]
    total = sum(counts.shares for _, counts in shares)
    dark = sum(counts.shares for channel, counts in shares if channels.is_dark(channel))
    return ShareNumbers(
        total=total,
        reported=sum(counts.reported for _, counts in shares),
        proven=sum(counts.proven for _, counts in shares),
        dark=dark,
        public=total - dark,
    )


def totals_by_reporter(
    conversions: Iterable[tuple[int, int, str | None, int | None]],
) -> dict[str, ReporterTotals]:
    """Returns the totals of (reporter's code, number, currency, millionths) by the reporter's name."""
    times = dict.fromkeys(enums.CONVERSION_REPORTER_NAMES, 0)
    worth: dict[int, Counter[str | None]] = {code: Counter() for code in times}
    for code, number, currency, millionths in conversions:
        times[code] += number
        if millionths is not None:
            worth[code][currency] += millionths
    return {
        name: ReporterTotals(conversions=times[code], value=money.amounts(worth[code].items()))
        for name, code in sorted(enums.CONVERSION_REPORTERS.items())
    }


def summarize(
    counts: Counts,
    shares: ShareNumbers,
    unfurls: dict[str, int],
    conversions: int,
    value: Amounts,
    conversions_by: dict[str, ReporterTotals],
    drops: dict[str, int],
    suspects: dict[str, int],
    bound_hits: dict[str, int],
) -> Summary:
    """The summary of a period, with the contract's ratios."""
    return Summary(
        views=counts.views,
        visits=counts.metric("visits"),
        visitors=counts.visitors,
        returns=counts.returns,
        self_returns=counts.self_returns,
        shares=shares,
        dark_share=ratio(shares.dark, shares.total),
        return_share=RATIOS["return_share"](counts),
        k_factor=RATIOS["k_factor"](counts),
        amplification=RATIOS["amplification"](counts),
        same_network_returns=counts.same_network,
        unfurls=unfurls,
        conversions=conversions,
        value=value,
        conversions_by=conversions_by,
        drops=drops,
        suspects=suspects,
        bound_hits=bound_hits,
    )


def ratio(part: int, whole: int) -> float | None:
    """``part`` ÷ ``whole``, None where that divides by zero."""
    return part / whole if whole else None


def _others(counts: Counts) -> int:
    """E of the contract: all visits but self-returns."""
    return counts.metric("visits") - counts.self_returns


RATIOS: Final[Mapping[str, Callable[[Counts], float | None]]] = {
    "return_share": lambda counts: ratio(counts.returns, counts.metric("visits")),
    "k_factor": lambda counts: ratio(counts.returns, _others(counts)),
    "amplification": lambda counts: ratio(_others(counts), _others(counts) - counts.returns),
}
"""The contract's ratios of visits, in a period or in one interval of a series."""
