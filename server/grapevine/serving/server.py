"""The HTTP server: uvicorn with the fast path, on a socket that is bound before anything else starts."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import uvicorn

from grapevine.errors import GrapevineError
from grapevine.serving.fast_path import http_protocol
from grapevine.serving.fast_path.limits import (
    ANSWER_SECONDS,
    KERNEL_BYTES,
    MAX_HEAD,
    REQUEST_SECONDS,
    ConnectionsPerAddress,
)
from grapevine.web.api.live import PATH as LIVE
from grapevine.web.state import AppState

Application = Callable[..., Any]
"""An ASGI application."""

_BACKLOG: Final = 2048
_GRACE_SECONDS: Final = 30
_LAST_EVENT_SECONDS: Final = 2.0


class Server(uvicorn.Server):
    """One application on one address (``port`` 0: any free port), or on a socket that listens already.

    ``addresses`` bounds the connections of one address. A request has ``request_seconds`` to arrive, and a client
    ``answer_seconds`` to take something of its answer. Without ``fast_path``, which is for comparison, uvicorn's plain
    protocol serves. Raises GrapevineError when the address is taken. ``run_until_signal`` handles signals: uvicorn
    would raise them again at the end, and the exit status would not be 0.
    """

    def __init__(
        self,
        app: Application,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        listener: socket.socket | None = None,
        addresses: ConnectionsPerAddress | None = None,
        request_seconds: float = REQUEST_SECONDS,
        answer_seconds: float = ANSWER_SECONDS,
        fast_path: bool = True,
    ) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                lifespan="on",
                http=http_protocol(addresses, request_seconds, answer_seconds) if fast_path else "auto",  # type: ignore[arg-type]
                ws="none",  # an upgrade would leave every bound behind
                h11_max_incomplete_event_size=MAX_HEAD,
                proxy_headers=False,  # the application decides whom it believes
                server_header=False,
                date_header=False,
                access_log=False,
                log_config=None,
                timeout_graceful_shutdown=_GRACE_SECONDS,
            )
        )
        self.socket = bind(host, port) if listener is None else listener
        self.ready = asyncio.Event()

    @property
    def url(self) -> str:
        """The URL at which it listens."""
        return url_of(self.socket)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().startup(sockets)
        except SystemExit:
            raise GrapevineError("the server could not start; the log says why") from None
        self.ready.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn's; a live stream would go on until the time for requests in flight has run out, so it is ended."""
        state: AppState | None = self.lifespan.state.get("app_state")
        if state is not None:
            state.live.close()
            asyncio.get_running_loop().call_later(_LAST_EVENT_SECONDS, self._cut_live_streams)
        await super().shutdown(sockets)

    def _cut_live_streams(self) -> None:
        """Cuts the streams that are still there: nothing is read from them."""
        for connection in list(self.server_state.connections):
            scope = getattr(connection, "scope", None)  # None before the first request
            if scope is not None and scope.get("path") == LIVE:
                connection.transport.abort()

    async def work(self) -> None:
        """Serves until ``stop``, then closes the socket. Raises GrapevineError when the application cannot start."""
        try:
            await self.serve([self.socket])
        finally:
            self.socket.close()

    def stop(self, *, at_once: bool = False) -> None:
        """Takes no more connections and ends after the requests in flight; ``at_once`` without waiting for them."""
        self.should_exit = True
        self.force_exit = self.force_exit or at_once


def url_of(listener: socket.socket) -> str:
    """Returns the URL of a listening socket."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def bind(host: str, port: int, *, shared: bool = False) -> socket.socket:
    """Returns a listening socket. The kernel spreads connections over all ``shared`` ones of an address (Linux).

    Raises GrapevineError when the address is taken.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if shared:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            if hasattr(socket, "TCP_NOTSENT_LOWAT"):  # accepted sockets have it from the listener
                listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, KERNEL_BYTES)
            listener.bind(address)
            listener.listen(_BACKLOG)
        except OSError:
            listener.close()
            raise
    except OSError as error:
        raise GrapevineError(
            f"cannot listen on {host}:{port}: {error.strerror}; another --port or --host may be free"
        ) from None
    return listener
