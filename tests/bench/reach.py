"""How many colleagues behind one address the verdict on floods takes out, and how much of a flood.

``make bench ARGS=reach`` prints the tables of ``docs/suspects.md``. Offices are drawn: of each, 30 % or all open one
link, and each person is active with some probability. RUNS offices are drawn of each kind.
"""

from __future__ import annotations

import os
import random
import sys
from typing import Final

from grapevine.analytics.models.flood_verdict import excess

_OFFICES: Final = (50, 150, 500, 2_000)
_OPENING: Final = 0.3
_ACTIVITY: Final = (0.03, 0.05, 0.1, 0.2)
_FLOODS: Final = (100, 101, 200, 600, 5_000, 100_000)
_SLOW_HOURS: Final = 6


def run() -> None:
    """Prints the two tables."""
    runs = int(os.environ.get("RUNS", "2000"))
    chance = random.Random(2026)  # noqa: S311
    write = sys.stdout.write
    columns = " | ".join(f"{activity:.0%} active" for activity in _ACTIVITY)
    write(f"### People behind one address that are taken out\n\n| people | open it | {columns} |\n")
    write("|--:|--:|" + "--:|" * len(_ACTIVITY) + "\n")
    for people in _OFFICES:
        for opening in (round(people * _OPENING), people):
            shares = [_office(chance, opening, activity, runs) for activity in _ACTIVITY]
            write(f"| {people:,} | {opening:,} | " + " | ".join(f"{share:.3%}" for share in shares) + " |\n")
    write("\n### A flood that is taken out\n\n| openings | none active | one active | 2 % active |\n")
    write("|--:|--:|--:|--:|\n")
    for size in _FLOODS:
        taken = [excess(size - active, size - active, active) / size for active in (0, 1, size // 50)]
        write(f"| {size:,} | " + " | ".join(f"{share:.1%}" for share in taken) + " |\n")
    write(
        f"\nOne opening a second for {_SLOW_HOURS} h from one network, judged every ten minutes: "
        f"{_slow(_SLOW_HOURS * 3_600):.1%} taken out.\n"
    )


def _office(chance: random.Random, opening: int, activity: float, runs: int) -> float:
    """Returns the mean share of people taken out."""
    taken = 0
    for _ in range(runs):
        active = sum(chance.random() < activity for _ in range(opening))
        taken += excess(opening - active, opening - active, active)
    return taken / runs / opening


def _slow(openings: int) -> float:
    """Returns the share that is taken out, 600 openings between two verdicts."""
    counted = taken = 0
    for silent in range(600, openings + 600, 600):
        counted += 600
        out = excess(silent, counted, 0)
        counted, taken = counted - out, taken + out
    return taken / openings
