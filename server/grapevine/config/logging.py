"""The server's log on standard error: one event a line, for people or for programs."""

from __future__ import annotations

import json
import logging
import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from grapevine.domain.periods import rfc3339
from grapevine.domain.printable import printable

_USUAL: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message", "taskName"}


STRANGERS_WRITE: Final = ("uvicorn.error", "asyncio")
"""Loggers that write a line for what a client did: a malformed request, a connection that broke."""

_KINDS_KEPT: Final = 1_000
_KIND_CHARACTERS: Final = 100


class JsonLines(logging.Formatter):
    """A record as one JSON object: ``time, level, logger, message``, its extra fields, a traceback as ``error``."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": rfc3339(int(record.created * 1000)),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: value for name, value in vars(record).items() if name not in _USUAL}
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return printable(json.dumps(line, ensure_ascii=False, default=str))


class TextLines(logging.Formatter):
    """A record as one line for people, below it the traceback if there is one, indented: no text of an exception can
    look like another record."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  # the name that logging calls
        return printable(super().formatMessage(record))

    def format(self, record: logging.LogRecord) -> str:
        return "\n  ".join(printable(line) for line in super().format(record).split("\n"))


def configure(form: str) -> None:
    """Sends the log to standard error as ``text`` or ``json``: our own events from info on, others from warning on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if form == "json" else TextLines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("grapevine").setLevel(logging.INFO)
    for name in STRANGERS_WRITE:
        logging.getLogger(name).filters = [Seldom()]


@contextmanager
def only_warnings() -> Iterator[None]:
    """Keeps our own events below a warning out of the log while the block runs."""
    ours = logging.getLogger("grapevine")
    before = ours.level
    ours.setLevel(logging.WARNING)
    try:
        yield
    finally:
        ours.setLevel(before)


class Seldom(logging.Filter):
    """Lets a message through once in ``seconds``, then with the number of those held back.

    Messages are of one kind when their text before formatting begins alike, and their error is of one type.
    """

    def __init__(self, seconds: float = 10.0) -> None:
        super().__init__()
        self._seconds = seconds
        self._last: dict[tuple[str, object], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        kind = str(record.msg)[:_KIND_CHARACTERS], record.exc_info[0] if record.exc_info else None
        at, held_back = self._last.get(kind, (-math.inf, 0))
        if record.created - at < self._seconds:
            self._last[kind] = (at, held_back + 1)
            return False
        if len(self._last) >= _KINDS_KEPT:
            self._last.clear()
        self._last[kind] = (record.created, 0)
        if held_back:
            record.msg, record.args = f"{record.getMessage()} (and {held_back} more like this)", ()
        return True
