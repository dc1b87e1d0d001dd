"""A series of counts as a column chart. It has shapes only: words stand next to the picture, readable at any width."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from grapevine.analytics.series import Point
from grapevine.domain.periods import Period
from grapevine.web.dashboard import formats

STEP: Final = 10
HEIGHT: Final = 100
_GAP: Final = 1.5
_MOST_DAYS: Final = 120
_MOST_WEEKS: Final = 800


class ChartBar(msgspec.Struct, frozen=True):
    """The bar of one interval: its position (x, from the left), its height (0…100), its label and its value."""

    x: float
    width: float
    height: float
    label: str
    value: int


class Chart(msgspec.Struct, frozen=True):
    """All columns; ``top`` is the value of the upper edge, ``width`` the picture's, ``marks`` the labels below it."""

    columns: list[ChartBar]
    width: int
    top: int
    total: int
    peak: ChartBar | None
    marks: list[str]


def interval_for(period: Period) -> str:
    """Returns the interval whose columns stay wide enough: hours for two days, weeks from four months on."""
    days = len(period.days)
    if days <= 2:
        return "hour"
    if days <= _MOST_DAYS:
        return "day"
    return "week" if days <= _MOST_WEEKS else "month"


def chart(points: Sequence[Point], interval: str) -> Chart:
    """Returns the chart of a series."""
    values = [point.value if isinstance(point.value, int) else 0 for point in points]  # charts are of counts
    top = ceiling(max(values, default=0))
    columns = [
        ChartBar(
            x=position * STEP + _GAP / 2,
            width=STEP - _GAP,
            height=round(HEIGHT * value / top, 2),
            label=label(point.at, interval),
            value=value,
        )
        for position, (point, value) in enumerate(zip(points, values, strict=True))
    ]
    peak = max(columns, key=lambda column: column.value, default=None)
    return Chart(
        columns=columns,
        width=max(len(columns), 1) * STEP,
        top=top,
        total=sum(values),
        peak=peak if peak and peak.value else None,
        marks=[columns[index].label for index in _ends_and_middle(len(columns))],
    )


def _ends_and_middle(count: int) -> list[int]:
    return sorted({0, (count - 1) // 2, count - 1}) if count else []


def ceiling(value: int) -> int:
    """Returns the next round number (12, 15, 20, 25, 30 …), at least 4, so that one event does not fill the picture."""
    power = 1
    while True:
        for step in (10, 12, 15, 20, 25, 30, 40, 50, 60, 80):
            edge = step * power // 10
            if edge >= max(value, 4):
                return edge
        power *= 10


def label(at: str, interval: str) -> str:
    """Returns the name of the interval that starts at this time."""
    when = datetime.fromisoformat(at)
    if interval == "hour":
        return f"{formats.calendar(when.date(), year=False)}, {when:%H:%M}"
    if interval == "week":
        end = when.date() + timedelta(days=6)
        return f"{formats.calendar(when.date(), year=False)} – {formats.calendar(end)}"
    if interval == "month":
        return formats.calendar(when.date()).split(" ", 1)[1]
    return formats.calendar(when.date())
