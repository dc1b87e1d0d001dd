"""The closed sets of the contract that are stored as small numbers. Codes are added, never changed."""

from __future__ import annotations

from typing import Final

SOURCES: Final = {
    "share": 0, "campaign": 1, "search": 2, "social": 3, "messenger": 4, "email": 5, "referral": 6, "internal": 7,
    "direct-home": 8, "direct-deep": 9, "link": 10, "assistant": 11,
}  # fmt: skip
SOURCE_NAMES: Final = {code: name for name, code in SOURCES.items()}

DEVICES: Final = {"unknown": 0, "desktop": 1, "phone": 2, "tablet": 3}
DEVICE_NAMES: Final = {code: name for name, code in DEVICES.items()}

TOKEN_REASONS: Final = {
    "not-a-token": 1, "bad-signature": 2, "unknown-site-token": 3, "unknown-visit": 4, "session": 5,
}  # fmt: skip
TOKEN_REASON_NAMES: Final = {code: name for name, code in TOKEN_REASONS.items()}

VERDICTS: Final = {"driven": 1, "scanner": 2, "replay": 3}
"""Why a stored visit is taken for none of a person: a browser that says a program drives it, a mail scanner, a bot that
opens one link again and again."""
VERDICT_NAMES: Final = {code: name for name, code in VERDICTS.items()}

SHARE_REPORTERS: Final = {"token": 0, "session": 1}
"""Who reported a share: somebody who held its token, or the visit's own session."""
SHARE_REPORTER_NAMES: Final = {code: name for name, code in SHARE_REPORTERS.items()}


def share_reporter(reported_at: int | None, code: int | None) -> str | None:
    """Returns who reported a share; None while it is not reported. Rows without a code are older than the distinction:
    the widget reported them by their token."""
    if reported_at is None:
        return None
    return SHARE_REPORTER_NAMES[SHARE_REPORTERS["token"] if code is None else code]


CONVERSION_REPORTERS: Final = {"page": 0, "key": 1}
"""Who reported a conversion: a page in the visitor's browser, or a server with an API key."""
CONVERSION_REPORTER_NAMES: Final = {code: name for name, code in CONVERSION_REPORTERS.items()}

DROP_REASONS: Final = (
    "robot", "opted-out", "bad-origin", "unknown-site", "malformed", "invalid", "too-large", "rate-limited", "busy",
    "duplicate",
)  # fmt: skip

BOUND_KINDS: Final = {"pages": 0, "goals": 1, "apps": 2, "answers": 3, "shares": 4, "click-ids": 5}
"""What visitors may invent, and so has a bound by day (``writer.name_bounds``)."""
BOUND_KIND_NAMES: Final = {code: name for name, code in BOUND_KINDS.items()}

OTHER_NAME: Final = "(other)"
"""The name under which everything beyond a bound counts."""

DAY_KEYS: Final = {"channel": 0, "source": 1, "depth": 2, "hour": 3}
"""The dimensions of the counts by day; ``hour`` is the hour of the day."""

DEEPEST: Final = 63
"""In counts this depth stands for itself and all greater ones, since a visitor can make a chain as long as they like:
5,000 generations of one person must not be 5,000 rows of counts. Real chains are known to 20 or so."""

DAYS_OF_WEEK: Final = 7
"""Counts by week go from day number 0, 7, 14 …"""

NO_CHANNEL: Final = -1
"""In counts: the visit did not arrive through a share."""

ANSWER_CLASSES: Final = (
    "friend", "channel", "podcast", "event", "search", "assistant", "newsletter", "press", "advertisement", "known",
    "other",
)  # fmt: skip
"""What an answer to "how did you hear about us?" can mean (docs/answers.md)."""
