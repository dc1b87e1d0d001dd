"""The bot verdict on one visitor-day: a program opens one link again and again, and does nothing else.

Mail gateways open the links of a mail when it is delivered, in real browsers, from one machine, often several times
within seconds (Microsoft Safe Links, Proofpoint and others). Bots replay a link that they found. A person who opens a
link twice mostly does so hours after it was sent, and goes on to a second page, shares, converts, or comes another way,
at least now and then; so does one of the people who share an address and a browser. A single visit that does so clears
all of the machine's visits of the day.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from grapevine.domain.channels import CODES
from grapevine.domain.enums import VERDICTS

SCAN: Final = 2
SCAN_MS: Final = 30_000
DELIVERED_MS: Final = 30 * 60_000
REPLAY: Final = 8
REPLAY_MS: Final = 60_000
_EMAIL: Final = CODES["email"]


class Opening(NamedTuple):
    """A silent return: when, through which share (visit, channel, n), and when that was made."""

    at: int
    share: tuple[int, int, int]
    made_at: int


def verdict_of(openings: Iterable[Opening]) -> int | None:
    """Returns the code of the verdict on a machine's day, or None for a person.

    ``replay``: eight openings of one link within a minute. ``scanner``: two of a mailed link within 30 seconds, in the
    half hour after it was shared.
    """
    times: dict[tuple[int, int, int], list[int]] = {}
    early: dict[tuple[int, int, int], list[int]] = {}
    for opening in openings:
        times.setdefault(opening.share, []).append(opening.at)
        if opening.share[1] == _EMAIL and opening.at - opening.made_at <= DELIVERED_MS:
            early.setdefault(opening.share, []).append(opening.at)
    if any(_within(sorted(found), REPLAY, REPLAY_MS) for found in times.values()):
        return VERDICTS["replay"]
    return VERDICTS["scanner"] if any(_within(sorted(found), SCAN, SCAN_MS) for found in early.values()) else None


def _within(times: Sequence[int], many: int, window: int) -> bool:
    """Whether so many of the sorted ``times`` lie within a window somewhere."""
    return any(last - first <= window for first, last in zip(times, times[many - 1 :], strict=False))
