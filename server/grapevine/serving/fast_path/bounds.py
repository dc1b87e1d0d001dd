"""Requests are bounded before they are read: the head, the URL, the headers, and how many wait for their answer.

uvicorn's parser has no bound of its own. Each is checked between the pieces that the parser is fed, so that a value
that only grows is noticed, too. A refusal keeps the order of answers: what was accepted before it is answered first.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from functools import cache
from typing import Final

from httptools import HttpParserError, HttpParserUpgrade
from starlette.responses import PlainTextResponse, Response
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from grapevine.errors import HeadTooLarge, UrlTooLong
from grapevine.serving.fast_path.cycles import FastCycle, encoded
from grapevine.serving.fast_path.limits import (
    LINGER_BYTES,
    LINGER_SECONDS,
    MAX_HEAD,
    MAX_HEADERS,
    MAX_LENGTH_DIGITS,
    MAX_PIPELINED,
    MAX_URL,
    PIECE,
)
from grapevine.serving.fast_path.timeouts import TimeoutProtocol
from grapevine.web.problems import problem_response
from grapevine.web.state import AppState

Application = Callable[..., object]

_REQUEST_LINE: Final = len(" ") + len(" HTTP/1.1\r\n")
_HEADER: Final = len(": ") + len("\r\n")
_CHUNK: Final = 16
"""Bytes that a chunk may cost besides its content: its size in hexadecimal digits, two line ends, short extensions."""

INVALID: Final = "Invalid HTTP request received."
"""uvicorn's own answer to what is no HTTP, and its line in the log."""


class _Part(Enum):
    """What the parser reads at the moment."""

    NOTHING = 0
    HEAD = 1
    BODY = 2


class _Stop(Exception):
    """Ends the parser; raised in its callbacks."""


