"""Cycles of the fast path: one request and its response, with the interface that uvicorn expects of a cycle."""

from __future__ import annotations

import asyncio
from functools import cache, lru_cache
from time import perf_counter
from typing import Final

from starlette.responses import Response
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from grapevine.collect.requests import CallSpec, ClientInfo, CollectResponse
from grapevine.errors import Problem
from grapevine.web.answer_headers import with_security_headers
from grapevine.web.public import collect
from grapevine.web.request_body import check_type
from grapevine.web.state import AppState


class FastCycle:
    """Base class: the state that uvicorn reads, and the writing of the response."""

    length = 0  # of the request's body
    body = b""
    response_complete = False
    disconnected = False
    keep_alive = True
    message_event = asyncio.Event()  # uvicorn sets it when a connection is lost; nothing waits for it here

    def __init__(self, protocol: HttpToolsProtocol) -> None:
        self.protocol = protocol

    def start(self) -> None:
        """Called when the request is here as a whole; leads to one call of ``write``."""
        raise NotImplementedError

    def write(self, content: bytes) -> None:
        """Sends the response, as soon as the client takes more."""
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


class RedirectCycle(FastCycle):
    """The redirect of a short link that was followed a moment ago."""

    def __init__(self, protocol: HttpToolsProtocol, state: AppState, link: Response) -> None:
        FastCycle.__init__(self, protocol)
        self.content = _link(link, self.keep_alive, state.settings.hsts)
        state.fast_path.links.redirects += 1

    def start(self) -> None:
        self.write(self.content)


class CollectCycle(FastCycle):
    """The cycle of a collect call: collects the body, and writes the response when the event is durable."""

    def __init__(
        self, protocol: HttpToolsProtocol, state: AppState, headers: dict[bytes, bytes], call: CallSpec, length: int
    ) -> None:
        super().__init__(protocol)
        self.length = length
        self.state = state
        self.headers = headers
        self.call = call
        self.tally = state.fast_path.tallies[protocol.url]
        self.begun_at = perf_counter()

    def start(self) -> None:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in self.headers.items()}
        peer = self.protocol.client[0] if self.protocol.client else ""
        client = collect.client_info(headers, self.state.proxies.client(peer, headers.get("x-forwarded-for", "")))
        collect_api = self.state.collect_api
        try:
            check_type(headers.get("content-type", ""), collect.TYPES)
        except Problem as problem:
            collect_api.count_refusal(problem)
            self.respond(problem)
            return
        if not collect_api.submit(self.call, self.body, client, self.respond):
            task = self.protocol.loop.create_task(self._submit_prepared(client))
            task.add_done_callback(self.protocol.tasks.discard)
            self.protocol.tasks.add(task)

    async def _submit_prepared(self, client: ClientInfo) -> None:
        try:
            await self.state.collect_api.submit_prepared(self.call, self.body, client, self.respond)
        except Exception as error:
            self.respond(error)

    def respond(self, result: CollectResponse | Exception) -> None:
        """Sends the response to the call, or to the error that it failed with."""
        if isinstance(result, CollectResponse):
            status = result.status
            head, tail = _around(status, result.dropped, self.keep_alive, self.state.settings.hsts)
            body = collect.encode(result.body)
            content = b"%b%d%b%b" % (head, len(body), tail, body)
        else:
            failure = collect.failure(result)
            status, content = failure.status_code, encoded(failure, self.keep_alive, self.state.settings.hsts)
        self.tally.note(status, perf_counter() - self.begun_at)
        # All responses of a batch are written in a row once they are made: each write that finds the other side asleep
        # has to wake it up, which costs more than the response.
        self.protocol.loop.call_soon(self.write, content)


_LENGTH: Final = b"content-length: "


@cache
def _around(status: int, dropped: str | None, keep_alive: bool, hsts: int | None) -> tuple[bytes, bytes]:
    """Returns the bytes before and behind the length of a reply's body."""
    empty = encoded(collect.response(status, dropped, b""), keep_alive, hsts)
    head, _, tail = empty.partition(_LENGTH + b"0")
    return head + _LENGTH, tail


@lru_cache(maxsize=4_096)
def _link(response: Response, keep_alive: bool, hsts: int | None) -> bytes:
    return encoded(response, keep_alive, hsts)


def encoded(response: Response, keep_alive: bool, hsts: int | None) -> bytes:
    """Returns the bytes of a response with the security headers, as ASGI and uvicorn would write it."""
    parts = [STATUS_LINE[response.status_code]]
    for name, value in with_security_headers(response.raw_headers, hsts):
        parts += (name, b": ", value, b"\r\n")
    parts += (b"\r\n" if keep_alive else b"connection: close\r\n\r\n", bytes(response.body))
    return b"".join(parts)
