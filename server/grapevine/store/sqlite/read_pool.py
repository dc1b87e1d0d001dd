"""The reading connections, each in a thread of its own, for queries that may take long.

The threads take their queries from one queue. Waking up a thread that sleeps costs about as much as a small query
itself (some 30 µs, of which a thread that is still awake when the next query comes saves most), and every answer of the
read API needs several queries. So no thread waits for another query of the same request: the next one of any request
keeps it awake.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any, NamedTuple

from grapevine.store.sqlite.connections import READER_SETTINGS, InlineConnection
from grapevine.store.sqlite.errors import unreadable

Rows = list[tuple[Any, ...]]


class _Call(NamedTuple):
    """What a thread is to do with its connection, and the future of the loop that waits for the rows."""

    function: Callable[[InlineConnection], Rows]
    future: asyncio.Future[Rows]
    loop: asyncio.AbstractEventLoop


class ReadPool:
    """``size`` reading connections as one Runner: each query takes the next free one, in the order they came."""

    def __init__(self, path: Path, size: int) -> None:
        self._path = path
        self._unanswered = 0
        self._calls: SimpleQueue[_Call | None] = SimpleQueue()
        self._threads = [
            # A daemon: a store that nobody closed does not keep the process from ending.
            Thread(target=_serve, args=(connection, self._calls), name="grapevine-sqlite-reader", daemon=True)
            for connection in [InlineConnection(path, READER_SETTINGS) for _ in range(size)]
        ]
        for thread in self._threads:
            thread.start()

    async def run(self, name: str, /, rows: Sequence[Sequence[Any]] | None = None, **params: Any) -> Rows:
        with unreadable(self._path):
            return await self._in_thread(lambda connection: connection.answer(name, rows, params))

    async def plain(self, text: str) -> Rows:
        """Returns the rows of a statement in SQLite's dialect."""
        return await self._in_thread(lambda connection: connection.plain(text))

    @property
    def free(self) -> int:
        """How many connections have nothing to do, for tools and tests."""
        return max(0, len(self._threads) - self._unanswered)

    async def close(self) -> None:
        """Closes the connections after the queries that wait."""
        for _ in self._threads:
            self._calls.put(None)
        for thread in self._threads:
            await asyncio.to_thread(thread.join)

    async def _in_thread(self, function: Callable[[InlineConnection], Rows]) -> Rows:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Rows] = loop.create_future()
        self._calls.put(_Call(function, future, loop))
        self._unanswered += 1
        try:
            return await future
        finally:
            self._unanswered -= 1
            del future  # a cycle with the frame in its exception's traceback


def _serve(connection: InlineConnection, calls: SimpleQueue[_Call | None]) -> None:
    while (call := calls.get()) is not None:
        _answer(connection, call)
        del call  # with the rows, which the sleeping thread would keep until its next query
    connection.close()


def _answer(connection: InlineConnection, call: _Call) -> None:
    try:
        rows = call.function(connection)
    except BaseException as error:
        call.loop.call_soon_threadsafe(_fail, call.future, error)
    else:
        call.loop.call_soon_threadsafe(_resolve, call.future, rows)


def _resolve(future: asyncio.Future[Rows], rows: Rows) -> None:
    if not future.done():  # the caller may have been cancelled
        future.set_result(rows)


def _fail(future: asyncio.Future[Rows], error: BaseException) -> None:
    if not future.done():
        future.set_exception(error)
