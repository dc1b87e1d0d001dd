"""Single openings of mailed links: programs found, and people taken for programs, in worlds whose truth is known.

``make bench ARGS=scanners`` prints the table of ``docs/suspects.md``. SEED is the first seed, none of which was used
while the rule was chosen; MAILS is how many mails each world has.
"""

from __future__ import annotations

import os
import sys

from tests.accuracy.scanner_worlds import WORLDS, found


def run() -> None:
    """Prints the table, one line a world."""
    seed, mails = int(os.environ.get("SEED", "9000000")), int(os.environ.get("MAILS", "100000"))
    sys.stdout.write(
        f"### {mails:,} mails a world\n\n| world | programs' openings | found | people's openings | taken out |\n"
        "|---|--:|--:|--:|--:|\n"
    )
    for number, world in enumerate(WORLDS):
        one = found(world, seed + number, mails)
        sys.stdout.write(
            f"| {world.name} | {one.scanners:,} | {one.recall:.1%} | {one.people:,} | {one.false_alarms:.3%} |\n"
        )
