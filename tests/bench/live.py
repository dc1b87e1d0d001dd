"""The live feed: what readers cost collecting, in processor time of the server for each request.

Two servers run at once, each on a SQLite file of its own; pairs of equal loads go to one without a reader and to one
with ``READERS`` (200) of its site, in turn the one first and the other. ``PAIRS`` as in ``guard``.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from tests.bench.guard import BOUND, ROOT, GuardedServer, added_by, costs_of, interval, serving_side

READERS: Final = int(os.environ.get("READERS", "200"))
CALLS: Final = ("visits", "shares")
_PER_KEY: Final = 50
_PAIRS: Final = int(os.environ.get("PAIRS", "20"))


def run() -> None:
    """Prints a row a call; ends with status 1 when readers cost more than the guard's bound."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        alone = stack.enter_context(serving_side(ROOT, folder / "alone", GRAPEVINE_CONNECTIONS="0"))
        watched = stack.enter_context(serving_side(ROOT, folder / "watched", GRAPEVINE_CONNECTIONS="0"))
        stack.enter_context(_readers(watched))
        costs: dict[str, list[tuple[float, float]]] = {call: [] for call in CALLS}
        for number in range(-1, _PAIRS):  # the first pair warms both servers up
            for call in CALLS:
                pair = costs_of(alone, watched, call, number)
                if number >= 0:
                    costs[call].append(pair)
    table = Table(title=f"Processor time a request with {READERS} readers, {_PAIRS} pairs", title_justify="left")
    for column in ("call", "alone µs", "watched µs", "ratio", "low", "high"):
        table.add_column(column, justify="left" if column == "call" else "right")
    failed = []
    for call, pairs in costs.items():
        ratio = interval([mine / theirs for theirs, mine in pairs])
        before, after = (statistics.median(side) for side in zip(*pairs, strict=True))
        numbers = (ratio.median, ratio.low, ratio.high)
        table.add_row(call, f"{before:,.1f}", f"{after:,.1f}", *(f"{number:.3f}" for number in numbers))
        failed += [call] * (ratio.low > BOUND)
    Console(width=100).print(table)
    if failed:
        raise SystemExit(f"{', '.join(failed)}: more than {BOUND} times the processor time without a reader")


@contextmanager
def _readers(server: GuardedServer) -> Iterator[None]:
    """Reads the feed of the server's site READERS times, in another process, while the block runs."""
    keys = [server.traffic["KEY"], *(_add_key(server) for _ in range((READERS - 1) // _PER_KEY))]
    spawn = multiprocessing.get_context("spawn")
    ready = spawn.Event()
    process = spawn.Process(target=_read, args=(server.port, [keys[n // _PER_KEY] for n in range(READERS)], ready))
    process.start()
    try:
        if not ready.wait(60):
            raise SystemExit("the readers did not start")
        yield
        if not process.is_alive():
            raise SystemExit("the readers ended early")
    finally:
        process.terminate()
        process.join()


def _add_key(server: GuardedServer) -> str:
    return added_by(server.settings, "key", "add", "Bench", "--scope", "read")["key"]


def _read(port: int, keys: list[str], ready: object) -> None:
    asyncio.run(_read_all(port, keys, ready))


async def _read_all(port: int, keys: list[str], ready: object) -> None:
    opened = asyncio.Semaphore(0)

    async def follow(key: str) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        head = f"GET /v1/live HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {key}\r\n\r\n"
        writer.write(head.encode())
        await reader.readuntil(b"event: start")
        opened.release()
        while await reader.read(65_536):
            pass
        raise SystemExit("a stream ended")

    async with asyncio.TaskGroup() as group:
        for key in keys:
            group.create_task(follow(key))
        for _ in keys:
            await opened.acquire()
        ready.set()  # type: ignore[attr-defined]  # an Event of multiprocessing
