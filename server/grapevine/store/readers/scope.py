"""The scope of a reader's query: site, period and filters; and the keys of rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Final

import msgspec

from grapevine.domain import ids

HIGHEST_ID: Final = (1 << 60) - 1
_WIDEST_DAY: Final = (1 << 16) - 1


class Scope(msgspec.Struct, frozen=True):
    """Which of a site's numbers are meant: from ``start`` to before ``end`` (ms, whole UTC days), codes as stored.

    Conversions of reporters with a code below ``least_reporter`` count without their value.
    """

    site_id: int
    start: int
    end: int
    page_id: int | None = None
    channel: int | None = None
    source: int | None = None
    device: int | None = None
    app: str | None = None
    least_reporter: int = 0

    def params(self) -> dict[str, Any]:
        """The parameters of every query of ``summary.sql``."""
        return dict(_params(self))


@lru_cache(maxsize=8)  # one summary needs them for each of its queries
def _params(scope: Scope) -> Mapping[str, Any]:
    first, after = ids.day_at(scope.start), ids.day_at(scope.end)
    return msgspec.structs.asdict(scope) | {
        "from_hour": scope.start // ids.HOUR_MS,
        "to_hour": scope.end // ids.HOUR_MS,
        "from_unix_day": scope.start // ids.DAY_MS,
        "to_unix_day": scope.end // ids.DAY_MS,
        "from_day": first,
        "to_day": after,
        "from_id": ids.pack(_day(first - 1), 0, 0),
        "to_id": ids.pack(_day(after + 1), 0, 0),
    }


def visit_params(site_id: int, visit_id: int) -> dict[str, Any]:
    """The parameters of a query about one visit."""
    return {"site_id": site_id, "visit_id": visit_id, "cell": ids.cell_of(visit_id)}


def visit_keys(visits: Iterable[int]) -> list[tuple[int, int]]:
    """(visit, cell) of each of ``visits``, once."""
    return [(visit, ids.cell_of(visit)) for visit in dict.fromkeys(visits)]


def _day(day: int) -> int:
    return min(max(day, 0), _WIDEST_DAY)
