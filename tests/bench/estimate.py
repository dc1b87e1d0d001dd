"""The table of ``docs/estimate.md``: run with ``make bench ARGS=estimate``.

SEED is the first world's, ANSWERED how many worlds with enough data are wanted, PROCESSES how many work on them.
"""

from __future__ import annotations

import os
import sys
from concurrent.futures import ProcessPoolExecutor
from itertools import count, islice, pairwise
from typing import Final

from tests.accuracy.measure import Accuracy, Outcome, outcome

_SIZES: Final = (200.0, 1_000.0, 5_000.0, 20_000.0)
_CHUNK: Final = 20


def run() -> None:
    """Prints a line for sites of all sizes, and one for each size."""
    first, wanted = int(os.environ.get("SEED", "5000000")), int(os.environ.get("ANSWERED", "400"))
    found: list[Outcome] = []
    seeds = count(first)
    with ProcessPoolExecutor(int(os.environ.get("PROCESSES", "2"))) as workers:
        while sum(one.answered for one in found) < wanted:
            found += workers.map(outcome, list(islice(seeds, _CHUNK)))
    sys.stdout.write("| visits a day | estimated | mean error | bias | covered | width | plain rule |\n")
    sys.stdout.write("|---|---|---|---|---|---|---|\n")
    for low, high in ((_SIZES[0], _SIZES[-1]), *pairwise(_SIZES)):
        sum_up = Accuracy([one for one in found if low <= one.visits_a_day <= high])
        sys.stdout.write(
            f"| {low:,.0f}–{high:,.0f} | {len(sum_up.answered)} of {len(sum_up.worlds)} | {sum_up.mean_error:.1f} "
            f"| {sum_up.bias:+.1f} | {sum_up.coverage:.1%} | {sum_up.width:.1f} | {sum_up.plain_error:.1f} |\n"
        )


if __name__ == "__main__":
    run()
