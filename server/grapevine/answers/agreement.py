"""Whether what somebody said agrees with what was measured of the same visit, class by class (docs/answers.md)."""

from __future__ import annotations

from math import sqrt
from typing import Final, Literal

import msgspec

from grapevine.domain import channels, enums

Verdict = Literal["agree", "differ", "unmeasured"]
"""``unmeasured``: the visit came directly or from the site itself, so that nothing was measured that could differ."""

COMPARABLE: Final = {
    "friend": ("share", "messenger"),
    "channel": ("social", "messenger"),
    "search": ("search",),
    "assistant": ("assistant",),
    "newsletter": ("email", "campaign"),
    "press": ("referral",),
    "advertisement": ("campaign",),
}
"""The sources that agree with a class. The other classes have no source of their own: nothing is compared there."""

_UNMEASURED: Final = frozenset({"direct-home", "direct-deep", "internal"})
_Z: Final = 1.959964
"""The quantile of a normal distribution for 95 %."""


class Agreement(msgspec.Struct, frozen=True, kw_only=True):
    """How often two things agree: the share ``value`` of ``n``, and its interval of Wilson (1927) at ``level``."""

    value: float
    """How often both agree, 0 to 1."""
    low: float
    """The lower end of the interval of Wilson."""
    high: float
    """The upper end of the interval."""
    n: int
    """Of how many answers."""
    level: float = 0.95
    """How sure the interval is."""


def compare(meaning: str, named: int | None, source: int, channel: int | None) -> Verdict | None:
    """Compares a class, and the channel (a code) that the text names, with the source and channel of the visit.

    Returns None for a class that nothing measured could agree with. A share agrees with "a friend"; with a network it
    agrees where it was made on the one that is named, or on any network where none is named.
    """
    agreeing = COMPARABLE.get(meaning)
    if agreeing is None:
        return None
    measured = enums.SOURCE_NAMES[source]
    if measured in _UNMEASURED:
        return "unmeasured"
    if measured in agreeing:
        return "agree"
    if meaning == "channel" and measured == "share" and channel is not None:
        same = channel == named if named is not None else not channels.is_dark(channel)
        return "agree" if same else "differ"
    return "differ"


def wilson(agreed: int, n: int) -> Agreement | None:
    """Returns the share of ``agreed`` among ``n`` with its interval (E. B. Wilson, JASA 22, 1927); None without any."""
    if n == 0:
        return None
    p, z2 = agreed / n, _Z * _Z
    middle = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z / (1 + z2 / n) * sqrt(p * (1 - p) / n + z2 / (4 * n * n))
    return Agreement(
        value=round(p, 4), low=round(max(0.0, middle - half), 4), high=round(min(1.0, middle + half), 4), n=n
    )
