"""False alarms of ``site.silent``, and how soon a silence is told, in simulated sites: ``make bench ARGS=silences``.

YEARS is how many years of each kind of site are lived, SEED the first world's.
"""

from __future__ import annotations

import os
from statistics import median
from typing import Final

from rich.console import Console
from rich.table import Table

from grapevine.analytics.models.silence import PAST_DAYS
from tests.accuracy.silent_worlds import KINDS, Kind, visits
from tests.accuracy.test_silence_accuracy import told

_YEARS: Final = int(os.environ.get("YEARS", "20"))
_SEED: Final = int(os.environ.get("SEED", "1000"))
_SILENT: Final = 60


def run() -> None:
    """Prints a table."""
    table = Table(title=f"site.silent, {_YEARS} years of each kind of site", title_justify="left")
    for column in ("site", "visits a day", "false alarms a year", "told after, hours (median)", "longest", "missed"):
        table.add_column(column, justify="left" if column == "site" else "right")
    for kind in KINDS:
        alarms = sum(sum(1 for _ in told(visits(kind, PAST_DAYS + 365, _SEED + year))) for year in range(_YEARS))
        after = [_told_after(kind, _SEED + number, number) for number in range(_SILENT)]
        found = sorted(one for one in after if one is not None)
        table.add_row(
            kind.name,
            f"{kind.visits_a_day:,.0f}",
            f"{alarms / _YEARS:.2f}",
            f"{median(found):.0f}",
            f"{found[-1]}",
            f"{len(after) - len(found)} of {len(after)}",
        )
    Console(width=120).print(table)


def _told_after(kind: Kind, seed: int, number: int) -> int | None:
    """Returns the hours after which a silence of three days is told that begins at some hour of the week."""
    hours = visits(kind, PAST_DAYS + 11, seed)
    began = PAST_DAYS * 24 + 24 + number * 17 % 168
    hours[began:] = [0] * (len(hours) - began)
    ends = [end for end in told(hours[: began + 72]) if end > began]
    return ends[0] - began if ends else None
