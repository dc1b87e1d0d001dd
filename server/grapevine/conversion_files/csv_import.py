"""The import of a file of conversions: every line is checked before the first one is stored.

Whether a line is new is decided by its goal and id in the transaction that stores it. So an import may be killed at any
moment and started again, as often as it takes: what is stored is the same. No position is kept.
"""

from __future__ import annotations

import asyncio
import time
from array import array
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Final

import msgspec

from grapevine.collect.conversion_input import refund_error
from grapevine.collect.requests import pending_conversion
from grapevine.conversion_files.csv_file import ConversionFile, CsvLine
from grapevine.conversion_files.line_reader import ConversionLineReader, Fault, ReadLine
from grapevine.domain.enums import CONVERSION_REPORTERS
from grapevine.domain.events import REFUND_AHEAD_MS, Conversion, Outcome, RefundRefused, Stored
from grapevine.errors import Interrupted, Invalid
from grapevine.links.named_visits import VisitFinder, check_begun
from grapevine.sites.cache import Site
from grapevine.store.base import Store
from grapevine.writer.recorder import EventRecorder

CHECKED_AT_ONCE: Final = 500
BATCH: Final = 100
"""Conversions of one transaction: some 10 ms on SQLite, for which a server on the same file waits. After each the
import leaves the store alone for as long as it took."""
MOST_FAULTY: Final = 10_000
"""So many lines may be wrong; with more, it is another file that was meant."""

_REPEAT: Final = 0
_REFUND: Final = -1
_FAULTY: Final = -2
_PAGE: Final = CONVERSION_REPORTERS["page"]
_RETRY_SECONDS: Final = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 10.0)
_NOT_HERE: Final = "names a visit that is not here: erased, or past retention"


class _Paid(msgspec.Struct):
    """What can be refunded of a conversion of the time ``at``: ``left`` in millionths of ``currency``, None where it
    has no value."""

    left: int | None
    currency: str | None
    at: int


class _Refund(msgspec.Struct, frozen=True):
    """A refund of the file: the key of what it takes back, and what is said of it there."""

    place: int
    line: ReadLine
    target: int


