"""A short way for collect calls and short links: from uvicorn's HTTP parser to the answer, past ASGI.

Most of what these requests cost on the usual way is the ASGI cycle and routing, not their own work. This protocol takes
a POST to a collect path, and a GET of a short link that was followed a moment ago, when nothing about the request is
unusual; everything else it hands to uvicorn's own way. Both ways share the intake and the making of responses, and the
web tests run through both: their answers are the same to the byte.
"""

from __future__ import annotations

import asyncio
from functools import cache, lru_cache
from typing import Final

from starlette.responses import Response
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from grapevine.collect.agents import read_agent
from grapevine.collect.intake import Call, Caller, Reply
from grapevine.collect.wire import MAX_BODY
from grapevine.errors import Problem
from grapevine.tokens import LENGTH
from grapevine.web import collect
from grapevine.web.bodies import check_type
from grapevine.web.patience import PatientProtocol
from grapevine.web.services import Services

_UNUSUAL: Final = frozenset({b"expect", b"upgrade", b"transfer-encoding"})


class ShortWayProtocol(PatientProtocol):
    """uvicorn's protocol with the short way; for ``uvicorn.Config(http=…)``."""

    def on_headers_complete(self) -> None:
        exchange = self._exchange()
        if exchange is None:
            self.make_scope()
            super().on_headers_complete()
        else:
            self.cycle = exchange  # type: ignore[assignment]  # has what the protocol asks of a cycle

    def on_message_complete(self) -> None:
        super().on_message_complete()
        if isinstance(self.cycle, Exchange) and not self.cycle.response_complete:
            self.cycle.start()

    def _exchange(self) -> Exchange | None:
        """The exchange of a request that may take the short way; None for all others."""
        services: Services | None = self.app_state.get("services")
        before: Exchange | RequestResponseCycle | None = self.cycle
        in_turn = before is None or before.response_complete
        if services is None or not in_turn or self.limit_concurrency is not None:
            return None
        headers = dict(self.headers)
        if len(headers) != len(self.headers) or not _UNUSUAL.isdisjoint(headers):
            return None
        if headers.get(b"connection", b"keep-alive").lower() != b"keep-alive":
            return None
        if self.parser.get_http_version() != "1.1":
            return None
        method, length = self.parser.get_method(), headers.get(b"content-length")
        if method == b"POST" and length is not None and length.isdigit() and int(length) <= MAX_BODY:
            call = services.collect_calls.get(self.url)
            return None if call is None else Collecting(self, services, headers, call)
        if method == b"GET" and length is None:
            link = services.followed.get(self.url[-LENGTH:].decode("latin-1"))
            if (
                link
                and self.url[:-LENGTH] in services.link_paths
                and not read_agent(headers.get(b"user-agent", b"").decode("latin-1")).preview
            ):
                return Following(self, link)
        return None


class Exchange:
    """One request and its answer, with what the protocol asks of a cycle."""

    def __init__(self, protocol: ShortWayProtocol) -> None:
        self.protocol = protocol
        self.body = b""
        self.more_body = True
        self.message_event = _NOBODY_WAITS
        self.response_complete = False
        self.disconnected = False
        self.keep_alive = True

    def start(self) -> None:
        """Called when the whole request is here; leads to one call of ``write``."""
        raise NotImplementedError

    def write(self, content: bytes) -> None:
        """Sends the answer, as soon as the client takes more."""
        protocol = self.protocol
        if protocol.flow.write_paused and not self.disconnected:
            protocol.loop.create_task(self._write_later(content))
            return
        if not self.disconnected:
            protocol.transport.write(content)
        self.response_complete = True
        if not self.keep_alive:
            protocol.transport.close()
        protocol.on_response_complete()

    async def _write_later(self, content: bytes) -> None:
        await self.protocol.flow.drain()
        self.write(content)


class Following(Exchange):
    """The way to a page whose short link was followed a moment ago."""

    def __init__(self, protocol: ShortWayProtocol, link: Response) -> None:
        super().__init__(protocol)
        self.link = link

    def start(self) -> None:
        self.write(_link(self.link, self.keep_alive))


class Collecting(Exchange):
    """A collect call."""

    def __init__(self, protocol: ShortWayProtocol, services: Services, headers: dict[bytes, bytes], call: Call) -> None:
        super().__init__(protocol)
        self.services = services
        self.headers = headers
        self.call = call

    def start(self) -> None:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in self.headers.items()}
        peer = self.protocol.client[0] if self.protocol.client else ""
        caller = collect.caller(headers, self.services.proxies.client(peer, headers.get("x-forwarded-for", "")))
        intake = self.services.intake
        try:
            check_type(headers.get("content-type", ""), collect.TYPES)
        except Problem as problem:
            intake.refuse(problem)
            self.settle(problem)
            return
        try:
            at_once = intake.start(self.call, self.body, caller, self.settle)
        except Exception as error:
            self.settle(error)
            return
        if not at_once:
            task = self.protocol.loop.create_task(self._look_up(caller))
            task.add_done_callback(self.protocol.tasks.discard)
            self.protocol.tasks.add(task)

    async def _look_up(self, caller: Caller) -> None:
        try:
            reply: Reply | Exception = await self.services.intake.call(self.call, self.body, caller)
        except Exception as error:
            reply = error
        self.settle(reply)

    def settle(self, outcome: Reply | Exception) -> None:
        """Answers with what became of the call."""
        if isinstance(outcome, Reply):
            head, tail = _around(outcome.status, outcome.dropped, self.keep_alive)
            body = collect.encode(outcome.body)
            self.write(b"%b%d%b%b" % (head, len(body), tail, body))
        else:
            self.write(_encoded(collect.failure(outcome), self.keep_alive))


_LENGTH: Final = b"content-length: "


@cache
def _around(status: int, dropped: str | None, keep_alive: bool) -> tuple[bytes, bytes]:
    """What stands before and behind the length of a reply's body."""
    empty = _encoded(collect.response(status, dropped, b""), keep_alive)
    head, _, tail = empty.partition(_LENGTH + b"0")
    return head + _LENGTH, tail


@lru_cache(maxsize=4_096)
def _link(response: Response, keep_alive: bool) -> bytes:
    return _encoded(response, keep_alive)


def _encoded(response: Response, keep_alive: bool) -> bytes:
    parts = [STATUS_LINE[response.status_code]]
    for name, value in response.raw_headers:
        parts += (name, b": ", value, b"\r\n")
    parts += (b"\r\n" if keep_alive else b"connection: close\r\n\r\n", bytes(response.body))
    return b"".join(parts)


_NOBODY_WAITS = asyncio.Event()
"""The event that the protocol sets when a body grows; on the short way nobody waits for it."""
