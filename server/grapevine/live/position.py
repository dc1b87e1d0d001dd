"""Where a reader is in the feed of a site: the ``id`` of an event, which comes back as ``Last-Event-ID``."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import Final

import msgspec

from grapevine.errors import Invalid

HEADER: Final = "Last-Event-ID"

_LONGEST: Final = 6_000
_MOST: Final = 1 << 62


class Position(msgspec.Struct, frozen=True, array_like=True):
    """At the time ``at`` (UTC ms) everything up to a number in each lane was sent; of the batch of that number in the
    first lane, only the first ``sent`` events where that is not 0. Numbers are written as their distance from
    ``at``."""

    at: int
    sent: int
    ends: list[tuple[int, int]]

    @classmethod
    def of(cls, at: int, ends: Mapping[int, int], lane: int | None = None, sent: int = 0) -> Position:
        """Returns the position with these last numbers, by lane; ``lane`` is the one of which ``sent`` are sent."""
        order = sorted(ends, key=lambda each: each != lane)
        return cls(at, sent, [(each, at - ends[each]) for each in order])

    def numbers(self) -> dict[int, int]:
        """Returns the last number that was sent as a whole, by lane."""
        found = {lane: self.at - distance for lane, distance in self.ends}
        if self.sent and self.ends:
            found[self.ends[0][0]] -= 1
        return found

    @property
    def started(self) -> tuple[int, int] | None:
        """The lane and number of the batch that was sent in part; None where there is none."""
        if not self.sent or not self.ends:
            return None
        lane, distance = self.ends[0]
        return lane, self.at - distance

    def text(self) -> bytes:
        """Returns it as an ``id``."""
        return urlsafe_b64encode(msgspec.msgpack.encode(self)).rstrip(b"=")


def read_position(text: str) -> Position:
    """Returns the position of an ``id``. Raises Invalid when none was ever sent like that."""
    try:
        if len(text) > _LONGEST:
            raise ValueError(text)
        found = msgspec.msgpack.decode(urlsafe_b64decode(text + "=" * (-len(text) % 4)), type=Position)
    except ValueError:  # msgspec's and base64's errors are such
        raise Invalid.of(HEADER, "is no id of an event of this feed") from None
    if not 0 <= found.at < _MOST or found.sent < 0 or any(abs(number) > _MOST for end in found.ends for number in end):
        raise Invalid.of(HEADER, "is no id of an event of this feed")
    return found
