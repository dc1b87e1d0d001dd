"""Soak: hours of load at two thirds of the highest rate, one request in twenty garbage, one client in a hundred slow.

Prints the growth of the server's memory with its interval, whether every acknowledged visit is in the database, and
what ``grapevine doctor`` says. MINUTES (30) is how long it takes.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sqlite3
import statistics
import subprocess
import sys
import tempfile
from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from rich.console import Console
from rich.table import Table

from grapevine.domain import ids
from tests.bench.client import Traffic
from tests.bench.ingest import ORIGIN, free_port, grapevine, seed
from tests.bench.load import offer, process
from tests.bench.memory import Memory, now

_MINUTES: Final = float(os.environ.get("MINUTES", "30"))
_CONNECTIONS: Final = 64
_SLOW_IN: Final = 100
_GARBAGE_IN: Final = 20
_SAMPLE_SECONDS: Final = 5.0
_HIGHEST_SECONDS: Final = 10
_SLOW_PAUSE_SECONDS: Final = 0.05
_CALLS: Final = ("visits", "visits", "visits", "shares", "views", "follow")
_T95: Final = 1.96
_PARTS: Final = 6


class Soaked(NamedTuple):
    """What came of it: answers by kind and status, acknowledged visits, and the memory through the time."""

    answers: Counter[tuple[str, int]]
    visits: array[int]
    samples: list[Sample]


class Sample(NamedTuple):
    """The server's memory after so many seconds and answers."""

    seconds: float
    answers: int
    memory: Memory


class Slope(NamedTuple):
    """Growth in MiB an hour, and half the width of its 95 % interval."""

    growth: float
    margin: float


