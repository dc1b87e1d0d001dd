"""Cost guard: the server's processor time for each request, of this checkout and of an earlier commit.

Both servers run at once, each on a SQLite file of its own; pairs of equal loads go to one and then to the other, in
turn the one first and the other. Wall time says nothing on a shared machine; the processor time of the server's own
threads (Linux: ``/proc/PID/task/*/schedstat``, nanoseconds) says what a request costs. ``BASE`` names the commit.
"""

from __future__ import annotations

import asyncio
import json
import math
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from rich.console import Console
from rich.table import Table

from tests.bench.client import Traffic
from tests.bench.ingest import ORIGIN, free_port, seed
from tests.bench.load import process

ROOT: Final = Path(__file__).resolve().parents[2]
CALLS: Final = {
    "visits": 1_500,
    "shares": 1_500,
    "follow": 3_000,
    "summary": 60,
    "breakdown": 60,
    "cascades": 60,
    "token": 150,
}
"""How many requests of each call a pair sends to each server: about a quarter of a second of its time."""

BOUND: Final = 1.05
"""A call fails when the whole interval of its ratio lies above this."""

LEVEL: Final = 0.9
_PAIRS: Final = int(os.environ.get("PAIRS", "20"))
_CONNECTIONS: Final = 16


class GuardedServer(NamedTuple):
    """One server: its process, its port, the values that requests to it need, and its settings."""

    pid: int
    port: int
    traffic: Mapping[str, str]
    settings: Mapping[str, str]


class Interval(NamedTuple):
    """The median of paired ratios, and an interval that contains it with the probability LEVEL."""

    low: float
    median: float
    high: float


def run() -> None:
    """Prints a row a call; ends with status 1 when one of them costs more than BOUND allows."""
    base = os.environ.get("BASE", "HEAD^")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        before = stack.enter_context(serving_side(stack.enter_context(_checkout(base)), folder / "before"))
        after = stack.enter_context(serving_side(ROOT, folder / "after"))
        costs: dict[str, list[tuple[float, float]]] = {call: [] for call in CALLS}
        for number in range(-1, _PAIRS):  # the first pair warms both servers up
            for call in CALLS:
                pair = costs_of(before, after, call, number)
                if number >= 0:
                    costs[call].append(pair)
    found = {call: interval([mine / theirs for theirs, mine in pairs]) for call, pairs in costs.items()}
    _show(base, costs, found)
    if failed := [call for call, ratio in found.items() if ratio.low > BOUND]:
        raise SystemExit(f"{', '.join(failed)}: more than {BOUND} times the processor time of {base}")


def interval(ratios: Sequence[float], level: float = LEVEL) -> Interval:
    """Returns the median and the narrowest pair of order statistics that contains it with at least ``level``.

    Distribution-free: the number of values below the median is binomial (David and Nagaraja, *Order Statistics*,
    2003, 7.1). Raises ValueError for so few values that no pair does.
    """
    count, ordered = len(ratios), sorted(ratios)
    for rank in range((count - 1) // 2, -1, -1):
        inside = sum(math.comb(count, below) for below in range(rank + 1, count - rank)) / 2**count
        if inside >= level:
            return Interval(ordered[rank], statistics.median(ordered), ordered[count - 1 - rank])
    raise ValueError(f"{count} pairs are too few for an interval of {level}")


def processor_seconds(pid: int) -> float:
    """Returns the processor time of all threads of a process so far, in seconds."""
    threads = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((thread / "schedstat").read_text("ascii").split()[0]) for thread in threads) / 1e9


def costs_of(before: GuardedServer, after: GuardedServer, call: str, number: int) -> tuple[float, float]:
    """Returns the microseconds a request of each server; ``number`` decides which of them is measured first."""
    if number % 2:
        mine, theirs = _cost(after, call), _cost(before, call)
    else:
        theirs, mine = _cost(before, call), _cost(after, call)
    return theirs, mine


def _cost(side: GuardedServer, call: str) -> float:
    requests = CALLS[call]
    environment = dict(side.traffic) | {"CALL": call, "SEED": str(random.randrange(10**6))}  # noqa: S311
    traffic = Traffic(environment, f"127.0.0.1:{side.port}")
    start = processor_seconds(side.pid)
    asyncio.run(_send(traffic, side.port, requests))
    return (processor_seconds(side.pid) - start) / requests * 1e6


async def _send(traffic: Traffic, port: int, requests: int) -> None:
    """Sends so many requests over a few keep-alive connections. Ends the run at a response other than 200 or 302."""
    left = iter(range(requests))

    async def connection() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in left:
            writer.write(traffic.next())
            head = await reader.readuntil(b"\r\n\r\n")
            if head[9:12] not in (b"200", b"302"):
                raise SystemExit(f"a request was answered {head.decode('latin-1')}")
            length = next((line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), b":0")
            await reader.readexactly(int(length.partition(b":")[2]))
        writer.close()
        await writer.wait_closed()

    async with asyncio.TaskGroup() as group:
        for _ in range(_CONNECTIONS):
            group.create_task(connection())


@contextmanager
def _checkout(revision: str) -> Iterator[Path]:
    """Checks the project out at ``revision``, with the current build of the widget, which the server only serves."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "checkout")
        _git("worktree", "add", "--detach", str(path), revision)
        try:
            shutil.copytree(ROOT / "server/grapevine/built", path / "server/grapevine/built")
            yield path
        finally:
            _git("worktree", "remove", "--force", str(path))


def _git(*arguments: str) -> None:
    subprocess.run(["git", "-C", str(ROOT), *arguments], check=True, capture_output=True)  # noqa: S603, S607


def added_by(settings: Mapping[str, str], *command: str) -> dict[str, str]:
    """Runs a command and returns what it prints as JSON."""
    environment = dict(os.environ) | dict(settings)
    command = (sys.executable, "-m", "grapevine", *command, "--json")
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)  # noqa: S603
    found: dict[str, str] = json.loads(ran.stdout)
    return found


@contextmanager
def serving_side(checkout: Path, folder: Path, **more: str) -> Iterator[GuardedServer]:
    """A server of the checkout with a site, on a new file in ``folder``; ``more`` are settings."""
    folder.mkdir()
    settings: dict[str, str] = {
        "PYTHONPATH": str(checkout / "server"),
        "GRAPEVINE_DATABASE": f"sqlite:///{folder}/bench.sqlite3",
        "GRAPEVINE_RATE_LIMIT": "0",
    } | more
    added = added_by(settings, "site", "add", "Bench", "--origin", ORIGIN)
    port = free_port()
    with process("-m", "grapevine", "serve", "--port", str(port), ready="ready", environment=settings) as server:
        traffic = seed(f"http://127.0.0.1:{port}", added["site"], folder)
        yield GuardedServer(server.pid, port, traffic | {"KEY": added["key"]}, settings)


def _show(base: str, costs: Mapping[str, list[tuple[float, float]]], found: Mapping[str, Interval]) -> None:
    title = f"Processor time a request ÷ {base}, {_PAIRS} pairs, interval of {LEVEL:.0%}"
    table = Table(title=title, title_justify="left")
    for column in ("call", "before µs", "after µs", "ratio", "low", "high"):
        table.add_column(column, justify="left" if column == "call" else "right")
    for call, pairs in costs.items():
        before, after = (statistics.median(side) for side in zip(*pairs, strict=True))
        ratio = found[call]
        table.add_row(
            call, f"{before:,.1f}", f"{after:,.1f}", f"{ratio.median:.3f}", f"{ratio.low:.3f}", f"{ratio.high:.3f}"
        )
    Console(width=100).print(table)
