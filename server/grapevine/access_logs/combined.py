"""The combined format: what Apache httpd and nginx write unless they are told otherwise.

    ADDRESS IDENT USER [30/Nov/2026:22:10:05 +0000] "GET /page?gv=TOKEN HTTP/1.1" 200 15324 "REFERRER" "AGENT"

A host may stand in front (Apache's ``vhost_combined``), and further fields at the end. In quoted fields both servers
escape quotation marks, backslashes and unprintable bytes, as ``\\"`` or ``\\x22``.
Source: https://httpd.apache.org/docs/2.4/mod/mod_log_config.html, https://nginx.org/en/docs/http/ngx_http_log_module.html
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from ipaddress import ip_address
from typing import Final

from grapevine.access_logs.entry import LogEntry

_MONTHS: Final = {
    name: number
    for number, name in enumerate(
        (b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"), 1
    )
}
_TIMES_CACHED: Final = 256
_QUOTED: Final = rb'"([^"\\]*+(?:\\.[^"\\]*+)*+)"'
# Nothing before the time holds a quotation mark, since both servers escape one in the name of a user: signing in as
# `x [30/Nov/2026:22:10:05 +0000] "GET …` forges no request. Possessive, so that no line takes long.
_LINE: Final = re.compile(
    rb"([^\"\[]*+(?:\[(?![0-9]{2}/)[^\"\[]*+)*+)"
    rb"\[([0-9]{2}/[A-Z][a-z]{2}/[0-9]{4}:[0-9]{2}:[0-9]{2}:[0-9]{2} [+-][0-9]{4})\] "
    + _QUOTED
    + rb" ([0-9]{3}) (?:[0-9]++|-) "
    + _QUOTED
    + rb" "
    + _QUOTED,
    re.DOTALL,
)
_ESCAPE: Final = re.compile(rb"\\(?:x([0-9A-Fa-f]{2})|(.))", re.DOTALL)
_LETTERS: Final = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"v": b"\v", b"f": b"\f"}
_VHOST_FIELDS: Final = 4
_PROTOCOL: Final = re.compile(r" HTTP/[0-9.]+\Z")

is_line = _LINE.match
"""Returns whether a line has this format; cheaper than ``parse``."""


def parse(line: bytes) -> LogEntry | None:
    """Returns the entry of a line; None for one that has another format, or names no time there is."""
    found = _LINE.match(line)
    if found is None:
        return None
    head, when, request, status, _, agent = found.groups()
    at = _time(when)
    fields = head.decode("ascii", "replace").split()
    if at is None or not fields:
        return None
    host = None
    if len(fields) >= _VHOST_FIELDS and not is_address(fields[0]) and is_address(fields[1]):
        host = fields.pop(0)
    method, _, target = _text(request).partition(" ")
    return LogEntry(
        at=at,
        address=fields[0],
        method=method,
        target=_PROTOCOL.sub("", target),
        status=int(status),
        host=host,
        user_agent="" if agent == b"-" else _text(agent),
    )


def is_address(text: str) -> bool:
    """Returns whether a text is an IPv4 or IPv6 address."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _text(quoted: bytes) -> str:
    return (_ESCAPE.sub(_unescape, quoted) if b"\\" in quoted else quoted).decode("utf-8", "replace")


def _unescape(found: re.Match[bytes]) -> bytes:
    code, letter = found.groups()
    return bytes.fromhex(code.decode("ascii")) if code else _LETTERS.get(letter, letter)


@lru_cache(maxsize=_TIMES_CACHED)
def _time(text: bytes) -> int | None:
    """Returns UTC milliseconds of ``30/Nov/2026:22:10:05 +0000``; None where there is no such time."""
    try:
        local = datetime(
            int(text[7:11]),
            _MONTHS[text[3:6]],
            int(text[:2]),
            int(text[12:14]),
            int(text[15:17]),
            min(int(text[18:20]), 59),  # a leap second
            tzinfo=UTC,
        )
        east = timedelta(hours=int(text[22:24]), minutes=int(text[24:26]))
        return round((local - east if text[21:22] == b"+" else local + east).timestamp() * 1000)
    except (KeyError, ValueError, OverflowError):
        return None
