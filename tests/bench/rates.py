"""The table of ``docs/rates.md``: run with ``make bench ARGS=rates``.

SEED is the first world's, WORLDS how many there are, PROCESSES how many work on them.
"""

from __future__ import annotations

import os
import sys
from concurrent.futures import ProcessPoolExecutor
from statistics import median
from typing import Final

from tests.accuracy.rate_worlds import NAMES, RateOutcome, rate_traits, rates_of, size_class

_CHUNK: Final = 10


def run() -> None:
    """Prints a line for each rate and class of worlds by how many visits shared."""
    first, worlds = int(os.environ.get("SEED", "8000000")), int(os.environ.get("WORLDS", "400"))
    with ProcessPoolExecutor(int(os.environ.get("PROCESSES", "2"))) as workers:
        found = list(workers.map(_outcome, range(first, first + worlds), chunksize=_CHUNK))
    sys.stdout.write("| rate | worlds | given | covered | high ÷ low, median |\n|---|---|---|---|---|\n")
    classes = sorted({size_class(one.row.sharers) for one in found}, key=lambda name: int(name.split()[0]))
    for name in NAMES:
        for kind in (None, *classes):
            some = [one for one in found if kind is None or size_class(one.row.sharers) == kind]
            given = [one for one in some if one.holds[name] is not None]
            covered = sum(bool(one.holds[name]) for one in given) / max(len(given), 1)
            width = median([_width(one, name) for one in given] or [0.0])
            sys.stdout.write(
                f"| `{name}` | {kind or 'all'} | {len(given)} of {len(some)} | {covered:.1%} | {width:.1f} |\n"
            )


def _outcome(seed: int) -> RateOutcome:
    return rates_of(seed, rate_traits(seed))


def _width(one: RateOutcome, name: str) -> float:
    found = getattr(one.row, name)
    return float(found.high / found.low) if found.low else float("inf")


if __name__ == "__main__":
    run()
