"""The table of ``docs/accuracy.md``: whole worlds simulated on a whole server, run with ``make bench ARGS=accuracy``.

SEED is the first world's, WORLDS how many of each kind are played, VISITS how many people come in each, PROCESSES how
many worlds are played at once.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from typing import Final

from msgspec.structs import replace

from grapevine.simulate.report import ComparisonReport, SetComparison, VerdictCount
from tests.accuracy.played import HARD, played

_SETS: Final = ("parents", "self_returns", "proven", "reported", "unfurls", "cascades")
_RATIOS: Final = ("dark_share", "return_share", "k_factor", "amplification")


def one(seed: int, visits: int, suspects: float) -> ComparisonReport:
    """Simulates one world and compares the server's numbers with it."""
    return asyncio.run(played(seed, replace(HARD, visits=visits, suspects=suspects, mail_checks=suspects > 0)))


def run() -> None:
    """Prints how many of the simulated events the server found, without suspects and with them."""
    first, worlds = int(os.environ.get("SEED", "7000000")), int(os.environ.get("WORLDS", "10"))
    visits = int(os.environ.get("VISITS", "3000"))
    with ProcessPoolExecutor(int(os.environ.get("PROCESSES", "2"))) as workers:
        for title, suspects, seeds in (
            ("no robot pretends to be a person", 0.0, range(first, first + worlds)),
            ("with suspects", 1.0, range(first + worlds, first + 2 * worlds)),
        ):
            found = list(workers.map(one, seeds, [visits] * worlds, [suspects] * worlds))
            _show(f"{worlds} worlds of {visits:,} visits, {title}", found)


def _show(title: str, reports: list[ComparisonReport]) -> None:
    sys.stdout.write(
        f"### {title}\n\n| what | true | found | right | precision | recall |\n|---|--:|--:|--:|--:|--:|\n"
    )
    for name in _SETS:
        total = _sum(report.qualities[name] for report in reports)
        sys.stdout.write(
            f"| {name} | {total.true:,} | {total.found:,} | {total.right:,} | {total.right / max(total.found, 1):.4f} "
            f"| {total.right / max(total.true, 1):.4f} |\n"
        )
    robots, refused = (sum(getattr(each.robots, name) for each in reports) for name in ("true", "refused"))
    people_refused = sum(each.robots.people_refused for each in reports)
    verdicts: dict[str, VerdictCount] = {}
    for report in reports:
        for kind, judged in report.verdicts.items():
            before = verdicts.get(kind, VerdictCount(0, 0))
            verdicts[kind] = VerdictCount(before.stored + judged.stored, before.taken_out + judged.taken_out)
    sys.stdout.write("\n| visits of | arrived | refused | taken out | counted |\n|---|--:|--:|--:|--:|\n")
    suspects = sum(judged.stored for kind, judged in verdicts.items() if kind != "people")
    sys.stdout.write(
        f"| robots that name themselves | {robots - suspects:,} | {refused:,} | | {robots - suspects - refused:,} |\n"
    )
    for kind, judged in verdicts.items():
        turned_away = people_refused if kind == "people" else 0
        sys.stdout.write(
            f"| {kind} | {judged.stored + turned_away:,} | {turned_away:,} | {judged.taken_out:,} "
            f"| {judged.stored - judged.taken_out:,} |\n"
        )
    off: Counter[str] = Counter()
    sums: dict[str, list[float]] = {}
    for report in reports:
        for name, number in report.numbers.items():
            off[name] += not number.good
            if name not in _RATIOS:
                both = sums.setdefault(name, [0.0, 0.0])
                both[0] += number.expected or 0
                both[1] += number.found or 0
    exact = [name for name in sums if not off[name]]
    sys.stdout.write(f"\nExact in every world: {len(exact)} of {len(sums)} numbers of the summary")
    wrong = [f"{name} {found - true:+,.0f} of {true:,.0f}" for name, (true, found) in sums.items() if off[name]]
    sys.stdout.write(f"; off, added up: {'; '.join(wrong)}.\n\n" if wrong else ".\n\n")
    sys.stdout.flush()


def _sum(found: Iterable[SetComparison]) -> SetComparison:
    parts = list(found)
    return SetComparison(
        sum(each.true for each in parts),
        sum(each.found for each in parts),
        sum(each.right for each in parts),
        None,
        None,
    )


if __name__ == "__main__":
    run()
