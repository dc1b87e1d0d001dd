"""Visits into PostgreSQL and into SQLite, one serving process and two: interleaved rounds on one machine.

PostgreSQL is the one of the tests' package, with its own defaults for durability (fsync, full pages). It shares the
cores with everything else here, which a database server on a machine of its own does not. Where GRAPEVINE_TEST_CITUS
names a cluster, visits go there, too.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from rich.console import Console
from rich.table import Table

from tests.bench.ingest import ORIGIN, free_port, grapevine, seed
from tests.bench.load import NO_LIMITS, LoadResult, offer, process
from tests.support.citus import CITUS, Cluster
from tests.support.postgres import postgres

CONNECTIONS: Final = (64, 256)
_ROUNDS: Final = int(os.environ.get("ROUNDS", "5"))
_SECONDS: Final = int(os.environ.get("SECONDS", "4"))


class ServingMode(NamedTuple):
    """One way to serve."""

    name: str
    url: str
    traffic: Mapping[str, str]


def run() -> None:
    """Prints requests a second, and their ratios to SQLite's, round by round."""
    os.environ.pop("GRAPEVINE_TEST_CITUS", None)  # servers refuse what they do not know
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(postgres(durable=True))
        sides = [
            stack.enter_context(_side("SQLite", f"sqlite:///{folder}/bench.sqlite3", 1)),
            stack.enter_context(_side("PostgreSQL", server.url(server.create()), 1)),
            stack.enter_context(_side("PostgreSQL, 2 processes", server.url(server.create()), 2)),
        ]
        if CITUS:
            cluster = Cluster(CITUS)
            stack.callback(cluster.clear)
            sides += [
                stack.enter_context(_side("Citus", cluster.url(cluster.create()), 1)),
                stack.enter_context(_side("Citus, 2 processes", cluster.url(cluster.create()), 2)),
            ]
        _show(sides, {connections: [_round(sides, connections) for _ in range(_ROUNDS)] for connections in CONNECTIONS})


@contextmanager
def _side(name: str, database: str, workers: int) -> Iterator[ServingMode]:
    port = free_port()
    settings = {"GRAPEVINE_DATABASE": database, **NO_LIMITS, "GRAPEVINE_SECRET_KEYS": "k" * 32}
    site = json.loads(grapevine(settings, "site", "add", "Bench", "--origin", ORIGIN))["site"]
    command = ("-m", "grapevine", "serve", "--port", str(port), "--workers", str(workers))
    with tempfile.TemporaryDirectory() as folder, process(*command, ready="ready", environment=settings):
        url = f"http://127.0.0.1:{port}"
        yield ServingMode(name, url, seed(url, site, Path(folder)) | {"CALL": "visits"})


def _round(sides: Sequence[ServingMode], connections: int) -> list[LoadResult]:
    loads = []
    for side in sides:
        traffic = dict(side.traffic) | {"SEED": str(random.randrange(10**6))}  # noqa: S311
        loads.append(offer(side.url, connections, _SECONDS, traffic))
        if loads[-1].failed:
            raise SystemExit(f"{loads[-1].failed} requests to {side.name} failed")
    return loads


def _show(sides: Sequence[ServingMode], rounds: Mapping[int, Sequence[Sequence[LoadResult]]]) -> None:
    table = Table(title=f"Visits ÷ visits into SQLite, {_ROUNDS} rounds of {_SECONDS} s", title_justify="left")
    for column in ("stored in", "connections", "min", "median", "max", "median a second", "p99 ms"):
        table.add_column(column, justify="left" if column == "stored in" else "right")
    for connections, found in rounds.items():
        for index, side in enumerate(sides):
            ratios = [loads[index].rate / loads[0].rate for loads in found]
            figures = (f"{one:.2f}" for one in (min(ratios), statistics.median(ratios), max(ratios)))
            rate = statistics.median(loads[index].rate for loads in found)
            slow = statistics.median(loads[index].p99 * 1000 for loads in found)
            table.add_row(side.name, str(connections), *figures, f"{rate:,.0f}", f"{slow:.0f}")
    Console(width=110).print(table)
