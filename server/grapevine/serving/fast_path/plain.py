"""The protocol for a uvicorn that does not have what the fast path relies on (docs/decisions/0030)."""

from __future__ import annotations

from uvicorn.protocols.http.h11_impl import H11Protocol

from grapevine.serving.fast_path.connection import BoundedConnection, answered_all


class PlainProtocol(BoundedConnection, H11Protocol):  # type: ignore[misc]  # the mix-in is typed for the other protocol
    """uvicorn's protocol on h11, with the bounds of a connection.

    h11 bounds the head itself (``h11_max_incomplete_event_size``), and reads no request before the one before it is
    answered. What is missing is the time limit for a request that has begun.
    """

    def rests_since(self) -> float | None:
        begun, _ = self.conn.trailing_data
        if begun or self.transport.is_closing() or not answered_all(self.cycle, self.transport):
            return None
        return 0.0  # this protocol does not note when it answered, so that any of those that rest may go
