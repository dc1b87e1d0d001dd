"""The formats of access logs: what is read of a line, and which lines are none."""

from __future__ import annotations

import json
from typing import Any

import pytest

from grapevine.access_logs import caddy, combined
from grapevine.access_logs.entry import LogEntry

AT = 1_796_076_605_000
"""2026-11-30T22:10:05Z."""

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
)
TIME = "[30/Nov/2026:22:10:05 +0000]"


def entry(**changes: Any) -> LogEntry:
    fields: dict[str, Any] = {
        "at": AT, "address": "192.0.2.7", "method": "GET", "target": "/page?gv=T", "status": 200, "host": None,
        "user_agent": CHROME,
    }  # fmt: skip
    return LogEntry(**(fields | changes))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (f'192.0.2.7 - - {TIME} "GET /page?gv=T HTTP/1.1" 200 512 "-" "{CHROME}"', entry()),
        (f'192.0.2.7 - - {TIME} "GET /page?gv=T HTTP/2.0" 304 - "https://b.example/" "{CHROME}" "-" 0.003',
         entry(status=304)),
        (f'2001:db8::7 - - {TIME} "GET /page?gv=T HTTP/1.1" 200 0 "-" "{CHROME}"', entry(address="2001:db8::7")),
        (f'192.0.2.7 - - [01/Dec/2026:00:10:05 +0200] "GET /page?gv=T HTTP/1.1" 200 5 "" "{CHROME}"', entry()),
        (f'192.0.2.7 - - [30/Nov/2026:16:40:05 -0530] "GET /page?gv=T HTTP/1.1" 200 5 "" "{CHROME}"', entry()),
        # A host in front, with a port, as an address; a name of a user with blanks in it.
        (f'a.example:443 192.0.2.7 - - {TIME} "GET /page?gv=T HTTP/1.1" 200 1 "-" "{CHROME}"',
         entry(host="a.example:443")),
        (f'a.example 192.0.2.7 - - {TIME} "GET /page?gv=T HTTP/1.1" 200 1 "-" "{CHROME}"', entry(host="a.example")),
        (f'192.0.2.7 - John Q Smith {TIME} "GET /page?gv=T HTTP/1.1" 200 1 "-" "{CHROME}"', entry()),
        (f'192.0.2.7 - [odd] {TIME} "GET /page?gv=T HTTP/1.1" 200 1 "-" "{CHROME}"', entry()),
        # What servers escape: Apache writes \" and \\, nginx \x22 and \x5C; letters of other alphabets as bytes.
        (rf'192.0.2.7 - - {TIME} "GET /a\"b\x22\\?gv=T HTTP/1.1" 200 1 "-" "\"Odd\" \x5Cagent\x5D"',
         entry(target='/a"b"\\?gv=T', user_agent='"Odd" \\agent]')),
        (rf'192.0.2.7 - - {TIME} "GET /\xC3\xBC?gv=T HTTP/1.1" 200 1 "-" "caf\xe9"',
         entry(target="/ü?gv=T", user_agent="caf\ufffd")),
        (f'192.0.2.7 - - {TIME} "GET /a b?gv=T HTTP/1.1" 200 1 "-" "-"', entry(target="/a b?gv=T", user_agent="")),
        (f'192.0.2.7 - - {TIME} "GET /page?gv=T" 200 1 "-" ""', entry(user_agent="")),
        (f'192.0.2.7 - - {TIME} "-" 408 0 "-" "-"', entry(method="-", target="", status=408, user_agent="")),
        (rf'192.0.2.7 - - {TIME} "\x16\x03\x01" 400 150 "-" "-"',
         entry(method="\x16\x03\x01", target="", status=400, user_agent="")),
        (f'unix: - - {TIME} "GET / HTTP/1.1" 200 1 "-" "x"', entry(address="unix:", target="/", user_agent="x")),
    ],
)  # fmt: skip
def test_combined(line: str, expected: LogEntry) -> None:
    assert combined.is_line(line.encode())
    assert combined.parse(line.encode()) == expected


@pytest.mark.parametrize(
    "line",
    [
        "", "garbage", f"192.0.2.7 - - {TIME}", f'192.0.2.7 - - {TIME} "GET / HTTP/1.1" 200 5',
        f'192.0.2.7 - - {TIME} "GET / HTTP/1.1" 200 5 "-" "cut',
        f'192.0.2.7 - - {TIME} "GET /"x" HTTP/1.1" 200 5 "-" "-"',
        '192.0.2.7 - - [30/Nov/2026 22:10:05] "GET / HTTP/1.1" 200 5 "-" "-"',
        '192.0.2.7 - - [31/Feb/2026:22:10:05 +0000] "GET / HTTP/1.1" 200 5 "-" "-"',
        '192.0.2.7 - - [30/Xyz/2026:22:10:05 +0000] "GET / HTTP/1.1" 200 5 "-" "-"',
        '192.0.2.7 - - [30/Nov/0000:22:10:05 +0000] "GET / HTTP/1.1" 200 5 "-" "-"',
        f'{TIME} "GET / HTTP/1.1" 200 5 "-" "-"',
        # Signed in under a name that looks like a request.
        f'192.0.2.7 - x [01/Jan/2026:00:00:00 +0000] {TIME} "GET / HTTP/1.1" 200 5 "-" "-"',
    ],
)  # fmt: skip
def test_lines_that_are_not_combined(line: str) -> None:
    assert combined.parse(line.encode()) is None


