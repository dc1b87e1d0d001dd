"""Runs the benchmarks named on the command line, or all."""

from __future__ import annotations

import sys

from tests.bench import ingest, reads, tokens

BENCHMARKS = {"tokens": tokens.run, "ingest": ingest.run, "reads": reads.run}


def main(names: list[str]) -> int:
    """Exit status 2 for a name that is no benchmark."""
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        sys.stderr.write(f"there is no benchmark {unknown[0]!r}; the names are {', '.join(BENCHMARKS)}\n")
        return 2
    for name in names or BENCHMARKS:
        BENCHMARKS[name]()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
