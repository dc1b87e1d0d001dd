"""What a second serving process is worth: visits on one SQLite file, one worker beside two, in interleaved rounds.

wrk needs a core of its own: on two cores this shows what two workers cost rather than what they bring.
"""

from __future__ import annotations

import json
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from tests.bench.load import Load, offer, process

ORIGIN: Final = "https://bench.example"
WORKERS: Final = (1, 2)
CONNECTIONS: Final = (64, 256)
_ROUNDS: Final = int(os.environ.get("ROUNDS", "5"))
_SECONDS: Final = int(os.environ.get("SECONDS", "4"))

Rounds = Mapping[int, Sequence[tuple[Load, Load]]]


def run() -> None:
    """Prints two workers' requests a second as a ratio to one's, round by round."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        servers = [stack.enter_context(_server(Path(folder, str(number)), number)) for number in WORKERS]
        _show({connections: [_round(servers, connections) for _ in range(_ROUNDS)] for connections in CONNECTIONS})


def _round(servers: Sequence[tuple[str, Mapping[str, str]]], connections: int) -> tuple[Load, Load]:
    one, two = (
        offer(url, connections, _SECONDS, dict(traffic) | {"SEED": str(random.randrange(10**6))})  # noqa: S311
        for url, traffic in servers
    )
    if one.failed or two.failed:
        raise SystemExit(f"{one.failed} and {two.failed} requests failed")
    return one, two


@contextmanager
def _server(folder: Path, workers: int) -> Iterator[tuple[str, Mapping[str, str]]]:
    """A server on a database of its own: its URL and wrk's environment."""
    folder.mkdir()
    settings = {"GRAPEVINE_DATABASE": f"sqlite:///{folder}/bench.sqlite3", "GRAPEVINE_RATE_LIMIT": "0"}
    added = subprocess.run(  # noqa: S603
        [sys.executable, "-m", "grapevine", "site", "add", "Bench", "--origin", ORIGIN],
        env=dict(os.environ) | settings, capture_output=True, text=True, check=True,
    )  # fmt: skip
    site, port = str(json.loads(added.stdout)["site"]), str(_free_port())
    command = ("-m", "grapevine", "serve", "--port", port, "--workers", str(workers))
    with process(*command, ready="ready", environment=settings):
        url = f"http://127.0.0.1:{port}"
        tokens = folder / "tokens"
        tokens.write_text("\n".join(_token(url, site, number) for number in range(200)))
        yield url, {
            "CALL": "visits", "SITE": site, "ORIGIN": ORIGIN, "TOKENS": str(tokens),
            "DAY": datetime.now(UTC).date().isoformat(),
        }  # fmt: skip


def _token(url: str, site: str, number: int) -> str:
    """The token of a new visit, for the traffic to return with."""
    body = {"site": site, "url": f"{ORIGIN}/articles/{number}", "nonce": f"seed{number:016}", "channels": ["copy"]}
    headers = {
        "Origin": ORIGIN, "Content-Type": "text/plain", "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Chrome/140"
    }  # fmt: skip
    request = urllib.request.Request(f"{url}/v1/visits", json.dumps(body).encode(), headers)  # noqa: S310
    with urllib.request.urlopen(request) as response:  # noqa: S310
        return str(json.load(response)["tokens"]["copy"])


def _show(rounds: Rounds) -> None:
    title = f"Visits, 2 workers ÷ 1 on {os.cpu_count()} cores with wrk, {_ROUNDS} rounds of {_SECONDS} s"
    table = Table(title=title, title_justify="left")
    for column in ("connections", "min", "median", "max", "a second, 1", "a second, 2", "p99 ms, 1", "p99 ms, 2"):
        table.add_column(column, justify="right")
    for connections, pairs in rounds.items():
        ratios = [two.rate / one.rate for one, two in pairs]
        rates = (statistics.median(load.rate for load in loads) for loads in zip(*pairs, strict=True))
        slow = (statistics.median(load.p99 * 1000 for load in loads) for loads in zip(*pairs, strict=True))
        figures = (min(ratios), statistics.median(ratios), max(ratios))
        shown = (*(f"{one:.2f}" for one in figures), *(f"{rate:,.0f}" for rate in rates), *(f"{ms:.0f}" for ms in slow))
        table.add_row(str(connections), *shown)
    Console(width=110).print(table)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
