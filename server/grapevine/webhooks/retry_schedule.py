"""When a delivery is tried again: the schedule that Standard Webhooks 1.0.0 gives as its example, with jitter."""

from __future__ import annotations

from typing import Final

_MINUTE: Final = 60_000
_HOUR: Final = 60 * _MINUTE
PAUSES_MS: Final = (
    5_000, 5 * _MINUTE, 30 * _MINUTE, 2 * _HOUR, 5 * _HOUR, 10 * _HOUR, 14 * _HOUR, 20 * _HOUR, 24 * _HOUR,
)  # fmt: skip
"""After the first attempt, the second …; ten attempts within three days and four hours."""
MOST_ASKED_MS: Final = 24 * _HOUR
_JITTER: Final = 0.2


def pause(attempt: int, chance: float, asked: int = 0) -> int | None:
    """How many milliseconds after ``attempt`` (from 1) the next one follows; None when there is none.

    ``chance`` (0 to 1) adds up to a fifth, so that endpoints that failed together are not all tried at once; ``asked``
    is what the endpoint wants, heard up to a day.
    """
    if attempt > len(PAUSES_MS):
        return None
    return max(round(PAUSES_MS[attempt - 1] * (1 + _JITTER * chance)), min(asked, MOST_ASKED_MS))
