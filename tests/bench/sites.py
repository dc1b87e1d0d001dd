"""Many sites on one server: the processor time of requests whose site is not known beforehand, with 1, 100 and 10,000.

All servers run at once, each on a SQLite file of its own, and get the same load in turn; the processor time of a
server's own threads says what a request costs (as in ``guard``).
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import random
import secrets
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from rich.console import Console
from rich.table import Table

from grapevine.domain import channels, ids
from grapevine.domain.tokens import LAST_N, Tokens
from grapevine.store.rows import SiteRow
from grapevine.store.sqlite.store import SQLiteStore
from tests.bench.guard import interval, processor_seconds
from tests.bench.ingest import free_port
from tests.bench.load import process
from tests.support.user_agents import CHROME

SIZES: Final = tuple(int(float(size)) for size in os.environ.get("SIZES", "1,100,10000").split(","))
CALLS: Final = ("visit", "visit, foreign token", "visit, forged token", "short link, uncached", "short link, forged")
BOUND: Final = 1.3
_ROUNDS: Final = int(os.environ.get("ROUNDS", "20"))
_REQUESTS: Final = 300
_CONNECTIONS: Final = 8
_KEY: Final = b"a-key-for-the-benchmark-of-sites"
_SEEDED: Final = 60


class SitesServer(NamedTuple):
    """A server with ``size`` sites; ``requests`` yields those of each call without end."""

    size: int
    pid: int
    port: int
    requests: Mapping[str, Iterator[bytes]]


def run() -> None:
    """Prints a row for each call; ends with status 1 when one costs more than BOUND times as much as with one site."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        servers = [stack.enter_context(_served(folder, size)) for size in SIZES]
        costs: dict[str, list[list[float]]] = {call: [] for call in CALLS}
        for number in range(-1, _ROUNDS):  # the first round warms the servers up
            for call in CALLS:
                turn = servers if number % 2 else servers[::-1]
                found = {server.size: _cost(server, call) for server in turn}
                if number >= 0:
                    costs[call].append([found[size] for size in SIZES])
    _show(costs)


def _cost(server: SitesServer, call: str) -> float:
    requests = list(itertools.islice(server.requests[call], _REQUESTS))
    start = processor_seconds(server.pid)
    asyncio.run(_send(server.port, requests))
    return (processor_seconds(server.pid) - start) / len(requests) * 1e6


async def _send(port: int, requests: Sequence[bytes]) -> None:
    left = iter(requests)

    async def connection() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for request in left:
            writer.write(request)
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            if head[9:12] not in (b"200", b"302", b"404"):
                raise SystemExit(f"a request was answered {head.decode('latin-1')}")
            length = next((line for line in head.split(b"\r\n") if line.startswith(b"content-length:")), b":0")
            await reader.readexactly(int(length.partition(b":")[2]))
        writer.close()
        await writer.wait_closed()

    async with asyncio.TaskGroup() as group:
        for _ in range(_CONNECTIONS):
            group.create_task(connection())


@contextmanager
def _served(folder: Path, size: int) -> Iterator[SitesServer]:
    path = folder / f"{size}.sqlite3"
    sites = [_site(number) for number in range(1, size + 1)]
    asyncio.run(_fill(path, sites))
    settings = {
        "GRAPEVINE_DATABASE": f"sqlite:///{path}",
        "GRAPEVINE_SECRET_KEYS": _KEY.decode(),
        "GRAPEVINE_RATE_LIMIT": "0",
    }
    port = free_port()
    with process("-m", "grapevine", "serve", "--port", str(port), ready="ready", environment=settings) as server:
        yield SitesServer(size, server.pid, port, asyncio.run(_traffic(port, sites)))


async def _fill(path: Path, sites: Sequence[SiteRow]) -> None:
    store = SQLiteStore(path)
    await store.open()
    for site in sites:
        await store.sites.add_site(site)
    await store.close()


def _site(number: int) -> SiteRow:
    return SiteRow(
        site_id=number,
        key=f"site-{number}",
        name=f"Site {number}",
        salt=f"{number:064x}",
        param="gv",
        place="auto",
        query="*",
        created_at=time.time_ns() // 1_000_000,
        origins=(f"https://site{number}.example",),
    )


