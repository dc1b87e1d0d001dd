"""Requests are bounded before they are read: the head, the URL, the headers, and how many wait for their answer.

uvicorn's parser has no bound of its own. Each is checked between the pieces that the parser is fed, so that a value
that only grows is noticed, too. A refusal keeps the order of answers: what was accepted before it is answered first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import cache
from typing import Final

from httptools import HttpParserError, HttpParserUpgrade
from starlette.responses import Response
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from grapevine.errors import HeadTooLarge, Malformed, UrlTooLong
from grapevine.serving.fast_path.connection import answered_all
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

NOTHING, HEAD, BODY = range(3)  # what the parser reads at the moment; an Enum's members take longer to get at

_FEW: Final = MAX_PIPELINED * len(b"GET / HTTP/1.1\r\n\r\n")
"""No more requests than may wait begin in so few bytes."""

_REQUEST_LINE: Final = len(" ") + len(" HTTP/1.1\r\n")
_HEAD_END: Final = b"\r\n\r\n"
_HEAD_END_SIZE: Final = len(_HEAD_END)
_HEADER: Final = len(": ") + len("\r\n")
_CHUNK: Final = 16
"""Bytes that a chunk may cost besides its content: its size in hexadecimal digits, two line ends, short extensions."""

_CHUNKED_SEARCHED: Final = 1_024
"""Bytes of a chunked body in which its end is looked for: a body could be made of nothing but what looks like it."""

INVALID: Final = "Invalid HTTP request received."
"""uvicorn's line in the log for what is no HTTP."""


class _Stop(Exception):
    """Ends the parser; raised in its callbacks."""


class HeldFlow(FlowControl):
    """uvicorn's control of a transport; while ``is_held``, it leaves requests to resume reading without effect."""

    is_held = False

    def resume_reading(self) -> None:
        if not self.is_held:
            super().resume_reading()


