"""What counting for ``/metrics`` costs a request, beside a token that is minted, and what a scrape costs."""

from __future__ import annotations

from time import perf_counter
from typing import Final

from prometheus_client import generate_latest

from grapevine.telemetry.request_tallies import RouteTally
from grapevine.web.server_metrics.collector import Moment, registry_of
from grapevine.web.server_metrics.families import FAMILIES
from grapevine.web.server_metrics.figures import Total
from tests.bench.measure import compare, show

REFERENCE: Final = "an empty function"


def run() -> None:
    """Prints microseconds a call."""
    tally, accepted = RouteTally(), {"visits": 0}
    totals = [Total(family, [1.0] * (len(family.keys) * family.width)) for family in FAMILIES]
    moment = Moment(totals=totals, workers=[], ready=True, store="sqlite", waiting=0, paused=0, free_bytes=0)

    def count_call() -> None:
        begun_at = perf_counter()
        tally.note(200, perf_counter() - begun_at)
        accepted["visits"] += 1

    def count_redirect() -> None:
        tally.redirects += 1

    figures = compare(
        {
            REFERENCE: lambda: None,
            "a collect call: counted and timed": count_call,
            "a short link from memory: counted": count_redirect,
            "the text of a scrape": lambda: generate_latest(registry_of(moment)),
        },
        REFERENCE,
    )
    show("Counting", REFERENCE, figures)
