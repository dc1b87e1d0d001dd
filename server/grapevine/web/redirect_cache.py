"""Short links that were followed a while ago, so that a link everybody opens is not looked up for each of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from starlette.responses import Response

from grapevine.domain.periods import Clock

_KEPT: Final = 4_096
_FRESH_MS: Final = 60_000


class Followed:
    """Responses by the text of their token.

    A response is good for a minute, until a site changes (``version`` rises then), or until the share is reported,
    which may name another page than the one the link led to so far.
    """

    def __init__(self, clock: Clock, version: Callable[[], int]) -> None:
        self._clock = clock
        self._version = version
        self._kept: dict[str, tuple[int, int, Response]] = {}

    def keep(self, token: str, response: Response) -> None:
        """Remembers the response; the oldest goes where there are too many."""
        self._kept.pop(token, None)
        if len(self._kept) >= _KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept[token] = (self._clock(), self._version(), response)

    def get(self, token: str) -> Response | None:
        """What answers who follows the token's link, if it is still good."""
        kept = self._kept.get(token)
        if kept is None:
            return None
        at, version, response = kept
        return response if version == self._version() and abs(self._clock() - at) < _FRESH_MS else None

    def forget(self, token: str) -> None:
        """Called when the token's share is reported."""
        self._kept.pop(token, None)
