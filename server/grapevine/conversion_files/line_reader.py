"""What a line of the file says: a conversion or a refund, checked as the API checks one."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from grapevine.collect.conversion_input import Goal, read_goal
from grapevine.collect.schemas import KeyedConversionRequest
from grapevine.conversion_files.csv_file import CsvLine
from grapevine.domain.periods import read_time
from grapevine.errors import FieldError
from grapevine.links.named_visits import NamedVisit

_NUMBER: Final = re.compile(r"-?\d{1,30}(\.\d{1,30})?", re.ASCII)
_DECIMAL_COMMA: Final = re.compile(r"-?[\d. ]*\d,\d{1,2}", re.ASCII)
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_LOCAL: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?", re.ASCII)
_MINUTE_MS: Final = 60_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Fault(NamedTuple):
    """What is wrong with a line: its number, the column (empty for the whole line), its text, and what to do."""

    line: int
    column: str
    text: str
    problem: str

    def __str__(self) -> str:
        where = f" `{self.column}`" if self.column else ""
        shown = f" ({self.text[:60]!r})" if self.text else ""
        return f"Line {self.line}:{where} {self.problem}{shown}"


class ReadLine(NamedTuple):
    """A line that may be stored: how it names its visit, which a refund does not need to."""

    number: int
    goal: Goal
    named: NamedVisit
    at: int
    fields: dict[str, str]

    def fault(self, error: FieldError) -> Fault:
        """Returns what is wrong with a field of the line."""
        return Fault(self.number, error.field, self.fields.get(error.field, ""), error.detail)


class ConversionLineReader:
    """Reads lines. Times without a time zone are of ``zone``, and refused without one; ``now`` in UTC milliseconds is
    that of lines without a time."""

    def __init__(self, zone: ZoneInfo | None, now: int) -> None:
        self._zone = zone
        self._now = now

    def read(self, line: CsvLine) -> ReadLine | list[Fault]:
        """Returns what a line says, or what is wrong with it."""
        if line.fault is not None:
            return [Fault(line.number, "", "", line.fault)]
        fields, errors = line.fields, list[FieldError]()
        for needed in ("goal", "id"):
            if needed not in fields:
                errors.append(FieldError(needed, "is empty, and every line needs one"))
        value = self._value(fields.get("value"), errors)
        at = self._at(fields.get("at"), errors)
        request = KeyedConversionRequest(
            goal=fields.get("goal", "-"),
            id=fields.get("id", "-"),
            value=value,
            currency=fields.get("currency"),
            refund_of=fields.get("refund_of"),
        )
        named = NamedVisit(fields.get("visit"), fields.get("token"), fields.get("external_id"))
        if not errors:
            goal = read_goal(request, errors)
            if goal.refunds is None:
                named.check(errors)
            if not errors:
                return ReadLine(line.number, goal, named, at, fields)
        return [Fault(line.number, error.field, fields.get(error.field, ""), error.detail) for error in errors]

    def _value(self, text: str | None, errors: list[FieldError]) -> Decimal | None:
        if text is None:
            return None
        if _NUMBER.fullmatch(text):
            return Decimal(text)
        if _DECIMAL_COMMA.fullmatch(text):
            whole, _, rest = text.replace(".", "").replace(" ", "").partition(",")
            errors.append(FieldError("value", f"has a decimal comma; write {whole}.{rest}"))
        else:
            errors.append(FieldError("value", "must be digits with a point, such as 1234.50, and nothing else"))
        return None

    def _at(self, text: str | None, errors: list[FieldError]) -> int:
        if text is None:
            return self._now
        try:
            at = self._read_time(text)
        except ValueError as error:
            errors.append(FieldError("at", str(error)))
            return self._now
        if at > self._now + _MINUTE_MS:
            errors.append(FieldError("at", "must not be in the future"))
        return min(at, self._now)

    def _read_time(self, text: str) -> int:
        """Returns a time in UTC milliseconds; a date alone is the end of that day, so that a visit of that day has come
        by then. Raises ValueError, whose text continues a sentence."""
        is_date = _DATE.fullmatch(text) is not None
        if not is_date and not _LOCAL.fullmatch(text):
            return read_time(text.replace(" ", "T", 1))
        if self._zone is None:
            raise ValueError("has no time zone: write it behind the time, as Z or +01:00, or use --timezone")
        try:
            local = datetime.fromisoformat(text).replace(tzinfo=self._zone)
            begins = (local - _EPOCH) // timedelta(milliseconds=1)
            if not is_date:
                return begins
            next_day = datetime.combine(local.date() + timedelta(days=1), time(), self._zone)
            ends = (next_day - _EPOCH) // timedelta(milliseconds=1) - 1
            return ends if begins > self._now else min(ends, self._now)
        except (ValueError, OverflowError):
            raise ValueError("is no time that there is") from None
