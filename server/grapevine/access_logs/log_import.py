"""The import of an access log: lines in, events in batches into the store, a summary out.

Every line is decided by what is in the store, in the transaction that stores it. So an import may be stopped at any
moment, started again, and given lines that were read before: what is stored is the same. No position is kept.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from grapevine.access_logs import caddy, combined
from grapevine.access_logs.arrivals import ROBOT, ArrivalReader
from grapevine.access_logs.entry import LogEntry
from grapevine.access_logs.log_file import LogFile, UnreadableLog
from grapevine.collect.list_overrides import assistant_apps
from grapevine.collect.visitor_hash import VisitorSalts
from grapevine.domain import ids
from grapevine.domain.events import Outcome, Stored, Unfurl, VisitEvent, VisitOutcome
from grapevine.domain.periods import Clock
from grapevine.errors import Interrupted
from grapevine.store.base import Store
from grapevine.writer.logged_visits import DecidedLines, decide
from grapevine.writer.nonces import Nonces
from grapevine.writer.recorder import EventRecorder

EXPECTED: Final = (
    "the combined format of Apache and nginx, with or without the host in front, or the JSON of Caddy, a line each"
)
BATCH: Final = 100
"""Events of one transaction: some 10 ms on SQLite, for which a server on the same file waits. After each the import
leaves the store alone for as long as it took."""

_SHOWN_BROKEN: Final = 3
_SHOWN_CHARACTERS: Final = 100
_LINES_TO_KNOW_FORMAT: Final = 1_000
_RETRY_SECONDS: Final = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 10.0)


class BrokenLine(msgspec.Struct, frozen=True):
    """A line that could not be read: its number, from 1, and how it begins."""

    line: int
    text: str


class ImportSummary(msgspec.Struct, kw_only=True):
    """What an import found. ``returns``, ``joined``, ``unfurls`` and ``assistants`` are new; ``repeats`` are lines that
    say nothing new: read before, or a further preview for the same app within an hour. ``origin`` is the one that pages
    were taken for where lines name no host."""

    lines: int = 0
    returns: int = 0
    joined: int = 0
    unfurls: int = 0
    assistants: int = 0
    repeats: int = 0
    robots: int = 0
    refused: dict[str, int] = {}
    broken: int = 0
    first_broken: list[BrokenLine] = []
    origin: str | None = None


class LogImport:
    """Imports one log of a site whose tokens stand behind the name ``param``."""

    def __init__(
        self,
        store: Store,
        recorder: EventRecorder,
        nonces: Nonces,
        reader: ArrivalReader,
        salts: VisitorSalts,
        param: str,
        clock: Clock,
        pause: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._store = store
        self._recorder = recorder
        self._nonces = nonces
        self._reader = reader
        self._salts = salts
        self._clock = clock
        self._pause = pause
        # Most lines have no token: this says so without reading them. A token may be in the referrer, too.
        name = re.escape(param.encode())
        self._may_have_token = re.compile(rb"%b(?:[=-]|%%[23]d)[0-9a-z]{23}" % name, re.IGNORECASE).search
        self._refused: Counter[str] = Counter()
        self._events: list[VisitEvent | Unfurl] = []
        self._assistants = assistant_apps()
        self.is_log = False
        """Whether any line could be read."""
        self.summary = ImportSummary()

    async def run(self, lines: LogFile, on_block: Callable[[], None]) -> ImportSummary:
        """Imports all lines; ``on_block`` is called after each block of them.

        Raises UnreadableLog where the file is no log, or cannot be read to its end: then what was read before is
        stored. Raises StoreError.
        """
        blocks = lines.blocks()
        try:
            while (block := await asyncio.to_thread(next, blocks, None)) is not None:
                await self._salts.fetch(ids.day_at(self._clock()))
                await self._take(block)
                on_block()
            if self.summary.broken and not self.is_log:
                raise self._unreadable()
        except UnreadableLog:
            await self._store_events()
            raise
        await self._store_events()
        if lines.too_long:
            self._refused["too-long"] = lines.too_long
        self.summary.refused = dict(sorted(self._refused.items()))
        return self.summary

    async def _take(self, block: list[bytes]) -> None:
        """Reads some lines, and stores their events as soon as there are enough for a batch."""
        may_have_token, now = self._may_have_token, self._clock()
        for line in block:
            self.summary.lines += 1
            line = line.rstrip()
            layout = caddy if line[:1] == b"{" else combined
            if not layout.is_line(line):
                if line:
                    self._note_broken(line)
            elif not self.is_log or may_have_token(line):
                self._read(layout.parse(line), line, now)
                if len(self._events) >= BATCH:
                    await self._store_events()

    def _read(self, entry: LogEntry | None, line: bytes, now: int) -> None:
        if entry is None:
            if not caddy.is_other(line):
                self._note_broken(line)
            return
        self.is_log = True
        found = self._reader.read(line, entry, now)
        if found == ROBOT:
            self.summary.robots += 1
        elif isinstance(found, str):
            self._refused[found] += 1
        elif found is not None:
            self._events.append(found)
        if not self._reader.names_hosts:
            self.summary.origin = self._reader.origin

    def _note_broken(self, line: bytes) -> None:
        self.summary.broken += 1
        if len(self.summary.first_broken) < _SHOWN_BROKEN:
            text = line[:_SHOWN_CHARACTERS].decode("utf-8", "replace")
            self.summary.first_broken.append(BrokenLine(self.summary.lines, text))
        if not self.is_log and self.summary.broken >= _LINES_TO_KNOW_FORMAT:
            raise self._unreadable()

    def _unreadable(self) -> UnreadableLog:
        first = self.summary.first_broken[0]
        return UnreadableLog(f"it has no line in {EXPECTED}. Line {first.line} begins: {first.text}")

    async def _store_events(self) -> None:
        """Stores the events that wait, in one transaction. Raises StoreError."""
        events, self._events = self._events, []
        if not events:
            return
        for seconds in (*_RETRY_SECONDS, None):
            try:
                await self._attempt(events)
                return
            except Interrupted:
                if seconds is None:
                    raise
            await self._pause(seconds)

    async def _attempt(self, events: list[VisitEvent | Unfurl]) -> None:
        began = time.perf_counter()
        # What another process erased since must not be taken for stored.
        self._recorder.forget_all()
        outcomes: list[Outcome] = []
        async with self._store.batch() as batch:
            decided = await decide(batch, self._nonces, events)
            if decided.events:
                outcomes = await self._recorder.record_in(batch, decided.events)
        self._count(decided, outcomes)
        await self._pause(time.perf_counter() - began)

    def _count(self, decided: DecidedLines, outcomes: list[Outcome]) -> None:
        summary = self.summary
        summary.joined += decided.joined
        summary.repeats += decided.known
        for reason, number in (("unknown-visit", decided.unknown), ("erased", decided.erased)):
            if number:
                self._refused[reason] += number
        for event, outcome in zip(decided.events, outcomes, strict=True):
            if isinstance(outcome, VisitOutcome | Stored) and outcome.duplicate:
                summary.repeats += 1
            elif isinstance(event, VisitEvent):
                summary.returns += 1
            elif event.app in self._assistants:
                summary.assistants += 1
            else:
                summary.unfurls += 1
