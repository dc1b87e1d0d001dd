"""Runs the benchmarks named on the command line, or all; each prints a table."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Final

from tests.bench import (
    accuracy,
    backends,
    estimate,
    exports,
    flame,
    guard,
    import_log,
    ingest,
    lighthouse,
    live,
    memory,
    mention_effect,
    metrics,
    newcomer,
    page_joins,
    rates,
    reach,
    reads,
    referrals,
    retention,
    scanners,
    silences,
    sites,
    size,
    soak,
    spikes,
    startup,
    tokens,
)

BENCHMARKS: Final[dict[str, Callable[[], None]]] = {
    "tokens": tokens.run,  # minting and verifying
    "ingest": ingest.run,  # collecting compared with a bare ASGI application; ROUNDS, SECONDS, CLIENT=python
    "reads": reads.run,  # the dashboard's queries, and how they grow; SIZES, ROUNDS, STORES
    "retention": retention.run,  # p99 of collecting beside the job, and the file's size; SIZES, SECONDS, ROUNDS
    "page_joins": page_joins.run,  # its time, and p99 of collecting beside it; only when named; SIZES, SECONDS, ROUNDS
    "size": size.run,  # bytes a visit on disk; SIZES, STORES
    "sites": sites.run,  # requests whose site is not known beforehand, with many sites; SIZES, ROUNDS
    "live": live.run,  # collecting with 200 readers of the live feed compared with none; PAIRS, READERS
    "import-log": import_log.run,  # lines a second of an access log, and memory; LINES, DATABASE
    "exports": exports.run,  # memory of exports, and that the formats agree; only when named; VISITS, FEWER, STORES
    "memory": memory.run,  # of a server process; SIZES, SECONDS, STORES
    "metrics": metrics.run,  # what counting costs a request, and what a scrape costs
    "startup": startup.run,  # until the ready line; ROUNDS
    "newcomer": newcomer.run,  # from a clone to a chain of three, each step; downloads packages; only when named
    "backends": backends.run,  # PostgreSQL compared with SQLite; ROUNDS, SECONDS
    "estimate": estimate.run,  # of the dark part, in worlds whose truth is known; only when named; SEED, ANSWERED
    "rates": rates.run,  # coverage of their intervals, in known worlds; only when named; SEED, WORLDS
    "accuracy": accuracy.run,  # of every estimate, in worlds with known truth; only when named; SEED, WORLDS, HOLD
    "mention-effect": mention_effect.run,  # false alarms and finds, in known worlds; only when named; SEED, PAGES
    "silences": silences.run,  # false alarms, and how soon silence is told; only when named; SEED, YEARS
    "spikes": spikes.run,  # false alarms and finds, in worlds whose truth is known; only when named; SEED, WORLDS, HOLD
    "scanners": scanners.run,  # programs that open a mailed link once, and people; only when named; SEED, MAILS
    "reach": reach.run,  # how many colleagues are taken for a flood, and how much of one; only when named; RUNS
    "referrals": referrals.run,  # money to cheats in simulated programmes; only when named; SEED, WORLDS, HOLD
    "guard": guard.run,  # processor time a request against an earlier commit; only when named; BASE, PAIRS
    "soak": soak.run,  # memory and durability under hours of load; only when named; MINUTES
    "flame": flame.run,  # where the time of collecting goes, as a picture; only when named; SECONDS
    "lighthouse": lighthouse.run,  # of a page with and without the widget; needs Node; only when named; PAIRS
}
_ONLY_NAMED: Final = {
    "accuracy",
    "estimate",
    "exports",
    "flame",
    "guard",
    "lighthouse",
    "mention-effect",
    "newcomer",
    "page_joins",
    "rates",
    "reach",
    "scanners",
    "silences",
    "referrals",
    "soak",
    "spikes",
}


def main(names: list[str]) -> int:
    """Raises SystemExit with status 2 for an unknown benchmark."""
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        sys.stderr.write(f"there is no benchmark {unknown[0]!r}; the names are {', '.join(BENCHMARKS)}\n")
        return 2
    for name in names or [name for name in BENCHMARKS if name not in _ONLY_NAMED]:
        BENCHMARKS[name]()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
