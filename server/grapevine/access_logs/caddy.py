"""The access log of Caddy: a JSON object a line, in the layout of its version 2.5 and later or in the one before.

Source: https://caddyserver.com/docs/logging. Other lines of the same file, such as errors, are no requests.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from grapevine.access_logs.entry import LogEntry

_SECONDS_BELOW: Final = 1e11
_MILLISECONDS_BELOW: Final = 1e14
"""A number is a time in seconds, milliseconds or nanoseconds: each of these is in the year 5138."""

_WALL: Final = ("%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M:%S.%f", "%d/%b/%Y:%H:%M:%S %z")
_HANDLED: Final = "handled request"
_PREFETCH: Final = "prefetch"


class _Request(msgspec.Struct, gc=False):
    """``client_ip`` is the visitor's address behind proxies that Caddy trusts. Before version 2.5 there was none but
    ``remote_addr``, with its port."""

    method: str
    uri: str
    host: str = ""
    client_ip: str = ""
    remote_ip: str = ""
    remote_addr: str = ""
    headers: dict[str, Any] = {}


class _Line(msgspec.Struct, gc=False):
    ts: float | str
    request: _Request
    status: int = 0
    msg: str = _HANDLED


_DECODER: Final = msgspec.json.Decoder(_Line)
_ANY: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])


def is_line(line: bytes) -> bool:
    """Returns whether a line may be a JSON object; cheaper than ``parse``."""
    return line.startswith(b"{") and line.endswith(b"}")


def is_other(line: bytes) -> bool:
    """Returns whether a line is a JSON object that describes no request."""
    try:
        return _ANY.decode(line).keys() >= {"level", "msg"}
    except (msgspec.MsgspecError, RecursionError):
        return False


def parse(line: bytes) -> LogEntry | None:
    """Returns the entry of a line; None for one that is no access that Caddy logged."""
    try:
        decoded = _DECODER.decode(line)
    except (msgspec.MsgspecError, RecursionError):
        return None
    at = _time(decoded.ts)
    if at is None or decoded.msg != _HANDLED:
        return None
    request = decoded.request
    headers = {name.lower(): _first(value) for name, value in request.headers.items()}
    return LogEntry(
        at=at,
        address=request.client_ip or request.remote_ip or _without_port(request.remote_addr),
        method=request.method,
        target=request.uri,
        status=decoded.status,
        host=request.host or None,
        user_agent=headers.get("user-agent", ""),
        language=headers.get("accept-language", ""),
        opted_out="1" in (headers.get("sec-gpc"), headers.get("dnt")),
        prefetched=_PREFETCH in (headers.get("sec-purpose", "") + headers.get("purpose", "")),
    )


def _first(value: object) -> str:
    """Returns a header's value: Caddy writes a list of them; a filter may have left a text."""
    if isinstance(value, list):
        value = value[0] if value else ""
    return value if isinstance(value, str) else ""


def _without_port(address: str) -> str:
    host, _, port = address.rpartition(":")
    return host.strip("[]") if host and port.isdigit() else address


def _time(stamp: float | str) -> int | None:
    """Returns UTC milliseconds of a time in one of the formats that Caddy can be told to write; None for another."""
    try:
        if not isinstance(stamp, str):
            by = 1000 if stamp < _SECONDS_BELOW else 1 if stamp < _MILLISECONDS_BELOW else 1e-6
            return round(stamp * by)
        return _milliseconds(datetime.fromisoformat(stamp))
    except (ValueError, OverflowError):
        pass
    for layout in _WALL:
        try:
            return _milliseconds(datetime.strptime(str(stamp), layout))  # noqa: DTZ007 (without a zone: UTC)
        except (ValueError, OverflowError):
            continue
    return None


def _milliseconds(when: datetime) -> int:
    return round((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() * 1000)
