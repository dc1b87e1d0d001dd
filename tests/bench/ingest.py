"""Collecting over HTTP compared with a bare ASGI application: interleaved rounds, durable, default settings."""

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
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from tests.bench.load import NO_LIMITS, LoadResult, offer, process

ORIGIN: Final = "https://bench.example"
CALLS: Final = (
    ("visits", 64), ("visits through ASGI", 64), ("least visits", 64), ("visits", 256), ("least visits", 256),
    ("shares", 64), ("shares through ASGI", 64), ("least shares", 64), ("views", 64), ("follow", 64),
    ("follow through ASGI", 64),
)  # fmt: skip
"""Calls ``through ASGI`` are sent to ``tests.bench.through_asgi``, the ``least`` to ``tests.bench.lower_bound``."""
_ROUNDS: Final = int(os.environ.get("ROUNDS", "5"))
_SECONDS: Final = int(os.environ.get("SECONDS", "4"))


def run() -> None:
    """Prints requests a second as a ratio to the bare application's, round by round."""
    with tempfile.TemporaryDirectory() as folder:
        ports = [free_port() for _ in range(4)]
        settings = {
            "GRAPEVINE_DATABASE": f"sqlite:///{folder}/bench.sqlite3",
            **NO_LIMITS,
            "GRAPEVINE_CONNECTIONS": "0",
        }
        site = json.loads(grapevine(settings, "site", "add", "Bench", "--origin", ORIGIN))["site"]
        with (
            process("-m", "tests.bench.bare", str(ports[0]), ready="ready", environment={}),
            process("-m", "tests.bench.lower_bound", str(ports[1]), ready="ready", environment={}),
            process("-m", "grapevine", "serve", "--port", str(ports[2]), ready="ready", environment=settings),
            process("-m", "tests.bench.through_asgi", str(ports[3]), ready="ready", environment=settings),
        ):
            bare, least, server, through_asgi = (f"http://127.0.0.1:{port}" for port in ports)
            traffic = seed(server, site, Path(folder))
            _show(_measure(bare, least, server, through_asgi, traffic))


def _measure(
    bare: str, least: str, server: str, through_asgi: str, traffic: Mapping[str, str]
) -> dict[tuple[str, int], list[tuple[LoadResult, LoadResult]]]:
    rounds: dict[tuple[str, int], list[tuple[LoadResult, LoadResult]]] = {call: [] for call in CALLS}
    for number in range(_ROUNDS):
        for call, connections in CALLS:
            seeded = dict(traffic) | {"SEED": str(random.randrange(10**6))}  # noqa: S311
            reference = offer(bare, connections, _SECONDS, seeded | {"CALL": "bare"})
            url = least if call.startswith("least ") else through_asgi if call.endswith(" through ASGI") else server
            name = call.removeprefix("least ").removesuffix(" through ASGI")
            mine = offer(url, connections, _SECONDS, seeded | {"CALL": name})
            if mine.failed:
                raise SystemExit(f"round {number} of {call}: {mine.failed} requests failed")
            rounds[call, connections].append((reference, mine))
    return rounds


def _show(rounds: Mapping[tuple[str, int], list[tuple[LoadResult, LoadResult]]]) -> None:
    table = Table(title=f"Collecting ÷ a bare ASGI application, {_ROUNDS} rounds of {_SECONDS} s", title_justify="left")
    for column in ("call", "connections", "min", "median", "max", "median a second", "p99 ÷ bare"):
        table.add_column(column, justify="left" if column == "call" else "right")
    for (call, connections), pairs in rounds.items():
        ratios = [mine.rate / bare.rate for bare, mine in pairs]
        slow = statistics.median(mine.p99 / bare.p99 for bare, mine in pairs)
        rate = statistics.median(mine.rate for _, mine in pairs)
        figures = (min(ratios), statistics.median(ratios), max(ratios))
        table.add_row(call, str(connections), *(f"{one:.2f}" for one in figures), f"{rate:,.0f}", f"{slow:.1f}")
    Console(width=100).print(table)


def seed(server: str, site: str, folder: Path, visits: int = 500) -> dict[str, str]:
    """Makes the visits whose tokens and sessions the traffic uses; returns wrk's environment."""
    tokens, sessions = [], []
    for number in range(visits):
        body = {"site": site, "url": f"{ORIGIN}/articles/{number}", "nonce": f"seed{number:016}", "channels": ["copy"]}
        request = urllib.request.Request(  # noqa: S310
            f"{server}/v1/visits",
            json.dumps(body).encode(),
            {
                "Origin": ORIGIN,
                "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Chrome/140",
                "Content-Type": "text/plain",
            },
        )
        with urllib.request.urlopen(request) as response:  # noqa: S310
            answer = json.load(response)
        tokens.append(answer["tokens"]["copy"])
        sessions.append(answer["session"])
    (folder / "tokens").write_text("\n".join(tokens))
    (folder / "sessions").write_text("\n".join(sessions))
    today = datetime.now(UTC).date().isoformat()
    return {
        "SITE": site,
        "ORIGIN": ORIGIN,
        "DAY": today,
        "TOKENS": str(folder / "tokens"),
        "SESSIONS": str(folder / "sessions"),
    }


def grapevine(settings: Mapping[str, str], *arguments: str) -> str:
    """Returns the output of a command."""
    command = [sys.executable, "-m", "grapevine", *arguments]
    environment = dict(os.environ) | dict(settings)
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout  # noqa: S603


def free_port() -> int:
    """Returns a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
