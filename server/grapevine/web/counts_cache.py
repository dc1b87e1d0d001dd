"""Share counts that were asked for a moment ago, so that a page everybody reads asks the store a few times a minute."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final, NamedTuple

import msgspec

from grapevine.domain.channels import NAMES
from grapevine.domain.periods import Clock

_KEPT: Final = 4_096
_FRESH_MS: Final = 10_000


class Told(NamedTuple):
    """An answer as it goes over the wire, and its entity tag."""

    body: bytes
    tag: str


class ShareCounts(msgspec.Struct):
    """All shares of a page, and those of each channel that it was ever shared through."""

    total: int
    channels: dict[str, int]


def told(shares: Mapping[int, int]) -> Told:
    """The answer that says so many shares, by the code of their channel."""
    channels = {NAMES[code]: number for code, number in shares.items()}
    body = msgspec.json.encode(ShareCounts(sum(shares.values()), channels))
    return Told(body, f'"{hashlib.sha256(body).hexdigest()[:16]}"')


class Counted:
    """Answers by (site, page), each good for ten seconds."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: dict[tuple[int, int], tuple[int, Told]] = {}

    def keep(self, site_id: int, page_id: int, answer: Told) -> None:
        """Remembers the answer; the oldest goes where there are too many."""
        self._kept.pop((site_id, page_id), None)
        if len(self._kept) >= _KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept[site_id, page_id] = (self._clock(), answer)

    def get(self, site_id: int, page_id: int) -> Told | None:
        """The answer, if it is still good."""
        at, answer = self._kept.get((site_id, page_id), (0, None))
        return answer if abs(self._clock() - at) < _FRESH_MS else None
