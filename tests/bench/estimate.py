"""The tables of ``docs/estimate.md`` and ``docs/accuracy.md``: run with ``make bench ARGS=estimate``.

SEED is the first world's, WRONG_SEED that of the wrong worlds, ANSWERED how many estimates are wanted for each line,
WRONG how many wrong worlds of each kind, DEMO how many of the demo's, PROCESSES how many work on them.
"""

from __future__ import annotations

import os
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import count, islice, pairwise
from typing import Final

from tests.accuracy.demo_worlds import demo_outcome
from tests.accuracy.measure import Accuracy, Outcome, outcome
from tests.accuracy.wrong_worlds import WRONG

_SIZES: Final = (200.0, 1_000.0, 10_000.0, 20_000.0)
_CHUNK: Final = 20
_APART: Final = 20_000  # seeds between two classes
_DEMO_APART: Final = 140_000  # and before those of the demo


def run() -> None:
    """Prints a line for each size of site, one for all, one for each kind of wrong world, and one for the demo."""
    first, wanted = int(os.environ.get("SEED", "9200000")), int(os.environ.get("ANSWERED", "400"))
    wrong, each = int(os.environ.get("WRONG_SEED", "9300000")), int(os.environ.get("WRONG", "100"))
    with ProcessPoolExecutor(int(os.environ.get("PROCESSES", "2"))) as workers:
        _title("visits a day")
        every: list[Outcome] = []
        for index, (low, high) in enumerate(pairwise(_SIZES)):
            found: list[Outcome] = []
            seeds = count(first + index * _APART)
            while sum(one.answered for one in found) < wanted:
                work = partial(outcome, smallest=low, largest=high)
                found += workers.map(work, list(islice(seeds, _CHUNK)))
            _line(f"{low:,.0f}–{high:,.0f}", found)
            every += found
        _line("all", every)
        sys.stdout.write("\n")
        _title("wrong worlds, 200–10,000 visits a day")
        for index, (name, changed) in enumerate(WRONG.items()):
            begin = wrong + index * _APART
            work = partial(outcome, smallest=200.0, largest=10_000.0, changed=changed)
            _line(name, list(workers.map(work, range(begin, begin + each))))
        demos = int(os.environ.get("DEMO", "20"))
        begin = wrong + _DEMO_APART
        _line("30 days of the demo", list(workers.map(demo_outcome, range(begin, begin + demos))))


def _title(what: str) -> None:
    sys.stdout.write(
        f"| {what} | given | mean error | bias | covered | by quartile of the truth | median width "
        "| interval score | of the prior alone | pages covered | plain rule |\n" + "|---" * 11 + "|\n"
    )


def _line(name: str, found: list[Outcome]) -> None:
    sums = Accuracy(found)
    quartiles = " ".join(f"{100 * part:.0f}" for part in sums.coverage_by_quartile)
    sys.stdout.write(
        f"| {name} | {len(sums.answered)} of {len(sums.worlds)} ({sums.given:.0%}) | {sums.mean_error:.1f} "
        f"| {sums.bias:+.1f} | {sums.coverage:.1%} | {quartiles} | {sums.width:.0f} | {sums.score:.0f} "
        f"| {sums.prior_score:.0f} | {sums.page_coverage:.1%} | {sums.plain_error:.1f} |\n"
    )
    sys.stdout.flush()


if __name__ == "__main__":
    run()
