"""How often one address may call: so many a minute per site, address and agent, ten times that per address."""

from __future__ import annotations

from collections import Counter
from typing import Final

_MINUTE_MS: Final = 60_000
_PER_ADDRESS: Final = 10


class RateLimit:
    """Counts calls by the minute; forgets everything when the minute is over, so memory is bounded by its traffic."""

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._minute = -1
        self._calls: Counter[tuple[object, ...]] = Counter()

    def refuse(self, site_id: int, network: str, user_agent: str, now: int) -> int:
        """0 when the call may go on, else the seconds until it may be tried again."""
        if not self._per_minute:
            return 0
        minute, into = divmod(now, _MINUTE_MS)
        if minute != self._minute:
            self._minute = minute
            self._calls.clear()
        caller, address = (site_id, network, user_agent), (network,)
        if self._calls[caller] >= self._per_minute or self._calls[address] >= self._per_minute * _PER_ADDRESS:
            return 1 + (_MINUTE_MS - into) // 1000
        self._calls[caller] += 1
        self._calls[address] += 1
        return 0
