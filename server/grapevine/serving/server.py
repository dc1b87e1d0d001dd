"""Runs ASGI applications on sockets until a signal comes, then lets them finish what they have begun."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Final

import uvicorn

from grapevine.errors import GrapevineError
from grapevine.serving.fast_path.protocol import ShortWayProtocol
from grapevine.serving.fast_path.timeouts import REQUEST_SECONDS

Application = Callable[..., Any]
"""An ASGI application."""

_BACKLOG: Final = 2048
_GRACE_SECONDS: Final = 30


class Server(uvicorn.Server):
    """One application on one address (``port`` 0: any free port), or on a socket that listens already.

    A request has ``request_seconds`` to arrive. Raises GrapevineError when the address is taken. Signals are handled by
    ``serve``: uvicorn would raise them again at the end and so spoil the exit status.
    """

    def __init__(
        self,
        app: Application,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        listener: socket.socket | None = None,
        request_seconds: float = REQUEST_SECONDS,
    ) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                lifespan="on",
                http=partial(ShortWayProtocol, request_seconds=request_seconds),  # type: ignore[arg-type]
                proxy_headers=False,  # the application decides whom it believes
                server_header=False,
                date_header=False,
                access_log=False,
                log_config=None,
                timeout_graceful_shutdown=_GRACE_SECONDS,
            )
        )
        self.socket = bound(host, port) if listener is None else listener
        self.ready = asyncio.Event()

    @property
    def url(self) -> str:
        """Where it listens."""
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

    def stop(self, *, at_once: bool = False) -> None:
        """Takes no more connections and ends after the requests in flight; ``at_once`` without waiting for them."""
        self.should_exit = True
        self.force_exit = self.force_exit or at_once


async def serve(servers: Sequence[Server], meanwhile: Callable[[], Awaitable[None]]) -> None:
    """Runs the servers until SIGTERM or SIGINT; a second SIGINT does not wait for requests in flight.

    ``meanwhile`` runs beside them from when all of them listen, and is cancelled at the end. A GrapevineError from it,
    or from a server that cannot start, ends them all in good order and is raised then.
    """
    stopping = asyncio.Event()
    failures: list[GrapevineError] = []

    def stop(*, impatient: bool = False) -> None:
        for server in servers:
            server.stop(at_once=impatient and stopping.is_set())
        stopping.set()

    async def guarded(work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except GrapevineError as error:
            failures.append(error)
            stop()

    async def beside() -> None:
        for server in servers:
            await server.ready.wait()
        await meanwhile()

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop)
    loop.add_signal_handler(signal.SIGINT, lambda: stop(impatient=True))
    try:
        async with asyncio.TaskGroup() as group:
            for server in servers:
                group.create_task(guarded(server.serve([server.socket])))
            companion = group.create_task(guarded(beside()))
            await stopping.wait()
            companion.cancel()
    finally:
        loop.remove_signal_handler(signal.SIGTERM)
        loop.remove_signal_handler(signal.SIGINT)
        for server in servers:
            server.socket.close()
    if failures:
        raise failures[0]


def url_of(listener: socket.socket) -> str:
    """The URL at which a listening socket is reached."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def bound(host: str, port: int, *, shared: bool = False) -> socket.socket:
    """A listening socket; several ``shared`` ones on one address get a like part of its connections each (Linux).

    Raises GrapevineError when the address is taken.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if shared:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
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
