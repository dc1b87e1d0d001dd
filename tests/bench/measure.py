"""Interleaved measuring: A, B, A, B … in one run, so that changes of the machine's speed affect both."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from rich.console import Console
from rich.table import Table

_ROUNDS: Final = 15
_ROUND_SECONDS: Final = 0.05


class Figure(NamedTuple):
    """Microseconds a call, as minimum, median and maximum of the rounds; ``ratio`` to the reference, round by round."""

    low: float
    median: float
    high: float
    ratio: float


def compare(calls: Mapping[str, Callable[[], object]], reference: str, rounds: int = _ROUNDS) -> dict[str, Figure]:
    """Times each call in turn, round after round; ``reference`` is the call that the others are a ratio of."""
    repeats = {name: _calibrate(call) for name, call in calls.items()}
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            times[name].append(_time(call, repeats[name]) / repeats[name] * 1e6)
    return {
        name: Figure(
            min(found),
            statistics.median(found),
            max(found),
            statistics.median(mine / base for mine, base in zip(found, times[reference], strict=True)),
        )
        for name, found in times.items()
    }


def show(title: str, reference: str, figures: Mapping[str, Figure]) -> None:
    """Prints the table."""
    table = Table(title=title, title_justify="left")
    table.add_column("call")
    for column in ("min µs", "median µs", "max µs", f"÷ {reference}"):
        table.add_column(column, justify="right")
    for name, figure in figures.items():
        table.add_row(name, *(f"{value:,.2f}" for value in figure))
    Console(width=100).print(table)


def _calibrate(call: Callable[[], object]) -> int:
    repeats = 1
    while _time(call, repeats) < _ROUND_SECONDS:
        repeats *= 2
    return repeats


def _time(call: Callable[[], object], repeats: int) -> float:
    start = time.perf_counter()
    for _ in range(repeats):
        call()
    return time.perf_counter() - start
