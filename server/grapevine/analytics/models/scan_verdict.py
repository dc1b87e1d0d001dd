"""The verdict on single openings: a program that checks mails opens each link once, soon, and does nothing else.

Scanners of mails open a link in a real browser when the mail is delivered (Microsoft Safe Links, Proofpoint, Mimecast
and others). One opening is little evidence: people open a mail within seconds too, from an office, and leave at once.
So time alone never decides. Beside it the opening itself has to show what people's browsers hardly ever show:

- of a link that the mail button made, within ``SOON_MS`` one strong sign (a data centre's network, or no language);
- of such a link, or one that was copied and may have been pasted into a mail, within ``DELIVERED_MS`` two signs. An old
  engine may be one of them, and so may a second opening by the same machine at once.

The signs are nearly independent, so a person has to meet a coincidence: opens early (about one in twenty), does nothing
more (two in three), and has a sign (one in fifty): together 0.07 % of the people who open mails.
``make bench ARGS=scanners`` measures it.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, NamedTuple

from grapevine.analytics.models.bot_verdict import DELIVERED_MS
from grapevine.domain.channels import CODES, PASTED
from grapevine.domain.scan_signs import DATA_CENTRE, NO_LANGUAGE, SIGNS

SOON_MS: Final = 10 * 60_000
"""Within so many milliseconds of the share one strong sign is enough: the mail was written and sent, and checked on
delivery."""
_STRONG: Final = DATA_CENTRE | NO_LANGUAGE
_TWO: Final = 2
_EMAIL: Final = CODES["email"]


class SingleOpening(NamedTuple):
    """A silent return: its time, the share's channel and time, and its signs (``domain.scan_signs``).

    ``shared_at`` is a time that nobody but the sharer can move: when the sharer's own session reported the share, or
    else when the sharer's visit began. ``again`` says that the same machine opened the same link within
    ``bot_verdict.SCAN_MS``.
    """

    at: int
    channel: int
    shared_at: int
    signs: int
    again: bool = False


def all_scans(openings: Collection[SingleOpening]) -> bool:
    """Returns whether every opening of a machine on a day is a scanner's. One that is not clears them all."""
    return bool(openings) and all(map(is_scan, openings))


def is_scan(opening: SingleOpening) -> bool:
    """Returns whether a silent opening is a scanner's. One without a sign of its own never is."""
    after, signs = opening.at - opening.shared_at, opening.signs & SIGNS
    if opening.channel not in PASTED or not signs or not 0 <= after <= DELIVERED_MS:
        return False
    if opening.channel == _EMAIL and after <= SOON_MS and signs & _STRONG:
        return True
    return signs.bit_count() + opening.again >= _TWO