def test_no_combined_line_takes_long() -> None:
    """Tens of thousands of brackets, quotation marks and backslashes: each byte is looked at a few times."""
    for piece in (b"[", b'"', b"\\", b'\\"', b"[30/", b" [30/Nov/2026:22:10:05 +0000] ", b'" "'):
        assert combined.parse(piece * (65_536 // len(piece))) is None


def caddy_line(**changes: Any) -> dict[str, Any]:
    request = {
        "remote_ip": "10.0.0.1", "remote_port": "41342", "client_ip": "192.0.2.7", "proto": "HTTP/2.0", "method": "GET",
        "host": "a.example", "uri": "/page?gv=T",
        "headers": {"User-Agent": [CHROME], "Accept-Language": ["en", "de"], "Cookie": ["REDACTED"]},
        "tls": {"resumed": False, "version": 772},
    }  # fmt: skip
    line = {
        "level": "info", "ts": AT / 1000, "logger": "http.log.access.log0", "msg": "handled request",
        "request": request, "bytes_read": 0, "user_id": "", "duration": 0.0009, "size": 10900, "status": 200,
        "resp_headers": {"Server": ["Caddy"]},
    }  # fmt: skip
    request |= changes.pop("request", {})
    return line | changes


NEW = entry(host="a.example", language="en")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (caddy_line(), NEW),
        # Before version 2.5: one address, with its port.
        ({"ts": AT / 1000, "request": {"remote_addr": "[2001:db8::7]:4134", "method": "GET", "host": "a.example:8443",
                                       "uri": "/page?gv=T", "headers": {"User-Agent": [CHROME]}}, "status": 200},
         entry(address="2001:db8::7", host="a.example:8443")),
        ({"ts": AT / 1000, "common_log": "192.0.2.7 - - [30/Nov/2026:22:10:05 +0000]", "status": 200, "request":
          {"remote_addr": "192.0.2.7:4134", "method": "GET", "host": "", "uri": "/page?gv=T", "headers": {}}},
         entry(user_agent="")),
        (caddy_line(request={"client_ip": ""}), entry(host="a.example", language="en", address="10.0.0.1")),
        (caddy_line(request={"headers": {"user-agent": CHROME, "Dnt": ["1"]}}),
         entry(host="a.example", opted_out=True)),
        (caddy_line(request={"headers": {"User-Agent": [], "Sec-Gpc": ["1"]}}),
         entry(host="a.example", user_agent="", opted_out=True)),
        (caddy_line(request={"headers": {"User-Agent": [CHROME], "Sec-Purpose": ["prefetch;prerender"]}}),
         entry(host="a.example", prefetched=True)),
        # The formats of time that Caddy has.
        *((caddy_line(ts=ts), NEW) for ts in (
            AT, AT * 1_000_000, "2026-11-30T22:10:05.000Z", "2026-12-01T00:10:05.000+0200", "2026-11-30T22:10:05Z",
            "2026/11/30 22:10:05", "2026/11/30 22:10:05.000", "30/Nov/2026:22:10:05 +0000",
        )),
    ],
)  # fmt: skip
def test_caddy(line: dict[str, Any], expected: LogEntry) -> None:
    encoded = json.dumps(line).encode()
    assert caddy.is_line(encoded)
    assert caddy.parse(encoded) == expected


@pytest.mark.parametrize(
    ("line", "is_other"),
    [
        (b'{"level":"info","ts":1,"msg":"serving initial configuration"}', True),
        # One line for each request, and those of other parts of Caddy that mention it, too.
        (json.dumps(caddy_line(msg="upstream roundtrip", logger="http.handlers.reverse_proxy")).encode(), True),
        (b'{"ts":1,"request":{"method":"GET"}}', False),
        (b'{"ts":"yesterday","request":{"method":"GET","uri":"/"}}', False),
        (b'{"ts":1e400,"request":{"method":"GET","uri":"/"}}', False),
        (b'{"ts":1,"request":{"method":"GET","uri":"/\xff"}}', False),
        (b'{"ts":1,"request":{"method":"GET","ur', False),
        (b"{}", False),
        (b'{"a":' + b"[" * 60_000 + b"}", False),
    ],
)
def test_lines_that_are_no_request_of_caddy(line: bytes, is_other: bool) -> None:
    assert caddy.parse(line) is None
    assert caddy.is_other(line) is is_other