class BoundedProtocol(TimeoutProtocol):
    """uvicorn's protocol with the bounds of ``limits`` on what is sent."""

    # Class attributes, so that a connection that exceeds nothing costs no memory for them.
    part = NOTHING
    besides_body = 0  # bytes of this message that are not its body, as far as whole pieces of it came
    _is_stopped = False
    _refusal: Response | None = None
    _is_closed_to_input = False
    _is_lingering = False
    _discarded = 0
    _held = b""  # what has come and is not parsed, because too many requests wait
    body_left = 0  # below 0: how much has come of a chunked body
    flow: HeldFlow
    running: FastCycle | RequestResponseCycle | None = None
    """The cycle whose answer is the next one on this connection; ``cycle`` is that of the newest request."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if self._timer is not None:  # None when the connection was refused
            self.flow = HeldFlow(transport)

    def data_received(self, data: bytes) -> None:
        size = len(data)
        if size <= PIECE and not (self.pipeline or self._held or self._is_closed_to_input):
            behind = data.find(_HEAD_END) + _HEAD_END_SIZE
            if size - behind < _FEW or data.find(_HEAD_END, behind) < 0:
                # The usual case: no more requests begin in it than may wait. As `_parse`, which would cost a call more.
                if self.part != NOTHING:
                    self.besides_body += size
                try:
                    self.parser.feed_data(data)
                    if self.part != NOTHING:
                        self._check()
                except (HttpParserError, HttpParserUpgrade, _Stop) as error:
                    self._failed(error)
                return
        if self._is_closed_to_input:
            self._discard(len(data))
        elif self._held:
            self._held += data
        else:
            self._feed(data)

    def on_response_complete(self) -> None:
        TimeoutProtocol.on_response_complete(self)  # `super()` takes longer to find it
        held = self._held
        if held and not self._is_closed_to_input and not self.transport.is_closing():
            self._held, self.flow.is_held = b"", False
            self._feed(held)
            self.flow.resume_reading()  # does nothing when more had to be held

    def rests_since(self) -> float | None:
        if self.part != NOTHING or self._is_closed_to_input or not answered_all(self.cycle, self.transport):
            return None
        return self._waiting_since

    def _feed(self, data: bytes) -> None:
        """Parses what has come, until as many requests wait as may; the rest is held until one of them is answered."""
        start = 0
        while start < len(data):
            if len(self.pipeline) >= MAX_PIPELINED:
                self.count_hit("pipelined")
                self._held, self.flow.is_held = data[start:], True
                self.flow.pause_reading()
                return
            end = self._step(data, start)
            if not self._parse(data[start:end]):
                return
            start = end

    def _step(self, data: bytes, start: int) -> int:
        """Returns the end of what may be parsed at once: at most one request begins in it, since its head ends there.

        Of a long chunked body the end is not looked for. Should more requests than may wait begin in the same piece
        behind it, the connection ends after those that may.
        """
        if self.part == BODY:
            if self.body_left > 0:
                return start + min(self.body_left, PIECE)
            if self.body_left < -_CHUNKED_SEARCHED:
                return start + PIECE
        end = data.find(_HEAD_END, start, start + PIECE)
        return start + PIECE if end < 0 else end + len(_HEAD_END)

    def _parse(self, piece: bytes) -> bool:
        """Feeds the parser and checks the bounds; returns whether it may go on with the next piece."""
        self.besides_body += len(piece)
        try:
            self.parser.feed_data(piece)
            self._check()
        except (HttpParserError, HttpParserUpgrade, _Stop) as error:
            self._failed(error)
            return False
        return True

    def _failed(self, error: Exception) -> None:
        """Refuses what the parser or a bound did not take."""
        if isinstance(error, HttpParserUpgrade):
            return  # to a protocol that this server does not speak: HTTP/1.1 goes on, as it may
        if isinstance(error, HttpParserError) and not self._is_stopped:
            self.logger.warning(INVALID)
            self._refusal = _invalid()
        self._refuse(self._refusal)

    def on_message_begin(self) -> None:
        if self.pipeline and len(self.pipeline) >= MAX_PIPELINED:
            self._stop(None, "pipelined")
        TimeoutProtocol.on_message_begin(self)
        self.part, self.besides_body = HEAD, 0

    def on_headers_complete(self) -> None:
        length = self._body_length()
        super().on_headers_complete()
        self.begin_body(length)
        self.headers = []  # for trailers, which are not read: the headers are in the scope

    def check_head(self) -> None:
        """Ends the connection if the head, which is here as a whole, exceeds a bound."""
        self._check()
        if self.besides_body > MAX_HEAD - PIECE:  # where the head began in its first piece is not known
            size = len(self.parser.get_method()) + len(self.url) + _REQUEST_LINE + len("\r\n")
            if size + sum(len(name) + len(value) + _HEADER for name, value in self.headers) > MAX_HEAD:
                self._stop(_head_too_large(), "request-head")

    def begin_body(self, length: int) -> None:
        """Called when the request has its cycle; what is wrong from now on is wrong with that one.

        ``length`` is that of its body; 0 where that is chunked.
        """
        self.part, self.body_left = BODY, length

    def _body_length(self) -> int:
        """Returns the ``Content-Length``, 0 without one.

        Refuses one that no machine's number holds, though it might have zeros in front.
        """
        length = next((value for name, value in self.headers if name == b"content-length"), b"0")
        if len(length) > MAX_LENGTH_DIGITS:
            self._stop(_invalid())
        return int(length)

    def on_chunk_header(self) -> None:
        """Called by the parser for each chunk of a body, and for the last, empty one."""
        self.besides_body = max(0, self.besides_body - _CHUNK)

    def on_body(self, body: bytes) -> None:
        self.besides_body -= len(body)
        self.body_left -= len(body)
        super().on_body(body)

    def whole_request(self) -> None:
        self.part, self._waiting_since = NOTHING, None

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
        # These refer to the connection in turn, and only a pass of the collector would free such cycles. It is rare
        # (`serving.runtime`), and what has lived through a pass waits long for the next one.
        self.cycle = self.running = self.parser = None  # type: ignore[assignment]

    def _check(self) -> None:
        """Checks what has been read so far."""
        if self.besides_body > MAX_HEAD:
            self._stop(_head_too_large(), "request-head")
        if self.part == HEAD:
            if len(self.url) > MAX_URL:
                self._stop(_url_too_long(), "request-url")
            if len(self.headers) > MAX_HEADERS:
                self._stop(_head_too_large(), "request-head")

    def _stop(self, refusal: Response | None, bound: str | None = None) -> None:
        if bound is not None:
            self.count_hit(bound)
        self._is_stopped, self._refusal = True, refusal
        raise _Stop

    def _refuse(self, answer: Response | None) -> None:
        """Reads no more. Sends ``answer`` if no other answer has to come first; else the last of those closes."""
        self._is_closed_to_input = True
        in_body = self.part == BODY
        self.whole_request()
        newest: FastCycle | RequestResponseCycle | None = self.cycle
        if newest is not None and in_body:
            if newest.response_complete or getattr(newest, "response_started", False):
                self.transport.close()
                return
            newest = self._give_up(newest)
        if newest is not None and not newest.response_complete:
            newest.keep_alive = False
            if isinstance(newest, RequestResponseCycle):  # uvicorn before 0.50 does not say so by itself
                newest.default_headers = [*newest.default_headers, (b"connection", b"close")]
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
            self.flow.is_held = True
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
    return problem_response(Malformed("The request is no HTTP/1.1: its method, address or headers cannot be read."))
