"""The table of ``docs/mentions.md``: run with ``make bench ARGS=mention-effect``.

SEED is that of each world, PAGES how many mentioned pages it has without an effect; a quarter of them with each one.
"""

from __future__ import annotations

import os
import sys
from typing import Final

from tests.accuracy.measure_mentions import measured
from tests.accuracy.mention_worlds import WORLDS

_EFFECTS: Final = (2.0, 3.0, 5.0)


def run() -> None:
    """Prints the table."""
    seed, number = int(os.environ.get("SEED", "900001")), int(os.environ.get("PAGES", "8000"))
    sys.stdout.write("| world | false alarms | ×2 | ×3 | ×5 | interval holds |\n|---|---|---|---|---|---|\n")
    for name, world in WORLDS.items():
        without = measured(world, seed, number)
        found = [measured(world, seed, number // 4, times) for times in _EFFECTS]
        covered = min(each.covered for each in (without, *found))
        rose = " | ".join(f"{each.rose:.0%}" for each in found)
        sys.stdout.write(f"| {name} | {without.rose:.1%} | {rose} | {covered:.0%} |\n")
        sys.stdout.flush()
