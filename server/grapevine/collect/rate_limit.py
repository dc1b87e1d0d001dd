"""Rate limit: so many calls a minute for each site, address and user agent, and ten times that for each address."""

from __future__ import annotations

from collections import Counter
from typing import Final

from grapevine.domain.networks import network_of

_MINUTE_MS: Final = 60_000
_PER_ADDRESS: Final = 10


class RateLimit:
    """Counts calls by the minute. Counts are dropped when the minute ends, so a minute's traffic bounds the memory."""

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._minute = -1
        self._calls: Counter[str | tuple[int, str, str]] = Counter()

    def refuse(self, site_id: int, address: str, user_agent: str, now: int) -> int:
        """Returns 0 when the call is allowed, else the seconds until it may be retried."""
        if not self._per_minute:
            return 0
        minute, into = divmod(now, _MINUTE_MS)
        if minute != self._minute:
            self._minute = minute
            self._calls.clear()
        network = network_of(address)
        browser, calls = (site_id, network, user_agent), self._calls
        if calls[browser] >= self._per_minute or calls[network] >= self._per_minute * _PER_ADDRESS:
            return 1 + (_MINUTE_MS - into) // 1000
        calls[browser] += 1
        calls[network] += 1
        return 0
