"""The tables of ``docs/spikes.md``: run with ``make bench ARGS=spikes``.

SEED is the first world's, WORLDS how many quarters of a site are lived, PROCESSES how many work on them.
"""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from itertools import accumulate, cycle, pairwise
from typing import Final, NamedTuple

from grapevine.analytics.models.spike_detection import FEWEST_RETURNS, HOURS, Episode, goes_on, judge, rhythm, set_apart
from tests.accuracy.returning import DAY, HOUR, PlantedSpike, plant, site
from tests.accuracy.worlds import traits

_WARM_UP: Final = 29 * DAY
_QUARTER: Final = 91 * DAY
_LOOK: Final = 5
_MINUTE_MS: Final = 60_000
_SIZES: Final = (200.0, 1_000.0, 5_000.0, 20_000.0)
_TIMES: Final = (5.0, 10.0, 30.0)
_RATES: Final = (0.5, 1.0, 2.0, 5.0, 20.0, 1e9)
_MOST: Final = 12


class Quarter(NamedTuple):
    """One site's quarter: the spikes raised without a planted one, and the results for planted ones."""

    visits_a_day: float
    pages: int
    returns: int
    alarms: int
    found: list[tuple[PlantedSpike, int | None]]


class Raised(NamedTuple):
    """A spike as it was raised."""

    page: int
    at: int


def quarter(seed: int) -> Quarter:
    """Simulates the quarter of a seed twice: without and with planted spikes."""
    kind = replace(traits(seed), days=(_WARM_UP + _QUARTER) // DAY)
    pages = site(seed, kind, kind.days)
    returns = sum(map(len, pages))
    alarms = sum(1 for _ in raised(pages))
    planted = list(_planted(random.Random(f"planted {seed}"), pages))  # noqa: S311
    around = {each.page: range(each.start + _LOOK, each.start + each.minutes + HOUR + 1, _LOOK) for each in planted}
    seen = {one.page: one.at for one in reversed(list(raised(pages, around)))}
    found = [(each, seen[each.page] - each.start if each.page in seen else None) for each in planted]
    return Quarter(kind.visits_a_day, kind.pages, returns, alarms, found)


def raised(pages: Sequence[Sequence[int]], only: Mapping[int, range] | None = None) -> Iterator[Raised]:
    """Returns the spikes that checks every five minutes raise; ``only`` limits them to some minutes of some pages."""
    by_hour = [0] * 24
    for minutes in pages:
        for minute in minutes:
            by_hour[minute % DAY // HOUR] += 1
    rhythms = {past: rhythm(by_hour, past * _MINUTE_MS) for past in range(0, DAY, _LOOK)}  # the same every day
    alive = sum(1 for minutes in pages if minutes)
    whole = range(_WARM_UP, _WARM_UP + _QUARTER, _LOOK)
    for page, looks in dict.fromkeys(range(len(pages)), whole).items() if only is None else only.items():
        before = _before(pages[page])
        episodes: list[Episode] = []
        for at in looks:
            look = at // _LOOK
            if before[look] - before[look - HOUR // _LOOK] < FEWEST_RETURNS:
                continue
            edges = before[look - (HOURS + 1) * HOUR // _LOOK : look + 1 : HOUR // _LOOK]
            hours = [newer - older for older, newer in pairwise(edges)][::-1]
            end = at * _MINUTE_MS
            if judge(hours, rhythms[at % DAY], alive, set_apart(episodes, end)) is None:
                continue
            running = goes_on(episodes, end)
            if running is None:
                episodes.append(Episode(end, end))
                yield Raised(page, at)
            else:
                episodes[-1] = Episode(running.started_at, end)


def _before(minutes: Sequence[int]) -> list[int]:
    """Returns how many of ``minutes`` are past at each check, from the first five minutes of the world."""
    counts = [0] * ((_WARM_UP + _QUARTER) // _LOOK + 1)
    for minute in minutes:
        counts[minute // _LOOK + 1] += 1
    return list(accumulate(counts))


def run() -> None:
    """Prints a line for each size of site, and one for each height of a spike."""
    first, wanted = int(os.environ.get("SEED", "6000000")), int(os.environ.get("WORLDS", "200"))
    with ProcessPoolExecutor(int(os.environ.get("PROCESSES", "2"))) as workers:
        lived = list(workers.map(quarter, range(first, first + wanted)))
    sys.stdout.write("| visits a day | site-quarters | pages | returns | false alarms | a site and quarter |\n")
    sys.stdout.write("|---|---|---|---|---|---|\n")
    for low, high in ((_SIZES[0], _SIZES[-1]), *pairwise(_SIZES)):
        some = [one for one in lived if low <= one.visits_a_day <= high]
        alarms = sum(one.alarms for one in some)
        sys.stdout.write(
            f"| {low:,.0f}–{high:,.0f} | {len(some)} | {sum(one.pages for one in some):,} "
            f"| {sum(one.returns for one in some):,} | {alarms} | {alarms / max(len(some), 1):.2f} |\n"
        )
    sys.stdout.write("\n| usual returns an hour |" + "".join(f" ×{times:.0f} |" for times in _TIMES) + "\n")
    sys.stdout.write("|---|" + "---|" * len(_TIMES) + "\n")
    found = [each for one in lived for each in one.found]
    for low, high in pairwise(_RATES):
        cells = (_cell([each for each in found if low <= each[0].rate < high and each[0].times == t]) for t in _TIMES)
        shown = f"{low:g} or more" if high == _RATES[-1] else f"{low:g}–{high:g}"
        sys.stdout.write(f"| {shown} | " + " | ".join(cells) + " |\n")


def _cell(some: Sequence[tuple[PlantedSpike, int | None]]) -> str:
    delays = sorted(after for _, after in some if after is not None)
    if not delays:
        return f"0 of {len(some)}"
    return f"{len(delays)} of {len(some)}, after {delays[len(delays) // 2]} min"


def _planted(chance: random.Random, pages: Sequence[list[int]]) -> Iterator[PlantedSpike]:
    """A spike each on pages that have returns, low and high ones in turn."""
    able = [page for page, minutes in enumerate(pages) if len(minutes) >= _RATES[0] * 24 * 91]
    for page, times in zip(
        chance.sample(able, min(len(able), _MOST)), cycle(chance.sample(_TIMES, len(_TIMES))), strict=False
    ):
        start = _WARM_UP + chance.randrange(14, 90) * DAY + chance.randrange(DAY // _LOOK) * _LOOK
        yield plant(chance, pages, page, start, times)


if __name__ == "__main__":
    run()
