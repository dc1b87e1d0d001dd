"""The tables of ``docs/referrals.md``: money to cheats in simulated programmes, run with ``make bench ARGS=referrals``.

SEED is the first world's, WORLDS how many there are, HOLD how many marks hold a payment.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Sequence
from typing import Final

from grapevine.domain.money import MILLION
from grapevine.referrals.settling import settle
from grapevine.referrals.terms import Terms
from tests.accuracy.referral_money import LIMITS, Money, facts, where
from tests.accuracy.referral_worlds import BEYOND, KINDS, programme

_HOLD: Final = int(os.environ.get("HOLD", "2"))
_TERMS: Final = {
    "a tenth of the value": Terms(rate=MILLION // 10, hold_at=_HOLD),
    "5.00 for each": Terms(fixed=5 * MILLION, currency="EUR", hold_at=_HOLD),
}


def run() -> None:
    """Prints what cheats were paid, and what was held of honest referrers' money."""
    first, worlds = int(os.environ.get("SEED", "300000")), int(os.environ.get("WORLDS", "300"))
    sys.stdout.write(
        f"{worlds} worlds from seed {first}, held by {_HOLD}\n\n"
        "| cheats | paid is | to cheats, mean | 95th percentile | held of the honest, mean | 95th percentile |\n"
        "|---|---|--:|--:|--:|--:|\n"
    )
    for title, kinds in (("all kinds", KINDS), *((kind, (kind,)) for kind in (*KINDS, *BEYOND))):
        many = worlds if kinds == KINDS else worlds // 5
        simulated = [programme(seed, None, kinds) for seed in range(first, first + many)]
        known = [facts(world, LIMITS) for world in simulated]
        for name, terms in _TERMS.items():
            found = [where(world, settle(*each, terms)) for world, each in zip(simulated, known, strict=True)]
            cells = [*_cells([one.to_cheats for one in found]), *_cells([one.from_honest for one in found])]
            sys.stdout.write(f"| {title} | {name} | {' | '.join(cells)} |\n")
            if kinds == KINDS:
                _explain(found)


def _cells(values: Sequence[float]) -> tuple[str, str]:
    order = sorted(values)
    return f"{sum(order) / len(order):.2%}", f"{order[int(0.95 * len(order))]:.2%}"


def _explain(found: Sequence[Money]) -> None:
    total = sum((one.kinds for one in found), Counter[str]())
    asked = sum(amount for kind, amount in total.items() if kind.endswith("/asked") and kind != "honest/asked")
    sys.stderr.write(f"cheats asked for {asked / total['honest/asked']:.0%} of what the honest earned\n")