class ConversionImport:
    """Imports one file into one site. ``check`` comes first, then ``store``."""

    def __init__(
        self,
        store: Store,
        site: Site,
        recorder: EventRecorder,
        finder: VisitFinder,
        reader: ConversionLineReader,
        file: ConversionFile,
        pause: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._store = store
        self._site = site
        self._recorder = recorder
        self._finder = finder
        self._reader = reader
        self.file = file
        self._pause = pause
        self._visits = array("q")  # of each line: its visit, or one of _REPEAT, _REFUND, _FAULTY
        self.faults: list[Fault] = []
        """What is wrong with lines, in their order."""
        self.lines = 0
        self.repeats = 0
        self.stored = 0
        self.refunds = 0

    @property
    def wrong_lines(self) -> int:
        """How many lines are wrong."""
        return len({fault.line for fault in self.faults})

    async def check(self, on_bytes: Callable[[int], None] = lambda _: None) -> None:
        """Reads all lines, and finds what is wrong with each. Raises Invalid for a file that cannot be read to its end,
        or is wrong in more than MOST_FAULTY lines; StoreError."""
        refunds: list[_Refund] = []
        lines = self.file.lines(on_bytes)
        while some := await asyncio.to_thread(_first, lines):
            refunds += await self._check(some)
        if not self.lines:
            raise Invalid("The file has no line behind the names of its columns.")
        await self._check_refunds(refunds)
        self.faults.sort(key=lambda fault: fault.line)

    async def store(self, on_lines: Callable[[int], None] = lambda _: None) -> None:
        """Stores the lines that are right: first what was paid, then what was taken back. Raises StoreError."""
        for of_refunds in (False, True) if _REFUND in self._visits else (False,):
            waiting: list[ReadLine] = []
            events: list[Conversion] = []
            places = iter(self._visits)
            for line in self.file.lines():
                visit_id = next(places, _FAULTY)  # of more lines than before; the file says then that it has changed
                is_wanted = visit_id == _REFUND if of_refunds else visit_id > 0
                read = self._reader.read(line) if is_wanted else None
                if isinstance(read, ReadLine):
                    waiting.append(read)
                    events.append(self._event(read, max(visit_id, 0)))
                    if len(events) == BATCH:
                        await self._record(waiting, events)
                        on_lines(len(events))
                        waiting, events = [], []
            await self._record(waiting, events)
            on_lines(len(events))
        self.faults.sort(key=lambda fault: fault.line)

    def wrong(self) -> Iterator[tuple[CsvLine, str]]:
        """Yields the lines that are wrong, and what is wrong with each."""
        problems: dict[int, list[str]] = {}
        for fault in self.faults:
            problems.setdefault(fault.line, []).append(
                f"`{fault.column}` {fault.problem}" if fault.column else fault.problem
            )
        for line in self.file.lines():
            if line.number in problems:
                yield line, "; ".join(problems[line.number])

    def _key(self, once: str) -> int:
        return self._recorder.nonces.guard_key("conversion", self._site.site_id, once)

    def _event(self, line: ReadLine, visit_id: int) -> Conversion:
        event = pending_conversion(self._site, visit_id, line.goal, line.at, "visit", "key").event
        assert isinstance(event, Conversion)  # noqa: S101
        return event

    def _wrong(self, faults: Iterable[Fault]) -> int:
        self.faults += faults
        if len(self.faults) > MOST_FAULTY:
            shown = " ".join(f"{fault}." for fault in self.faults[:3])
            raise Invalid(f"More than {MOST_FAULTY:,} lines are wrong, and nothing was stored. {shown}")
        return _FAULTY

    async def _check(self, lines: Sequence[CsvLine]) -> list[_Refund]:
        """Checks some lines, and remembers the visit of each. Returns the refunds among them."""
        read = [self._reader.read(line) for line in lines]
        keys = [self._key(each.goal.once) if isinstance(each, ReadLine) else 0 for each in read]
        known = await self._store.reads.conversions.guards(self._site.site_id, keys)
        found: list[int] = []
        refunds: list[_Refund] = []
        for each, key in zip(read, keys, strict=True):
            self.lines += 1
            if not isinstance(each, ReadLine):
                found.append(self._wrong(each))
            elif key in known and known[key].reported_by != _PAGE:
                self.repeats += 1
                found.append(_REPEAT)
            elif each.goal.refunds is not None:
                refunds.append(_Refund(len(self._visits) + len(found), each, self._key(each.goal.refunds)))
                found.append(_REFUND)
            else:
                found.append(await self._visit_of(each))
        stored = await self._store.reads.cascades.visits_by_id(
            self._site.site_id, sorted({visit for visit in found if visit > 0})
        )
        for place, (visit_id, each) in enumerate(zip(found, read, strict=True)):
            visit = stored.get(visit_id)
            if visit_id > 0 and (visit is None or visit.is_erased) and isinstance(each, ReadLine):
                field = each.named.field
                found[place] = self._wrong([Fault(each.number, field, each.fields.get(field, ""), _NOT_HERE)])
        self._visits.extend(found)
        return refunds

    async def _visit_of(self, line: ReadLine) -> int:
        try:
            visit_id = await self._finder.find(self._site, line.named, line.at)
            check_begun(visit_id, line.at)
        except Invalid as error:
            return self._wrong([line.fault(one) for one in error.errors])
        return visit_id

    async def _check_refunds(self, refunds: Sequence[_Refund]) -> None:
        """Finds the refunds that nothing can be taken back for: of what is stored, and of what the file itself has."""
        if not refunds:
            return
        reads, site_id = self._store.reads.conversions, self._site.site_id
        targets = sorted({each.target for each in refunds})
        paid: dict[int, _Paid | RefundRefused] = {}
        for start in range(0, len(targets), CHECKED_AT_ONCE):
            some = targets[start : start + CHECKED_AT_ONCE]
            guards, rows = await reads.guards(site_id, some), await reads.conversions(site_id, some)
            left = await reads.left(site_id, rows.values())
            for key in guards:
                row = rows.get(key)
                if row is None or row.is_refund:
                    paid[key] = RefundRefused("gone" if row is None else "refund")
                else:
                    paid[key] = _Paid(None if row.value is None else left[key], row.currency, row.at)
        await asyncio.to_thread(self._add_own, {key for key in targets if key not in paid}, paid)
        seen = set[str]()
        for each in refunds:
            if each.line.goal.once in seen:
                continue  # the same line twice takes back once
            seen.add(each.line.goal.once)
            refusal = _refusal(paid.get(each.target), each.line)
            if refusal is not None:
                errors = refund_error(refusal).errors
                self._visits[each.place] = self._wrong([each.line.fault(error) for error in errors])

    def _add_own(self, wanted: set[int], paid: dict[int, _Paid | RefundRefused]) -> None:
        """Adds what the file itself says of conversions that are not stored yet."""
        if not wanted:
            return
        for visit_id, line in zip(self._visits, self.file.lines(), strict=False):
            if visit_id in (_REPEAT, _FAULTY):
                continue
            read = self._reader.read(line)
            key = self._key(read.goal.once) if isinstance(read, ReadLine) else 0
            if isinstance(read, ReadLine) and key in wanted:
                wanted.discard(key)  # the first line of an id is the one that is stored
                is_refund = read.goal.refunds is not None
                paid[key] = (
                    RefundRefused("refund") if is_refund else _Paid(read.goal.value, read.goal.currency, read.at)
                )

    async def _record(self, lines: Sequence[ReadLine], events: Sequence[Conversion]) -> None:
        """Stores some conversions in one transaction. Raises StoreError."""
        if not events:
            return
        for seconds in (*_RETRY_SECONDS, None):
            began = time.perf_counter()
            # What another process erased since must not be taken for stored.
            self._recorder.forget_all()
            try:
                outcomes = await self._recorder.record(events)
            except Interrupted:
                if seconds is None:
                    raise
                await self._pause(seconds)
                continue
            self._count(lines, outcomes)
            await self._pause(time.perf_counter() - began)
            return

    def _count(self, lines: Sequence[ReadLine], outcomes: Sequence[Outcome]) -> None:
        for line, outcome in zip(lines, outcomes, strict=True):
            if isinstance(outcome, RefundRefused):
                self.faults += [line.fault(error) for error in refund_error(outcome).errors]
            elif not isinstance(outcome, Stored):
                field = line.named.field
                self.faults.append(Fault(line.number, field, line.fields.get(field, ""), _NOT_HERE))
            elif outcome.duplicate:
                self.repeats += 1
            elif line.goal.refunds is None:
                self.stored += 1
            else:
                self.refunds += 1


def _first(lines: Iterator[CsvLine]) -> list[CsvLine]:
    return list(islice(lines, CHECKED_AT_ONCE))


def _refusal(paid: _Paid | RefundRefused | None, line: ReadLine) -> RefundRefused | None:
    """Returns why a refund cannot be; else takes it off what is left."""
    if paid is None:
        return RefundRefused("unknown")
    if isinstance(paid, RefundRefused):
        return paid
    if paid.left is None:
        return RefundRefused("no-value")
    if line.goal.currency != paid.currency:
        return RefundRefused("currency", paid.left, paid.currency)
    if paid.left + (line.goal.value or 0) < 0:
        return RefundRefused("too-much", paid.left, paid.currency)
    if line.at < paid.at - REFUND_AHEAD_MS:
        return RefundRefused("early")
    paid.left += line.goal.value or 0
    return None
