"""Delays between the attempts of a delivery: the example schedule of Standard Webhooks 1.0.0, with jitter."""

from __future__ import annotations

from typing import Final

_MINUTE: Final = 60_000
_HOUR: Final = 60 * _MINUTE
RETRY_DELAYS_MS: Final = (
    5_000, 5 * _MINUTE, 30 * _MINUTE, 2 * _HOUR, 5 * _HOUR, 10 * _HOUR, 14 * _HOUR, 20 * _HOUR, 24 * _HOUR,
)  # fmt: skip
"""The delay after the first attempt, after the second …: ten attempts within three days and four hours."""
LONGEST_RETRY_AFTER_MS: Final = 24 * _HOUR
JITTER: Final = 0.2
CLAIM_MS: Final = 60_000
"""How long a process has a delivery for itself: longer than an attempt takes."""


def retry_delay(attempt: int, jitter: float, retry_after: int = 0) -> int | None:
    """Returns the milliseconds from ``attempt`` (the first is 1) to the next one; None after the last attempt.

    ``jitter`` (0 to 1) adds up to a fifth of the delay, so that deliveries that failed together are retried apart.
    ``retry_after`` is the delay that the endpoint asked for, in milliseconds; it counts up to a day.
    """
    if attempt > len(RETRY_DELAYS_MS):
        return None
    return max(round(RETRY_DELAYS_MS[attempt - 1] * (1 + JITTER * jitter)), min(retry_after, LONGEST_RETRY_AFTER_MS))