def run() -> None:
    """Prints the table; raises SystemExit with status 1 where something was lost or the doctor finds something."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "soak.sqlite3"
        settings = {
            "GRAPEVINE_DATABASE": f"sqlite:///{path}",
            "GRAPEVINE_RATE_LIMIT": "0",
        }
        site = json.loads(grapevine(settings, "site", "add", "Soak", "--origin", ORIGIN))["site"]
        port = free_port()
        with process("-m", "grapevine", "serve", "--port", str(port), ready="ready", environment=settings) as server:
            traffic = seed(f"http://127.0.0.1:{port}", site, Path(folder))
            highest = offer(
                f"http://127.0.0.1:{port}", _CONNECTIONS, _HIGHEST_SECONDS, traffic | {"CALL": "visits", "SEED": "1"}
            ).rate
            soaked = asyncio.run(_soak(port, server.pid, traffic, highest * 2 / 3))
        missing = _missing(path, soaked.visits)
        doctor = subprocess.run(
            [sys.executable, "-m", "grapevine", "doctor"],
            env=dict(os.environ) | settings,
            capture_output=True,
            text=True,
            check=False,
        )
        _show(highest, soaked, missing, path.stat().st_size, doctor.returncode)
        if missing or doctor.returncode:
            sys.stderr.write(doctor.stdout)
            raise SystemExit(1)


def _show(highest: float, soaked: Soaked, missing: int, size: int, doctor: int) -> None:
    half = soaked.samples[len(soaked.samples) // 2 :]
    grown = slope([sample.seconds for sample in half], [sample.memory.own for sample in half])
    table = Table(title=f"{_MINUTES:g} minutes at two thirds of {highest:,.0f} visits a second", title_justify="left")
    table.add_column("figure")
    table.add_column("value", justify="right")
    table.add_row("answers", f"{soaked.answers.total():,}")
    for (kind, status), number in sorted(soaked.answers.items()):
        table.add_row(f"  {kind}, {status or 'closed'}", f"{number:,}")
    table.add_row("acknowledged visits that are not stored", f"{missing:,} of {len(soaked.visits):,}")
    for sample in _spread(soaked.samples):
        table.add_row(f"memory of its own after {sample.answers:,} answers, MiB", f"{sample.memory.own:.1f}")
    table.add_row("growth in the second half, MiB an hour (95 %)", f"{grown.growth:+.2f} ± {grown.margin:.2f}")
    table.add_row("database, MiB", f"{size / (1 << 20):,.0f}")
    table.add_row("doctor", "all is well" if doctor == 0 else f"exit {doctor}")
    Console(width=110).print(table)


def _spread(samples: Sequence[Sample]) -> list[Sample]:
    """Returns the first sample, the last one, and those between them that cut the time in equal parts.

    Memory grows while caches fill, SQLite's of pages (32 MiB) longest: until the database is a little larger than that.
    """
    last = len(samples) - 1
    return [samples[part * last // _PARTS] for part in range(_PARTS + 1)]


def slope(seconds: Sequence[float], values: Sequence[float]) -> Slope:
    """Returns the slope of a least-squares line through the values, an hour."""
    fit = statistics.linear_regression(seconds, values)
    mean = statistics.fmean(seconds)
    spread = sum((at - mean) ** 2 for at in seconds)
    rest = sum((value - fit.slope * at - fit.intercept) ** 2 for at, value in zip(seconds, values, strict=True))
    error = (rest / max(len(seconds) - 2, 1) / spread) ** 0.5
    return Slope(3_600 * fit.slope, 3_600 * _T95 * error)


async def _soak(port: int, pid: int, traffic: Mapping[str, str], rate: float) -> Soaked:
    soaked = Soaked(Counter(), array("q"), [])
    loop = asyncio.get_running_loop()
    began = loop.time()
    until = began + 60 * _MINUTES
    host = f"127.0.0.1:{port}"
    async with asyncio.TaskGroup() as group:
        for number in range(_CONNECTIONS):
            environment = dict(traffic) | {"CALL": _CALLS[number % len(_CALLS)], "SEED": str(number)}
            one = Traffic(environment, host)
            group.create_task(_steady(port, one, environment["CALL"], _CONNECTIONS / rate, until, soaked))
        for number in range(max(1, _CONNECTIONS // _SLOW_IN)):
            one = Traffic(dict(traffic) | {"CALL": "visits", "SEED": f"slow {number}"}, host)
            group.create_task(_slow(port, one, until, soaked))
        while loop.time() < until:
            soaked.samples.append(Sample(loop.time() - began, soaked.answers.total(), now(pid)))
            await asyncio.sleep(_SAMPLE_SECONDS)
    return soaked


async def _steady(port: int, traffic: Traffic, call: str, every: float, until: float, soaked: Soaked) -> None:
    """Sends a request every so often, however long an answer takes; one in twenty is garbage."""
    loop, draw = asyncio.get_running_loop(), random.Random(call)  # noqa: S311
    reader = writer = None
    at = loop.time() + draw.random() * every
    while max(at, loop.time()) < until:
        await asyncio.sleep(max(0.0, at - loop.time()))
        at += every
        if reader is None or writer is None:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        is_garbage = draw.randrange(_GARBAGE_IN) == 0
        writer.write(_garbage(draw, traffic) if is_garbage else traffic.next())
        status, body = await _answer(reader)
        soaked.answers["garbage" if is_garbage else call, status] += 1
        if not is_garbage and call == "visits" and status == 200:
            soaked.visits.append(ids.visit_number(json.loads(body)["visit"]) or 0)
        if status in {0, 400, 413, 414, 431}:  # the server closes the connection
            writer.close()
            reader = writer = None
    if writer is not None:
        writer.close()


async def _slow(port: int, traffic: Traffic, until: float, soaked: Soaked) -> None:
    """Sends its requests byte by byte; most take longer than the server waits."""
    loop = asyncio.get_running_loop()
    while loop.time() < until:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        with suppress(ConnectionError):
            for byte in traffic.next():
                writer.write(bytes((byte,)))
                await writer.drain()
                await asyncio.sleep(_SLOW_PAUSE_SECONDS)
        status, _ = await _answer(reader)
        soaked.answers["slow", status] += 1
        writer.close()


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Returns the status and body of an answer; status 0 where the connection was closed instead."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        lines = head.lower().split(b"\r\n")
        length = next((int(line[15:]) for line in lines if line.startswith(b"content-length:")), 0)
        return int(head[9:12]), await reader.readexactly(length)
    except (asyncio.IncompleteReadError, ConnectionError):
        return 0, b""


def _garbage(draw: random.Random, traffic: Traffic) -> bytes:
    """Returns a request with some bytes replaced, or nothing that is a request at all."""
    good = bytearray(traffic.next())
    if draw.random() < 0.3:
        return draw.randbytes(40).replace(b"\n", b"") + b"\r\n\r\n"
    start = good.find(b"\r\n\r\n") + 4
    for _ in range(3):
        good[draw.randrange(start, len(good)) if start < len(good) else -5] = draw.randrange(256)
    return bytes(good)


def _missing(path: Path, visits: Sequence[int]) -> int:
    """Returns how many of the visits are not in the database."""
    with sqlite3.connect(path) as database:
        database.execute("CREATE TEMP TABLE acknowledged (visit_id INTEGER PRIMARY KEY)")
        database.executemany("INSERT OR IGNORE INTO acknowledged VALUES (?)", ((visit,) for visit in visits))
        ((missing,),) = database.execute(
            "SELECT count(*) FROM acknowledged WHERE visit_id NOT IN (SELECT visit_id FROM visits)"
        )
    database.close()
    return int(missing)
