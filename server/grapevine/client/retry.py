"""When a call is sent again, and after how long: pure functions of what happened."""

from __future__ import annotations

from collections.abc import Callable
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final, NamedTuple

import msgspec

from grapevine.client.errors import ClientError

TEMPORARY: Final = frozenset({
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
})  # fmt: skip
"""Statuses after which the same request may succeed. Not 500: an error of the server's would only be met again."""


class Failure(NamedTuple):
    """One attempt that failed.

    ``is_unsent`` is true where the server surely did nothing, so that repeating the request cannot do it twice.
    """

    error: ClientError
    is_temporary: bool
    is_unsent: bool
    retry_after: float | None = None


class Retries(msgspec.Struct, frozen=True, kw_only=True):
    """How often and how long a call is tried. All times are seconds.

    A call is sent at most ``attempts`` times, and all of them together take at most ``patience``. Before each further
    attempt the client waits: a random time up to ``first_pause``, whose double, fourfold … is never more than
    ``longest_pause``; and, where the server says ``Retry-After``, that long before it. If it says more than
    ``longest_retry_after``, or more than what is left of ``patience``, the call fails at once.
    """

    attempts: int = 4
    patience: float = 60.0
    first_pause: float = 0.5
    longest_pause: float = 8.0
    longest_retry_after: float = 30.0

    def pause(
        self, failure: Failure, *, is_repeatable: bool, tried: int, left: float, random: Callable[[], float]
    ) -> float | None:
        """Returns after how long the next attempt is due; None if there must be none.

        ``is_repeatable`` says that doing the call twice does no more than doing it once, ``tried`` how often it was
        sent, ``left`` what is left of ``patience``, ``random`` draws from [0, 1).
        """
        if not failure.is_temporary or not (is_repeatable or failure.is_unsent) or tried >= self.attempts:
            return None
        asked = failure.retry_after or 0.0
        pause = asked + self.backoff(tried, random)
        return None if asked > self.longest_retry_after or pause >= left else pause

    def backoff(self, tried: int, random: Callable[[], float]) -> float:
        """Returns a random time before the next attempt ("full jitter": AWS, Exponential Backoff And Jitter)."""
        # The exponent is bounded, since a feed that is never given up may be tried for days.
        return random() * min(self.longest_pause, self.first_pause * 2.0 ** min(tried - 1, 30))


def seconds_of(retry_after: str | None, date: str | None) -> float | None:
    """Returns what a ``Retry-After`` header says (RFC 9110, 10.2.3): seconds, or a time, which counts from ``Date``.

    Returns None where there is no such header or it cannot be read.
    """
    if retry_after is None:
        return None
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        return max(0.0, (parsedate_to_datetime(text) - parsedate_to_datetime(date or "")).total_seconds())
    except (TypeError, ValueError):  # one of them is no time, or has no zone
        return None
