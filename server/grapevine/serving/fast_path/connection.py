"""What holds for a connection whatever speaks on it: how many an address may open, and how long an answer waits.

This relies on asyncio's interface alone, so it also bounds uvicorn's plain protocol.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from uvicorn.protocols.utils import get_remote_addr

from grapevine.serving.fast_path.limits import ANSWER_SECONDS, ConnectionsPerAddress
from grapevine.web.state import AppState

if TYPE_CHECKING:
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol as _Protocol
else:
    _Protocol = object

LOOK_SECONDS: Final = 5.0

_NO_LINGER: Final = struct.pack("ii", 1, 0)


class BoundedConnection(_Protocol):
    """Mix-in for uvicorn's protocol classes.

    Closes a connection at once when its address has too many in use, and aborts one whose client took nothing of what
    was written to it for ``answer_seconds``. One timer a connection looks after that: setting one up for every
    response would cost more.
    """

    look_seconds = LOOK_SECONDS

    def __init__(
        self,
        *arguments: Any,
        addresses: ConnectionsPerAddress | None = None,
        answer_seconds: float = ANSWER_SECONDS,
        **more: Any,
    ) -> None:
        super().__init__(*arguments, **more)
        self._addresses = addresses
        self._answer_seconds = answer_seconds
        self._counted: str | None = None
        self._unsent = 0
        self._unsent_since = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        if self._addresses is not None:
            peer = get_remote_addr(transport)
            address = peer[0] if peer else ""
            if not self._addresses.enter(address, self):
                self.count_hit("connections")
                transport.abort()
                return
            self._counted = address
        super().connection_made(transport)
        self._add_connections(1)
        self._timer = self.loop.call_later(min(self.look_seconds, self._answer_seconds), self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is None:  # it was never served
            return
        self._timer.cancel()
        self._add_connections(-1)
        if self._addresses is not None and self._counted is not None:
            self._addresses.leave(self._counted, self)
        super().connection_lost(exc)

    def silence_left(self, _now: float) -> float:
        """Returns for how many seconds the client may stay silent; the connection is closed when none are left."""
        return self.look_seconds

    def rests_since(self) -> float | None:
        """Returns since when the connection has waited for another request; None while it does anything else, and
        before its first request."""
        raise NotImplementedError

    def end_rest(self) -> None:
        """Closes the connection."""
        self.count_hit("connections-at-rest")
        self.transport.close()

    def count_hit(self, bound: str) -> None:
        """Counts that a client met a bound, one of ``telemetry.bounds.CONNECTIONS``."""
        state: AppState | None = self.app_state.get("app_state")
        if state is not None:
            state.telemetry.bound_hits[bound] += 1

    def _add_connections(self, number: int) -> None:
        state: AppState | None = self.app_state.get("app_state")
        if state is not None:
            state.telemetry.connections += number

    def _look(self) -> None:
        """Ends the connection of a client that took nothing, or said nothing, for too long; else looks again soon."""
        now = self.loop.time()
        unsent = self.transport.get_write_buffer_size()
        if unsent != self._unsent:
            self._unsent, self._unsent_since = unsent, now
        left = self._unsent_since + self._answer_seconds - now if unsent else self.silence_left(now)
        if left <= 0:
            self._end(graceful=not unsent)
            left = self.look_seconds
        self._timer = self.loop.call_later(min(left, self.look_seconds), self._look)

    def _end(self, *, graceful: bool) -> None:
        if graceful:
            self.transport.close()
        else:
            self.count_hit("answer-seconds")
            _reset(self.transport)


def answered_all(cycle: Any, transport: asyncio.Transport) -> bool:
    """Whether the newest request of a connection, whose cycle this is, has its answer, and the client has taken it.

    False where there was no request yet.
    """
    return cycle is not None and cycle.response_complete and not transport.get_write_buffer_size()


def _reset(transport: asyncio.Transport) -> None:
    """Ends a connection, and drops what the kernel would go on offering to a client that reads nothing."""
    with suppress(OSError):
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    transport.abort()
