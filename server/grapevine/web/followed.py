"""Short links that were followed a moment ago, so that a link everybody opens is looked up once a second."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from grapevine.sites import Clock

_KEPT: Final = 4_096
_FRESH_MS: Final = 1_000


class Followed:
    """Responses by the path they answer, for a second: what changes is seen as soon as a change of a site is."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: dict[bytes, tuple[int, Response]] = {}

    def keep(self, path: bytes, response: Response) -> None:
        """Remembers the response; the oldest goes where there are too many."""
        self._kept.pop(path, None)
        if len(self._kept) >= _KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept[path] = (self._clock(), response)

    def get(self, path: bytes) -> Response | None:
        """What answers the path, if it is still good."""
        kept = self._kept.get(path)
        if kept is None or abs(self._clock() - kept[0]) >= _FRESH_MS:
            return None
        return kept[1]
