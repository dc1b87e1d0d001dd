"""A short way for the collect calls: from uvicorn's HTTP parser to the intake, past ASGI.

Most of what a collect call costs on the usual way is the ASGI cycle and routing, not its own work. This protocol takes
a POST to a collect path with a plain body on a connection that stays open, and hands everything else to uvicorn's own
way. Both ways end in ``collect.answer``, so their answers are the same to the byte.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

from starlette.responses import PlainTextResponse, Response
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from grapevine.collect.wire import MAX_BODY
from grapevine.web.collect import CALLS, Call, answer
from grapevine.web.services import Services

log = logging.getLogger(__name__)


class ShortWayProtocol(HttpToolsProtocol):
    """uvicorn's protocol with the short way; for ``uvicorn.Config(http=…)``."""

    def on_headers_complete(self) -> None:
        exchange = self._short_way()
        if exchange is None:
            super().on_headers_complete()
        else:
            self.cycle = exchange  # type: ignore[assignment]  # has what the protocol asks of a cycle

    def on_message_complete(self) -> None:
        super().on_message_complete()
        if isinstance(self.cycle, _Exchange) and not self.cycle.response_complete:
            task = self.loop.create_task(self.cycle.run())
            task.add_done_callback(self.tasks.discard)
            self.tasks.add(task)

    def _short_way(self) -> _Exchange | None:
        """The exchange for a request that is nothing but a collect call; None for all others."""
        services: Services | None = self.app_state.get("services")
        if services is None or self.parser.get_method() != b"POST":
            return None
        path = self.url.decode("ascii", "replace")
        call = (
            CALLS.get(path.removeprefix(services.settings.prefix))
            if path.startswith(services.settings.prefix)
            else None
        )
        before: _Exchange | RequestResponseCycle | None = self.cycle
        in_turn = before is None or before.response_complete
        if call is None or not in_turn or self.parser.get_http_version() != "1.1" or self.limit_concurrency is not None:
            return None
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in self.headers}
        length = headers.get("content-length", "")
        if not (length.isdecimal() and int(length) <= MAX_BODY) or len(headers) != len(self.headers):
            return None
        if not headers.keys().isdisjoint({"connection", "expect", "upgrade", "transfer-encoding"}):
            return None
        return _Exchange(self, services, call, headers)


class _Exchange:
    """One request and its answer, with what the protocol asks of a cycle."""

    def __init__(self, protocol: HttpToolsProtocol, services: Services, call: Call, headers: Mapping[str, str]) -> None:
        self.protocol = protocol
        self.services = services
        self.call = call
        self.headers = headers
        self.body = bytearray()
        self.more_body = True
        self.message_event = _NOBODY_WAITS
        self.response_complete = False
        self.disconnected = False
        self.keep_alive = True

    async def run(self) -> None:
        """Answers, as the usual way would."""
        try:
            response = await answer(self.services.intake, self.call, bytes(self.body), self.headers, self._address())
        except Exception:
            log.exception("a collect call failed")
            response = PlainTextResponse("Internal Server Error", 500)
        if self.protocol.flow.write_paused and not self.disconnected:
            await self.protocol.flow.drain()
        if not self.disconnected:
            self.protocol.transport.write(self._encode(response))
        self.response_complete = True
        if not self.keep_alive:
            self.protocol.transport.close()
        self.protocol.on_response_complete()

    def _encode(self, response: Response) -> bytes:
        parts = [STATUS_LINE[response.status_code]]
        for name, value in (*self.protocol.server_state.default_headers, *response.raw_headers):
            parts += (name, b": ", value, b"\r\n")
        parts += (b"\r\n" if self.keep_alive else b"connection: close\r\n\r\n", bytes(response.body))
        return b"".join(parts)

    def _address(self) -> str:
        peer = self.protocol.client[0] if self.protocol.client else ""
        return self.services.proxies.client(peer, self.headers.get("x-forwarded-for", ""))


_NOBODY_WAITS = asyncio.Event()
"""The event that the protocol sets when a body grows; on the short way nobody waits for it."""