class BoundedProtocol(TimeoutProtocol):
    """uvicorn's protocol with the bounds of ``limits`` on what is sent."""

    # Class attributes, so that a connection that exceeds nothing costs no memory for them.
    _part = _Part.NOTHING
    _besides_body = 0  # bytes of this message that are not its body, as far as whole pieces of it came
    _is_stopped = False
    _refusal: Response | None = None
    _is_closed_to_input = False
    _is_lingering = False
    _discarded = 0
    running: FastCycle | RequestResponseCycle | None = None
    """The cycle whose answer is the next one on this connection; ``cycle`` is that of the newest request."""

    def data_received(self, data: bytes) -> None:
        if self._is_closed_to_input:
            self._discard(len(data))
            return
        for start in range(0, len(data), PIECE):
            piece = data[start : start + PIECE] if len(data) > PIECE else data
            self._besides_body += len(piece)
            try:
                self.parser.feed_data(piece)
                self._check()
            except HttpParserUpgrade:  # to a protocol that this server does not speak: HTTP/1.1 goes on, as it may
                return
            except HttpParserError:
                if not self._is_stopped:
                    self.logger.warning(INVALID)
                    self._refusal = _invalid()
                self._refuse(self._refusal)
                return
            except _Stop:
                self._refuse(self._refusal)
                return

    def on_message_begin(self) -> None:
        if len(self.pipeline) >= MAX_PIPELINED:
            self._stop(None)
        super().on_message_begin()
        self._part, self._besides_body = _Part.HEAD, 0

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self.headers = []  # for trailers, which are not read: the headers are in the scope

    def begin_body(self) -> None:
        """Called when the request has its cycle; what is wrong from now on is wrong with that one."""
        self._part = _Part.BODY

    def check_head(self) -> None:
        """Ends the connection if the head, which is here as a whole, exceeds a bound; first in on_headers_complete."""
        self._check()
        if self._besides_body > MAX_HEAD - PIECE:  # where the head began in its first piece is not known
            size = len(self.parser.get_method()) + len(self.url) + _REQUEST_LINE + len("\r\n")
            if size + sum(len(name) + len(value) + _HEADER for name, value in self.headers) > MAX_HEAD:
                self._stop(_head_too_large())

    def check_length(self) -> None:
        """Refuses a ``Content-Length`` that no machine's number holds, though it might have zeros in front."""
        if any(len(value) > MAX_LENGTH_DIGITS and name == b"content-length" for name, value in self.headers):
            self._stop(_invalid())

    def on_chunk_header(self) -> None:
        """Called by the parser for each chunk of a body, and for the last, empty one."""
        self._besides_body = max(0, self._besides_body - _CHUNK)

    def on_body(self, body: bytes) -> None:
        self.count_body(body)
        super().on_body(body)

    def count_body(self, body: bytes) -> None:
        """Takes the bytes of a body out of what is bounded here."""
        self._besides_body -= len(body)

    def whole_request(self) -> None:
        self._part = _Part.NOTHING
        super().whole_request()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Application) -> None:
        self.running = cycle
        super()._start_asgi_task(cycle, app)  # type: ignore[arg-type]

    def connection_lost(self, exc: Exception | None) -> None:
        # uvicorn lets the newest cycle alone know; the one that writes would go on, and fail with a traceback.
        if self.running is not None and not self.running.response_complete:
            self.running.disconnected = True
            self.running.message_event.set()
        self.pipeline.clear()
        super().connection_lost(exc)

    def _check(self) -> None:
        """Checks what has been read so far."""
        if self._besides_body > MAX_HEAD:
            self._stop(_head_too_large())
        if self._part is _Part.HEAD:
            if len(self.url) > MAX_URL:
                self._stop(_url_too_long())
            if len(self.headers) > MAX_HEADERS:
                self._stop(_head_too_large())

    def _stop(self, refusal: Response | None) -> None:
        self._is_stopped, self._refusal = True, refusal
        raise _Stop

    def _refuse(self, answer: Response | None) -> None:
        """Reads no more. Sends ``answer`` if no other answer has to come first; else the last of those closes."""
        self._is_closed_to_input = True
        in_body = self._part is _Part.BODY
        self.whole_request()
        newest: FastCycle | RequestResponseCycle | None = self.cycle
        if newest is not None and in_body:
            if newest.response_complete or getattr(newest, "response_started", False):
                self.transport.close()
                return
            newest = self._give_up(newest)
        if newest is not None and not newest.response_complete:
            newest.keep_alive = False
        elif answer is not None and not self.transport.is_closing():
            state: AppState | None = self.app_state.get("app_state")
            hsts = None if state is None else state.settings.hsts
            self.transport.write(encoded(answer, keep_alive=False, hsts=hsts))
            self._linger()
        else:
            self.transport.close()

    def _give_up(self, incomplete: FastCycle | RequestResponseCycle) -> FastCycle | RequestResponseCycle | None:
        """Drops a request that will never be here as a whole; returns the one before it, if that is not answered."""
        if self.pipeline and self.pipeline[0][0] is incomplete:
            self.pipeline.popleft()
            self.cycle = before = self.pipeline[0][0] if self.pipeline else self.running  # type: ignore[assignment]
            return before
        incomplete.disconnected = True
        if isinstance(incomplete, RequestResponseCycle):
            incomplete.waiting_for_100_continue = False
            incomplete.message_event.set()
        return None

    def _linger(self) -> None:
        if self.transport.can_write_eof():
            self.transport.write_eof()
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self.loop.call_later(LINGER_SECONDS, self.transport.abort)
        self._is_lingering = True

    def _discard(self, size: int) -> None:
        """Called with what comes after a refusal."""
        if not self._is_lingering:  # there are answers to be sent first
            self.flow.pause_reading()
            return
        self._discarded += size
        if self._discarded > LINGER_BYTES:
            self.transport.abort()


@cache
def _head_too_large() -> Response:
    return problem_response(HeadTooLarge(f"A request's head may have {MAX_HEAD} bytes and {MAX_HEADERS} headers."))


@cache
def _url_too_long() -> Response:
    return problem_response(UrlTooLong(f"A URL may have {MAX_URL} bytes."))


@cache
def _invalid() -> Response:
    return PlainTextResponse(INVALID, 400)