async def _traffic(port: int, sites: Sequence[SiteRow]) -> dict[str, Iterator[bytes]]:
    """The requests to the last site. A foreign token is signed by the site before it; a server with one site has no
    other, and gets forged ones there."""
    own = sites[-1]
    other = Tokens([_KEY], bytes.fromhex(sites[-2].salt)) if len(sites) > 1 else Tokens([b"another"], b"salt")
    tokens, forger = Tokens([_KEY], bytes.fromhex(own.salt)), Tokens([b"another"], b"salt")
    visits = await _seed(port, own)
    spread = ids.spread_of_site(own.site_id - 1, sites[-2].cells) if len(sites) > 1 else ids.CELLS

    def unstored(site_id: int, cells: int) -> int:
        return ids.pack(2500, ids.cell_of_site(site_id, cells, random.getrandbits(12)), random.getrandbits(32))

    def minted(signer: Tokens, visit: Callable[[], int]) -> Iterator[str]:
        while True:
            yield signer.mint(visit(), (0,))[0]

    def shares() -> Iterator[str]:
        while True:
            for n, code, visit in itertools.product(range(LAST_N + 1), channels.NAMES, visits):
                yield tokens.mint(visit, (code,), n)[0]

    forged = minted(forger, lambda: unstored(1, ids.CELLS))
    foreign = minted(other, lambda: unstored(own.site_id - 1, spread))
    return {
        "visit": (_visit(own) for _ in itertools.count()),
        "visit, foreign token": (_visit(own, token) for token in foreign),
        "visit, forged token": (_visit(own, token) for token in forged),
        "short link, uncached": map(_link, shares()),
        "short link, forged": map(_link, forged),
    }


async def _seed(port: int, site: SiteRow) -> list[int]:
    """Makes visits whose shares are followed; returns their ids."""
    found = []
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(_SEEDED):
        writer.write(_visit(site))
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = next(line for line in head.split(b"\r\n") if line.startswith(b"content-length:"))
        answer = json.loads(await reader.readexactly(int(length.partition(b":")[2])))
        found.append(ids.visit_number(answer["visit"]) or 0)
    writer.close()
    await writer.wait_closed()
    return found


def _visit(site: SiteRow, token: str | None = None) -> bytes:
    body = {
        "site": site.key, "url": f"{site.origins[0]}/page", "nonce": secrets.token_hex(12), "channels": ["copy"],
    } | ({} if token is None else {"token": token})  # fmt: skip
    content = json.dumps(body).encode()
    head = (
        f"POST /v1/visits HTTP/1.1\r\nHost: x\r\nOrigin: {site.origins[0]}\r\nUser-Agent: {CHROME}\r\n"
        f"Content-Type: text/plain\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


def _link(token: str) -> bytes:
    return f"GET /s/{token} HTTP/1.1\r\nHost: x\r\nUser-Agent: {CHROME}\r\n\r\n".encode()


def _show(costs: Mapping[str, Sequence[Sequence[float]]]) -> None:
    title = f"Processor time a request in µs, {_ROUNDS} rounds, and its ratio to one site with an interval of 90%"
    table = Table(title=title, title_justify="left")
    table.add_column("call")
    for size in SIZES:
        table.add_column(f"{size:,} site{'s' if size > 1 else ''}", justify="right")
    for size in SIZES[1:]:
        table.add_column(f"÷, {size:,}", justify="right")
    failed = []
    for call, rounds in costs.items():
        ratios = [interval([row[place] / row[0] for row in rounds]) for place in range(1, len(SIZES))]
        medians = (statistics.median(row[place] for row in rounds) for place in range(len(SIZES)))
        shown = (f"{ratio.median:.2f} ({ratio.low:.2f}-{ratio.high:.2f})" for ratio in ratios)
        table.add_row(call, *(f"{median:,.0f}" for median in medians), *shown)
        failed += [call for ratio in ratios if ratio.low > BOUND]
    Console(width=110).print(table)
    if failed:
        raise SystemExit(f"{', '.join(failed)}: more than {BOUND} times the processor time with one site")
