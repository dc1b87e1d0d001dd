"""The bounds of a connection, all of them: what one client may send, queue, leave unread, and open at once.

They hold before anything of a request is read, so they cost an attacker's server next to nothing. docs/security.md says
what a client sees when it exceeds one.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from operator import itemgetter
from typing import Final, Protocol

from grapevine.config.logging import Seldom
from grapevine.domain.networks import network_of
from grapevine.web.proxies import Proxies

log = logging.getLogger(__name__)
log.addFilter(Seldom())

MAX_HEAD: Final = 16_384
"""Bytes of a request besides its body: request line, headers, chunk sizes and their extensions, trailers.

Browsers send one or two thousand; nginx, Apache and Node.js stop at 8 to 32 thousand.
"""

MAX_URL: Final = 8_192
"""Bytes of the request line's URL. The longest URL of ours, a filtered page of the dashboard, has a few thousand."""

MAX_HEADERS: Final = 100
"""Headers of a request. Browsers behind two proxies send about thirty."""

MAX_LENGTH_DIGITS: Final = 19
"""Digits of ``Content-Length``: as many as a 64-bit number has. Python refuses to read numbers of 4,300 digits."""

MAX_PIPELINED: Final = 16
"""Requests that wait on a connection for the answer before theirs; what comes behind them is not read meanwhile.

Browsers do not pipeline at all."""

REQUEST_SECONDS: Final = 30.0
"""How long a request may take to arrive, from its first byte to its last."""

ANSWER_SECONDS: Final = 30.0
"""How long an answer may wait without the client taking any byte of it."""

KERNEL_BYTES: Final = 65_536
"""Bytes of answers that the kernel takes for a client that does not read (TCP_NOTSENT_LOWAT), instead of megabytes.

It does not slow down a client that reads: what is on its way does not count.
"""

LINGER_SECONDS: Final = 1.0
LINGER_BYTES: Final = 262_144
"""What a refused client may still send, unread, until the connection is cut. Without this pause the kernel answers
bytes on their way with a reset, and the client may never see the refusal (RFC 9112, 9.6)."""

PIECE: Final = 4_096
"""The parser is fed so many bytes at a time, and the bounds are checked in between."""


class OpenConnection(Protocol):
    """What is asked of a counted connection."""

    def rests_since(self) -> float | None:
        """Returns since when it has waited for another request; None while it does anything else, and before its
        first request."""

    def end_rest(self) -> None:
        """Closes it."""


class ConnectionsPerAddress:
    """Holds the open connections of each network: an IPv4 address, or an IPv6 /64. ``most`` 0 is no limit.

    A network that has the most gets a new one all the same when one of the others rests between two requests: the one
    that has rested longest is closed for it. Browsers keep connections in case they need them, so all people of an
    office who open a page in the same seconds have more than they use; one that is closed while it rests costs nothing.

    Trusted proxies are not counted: all visitors come through them.
    """

    def __init__(self, most: int, trusted_proxies: Sequence[str] = ()) -> None:
        self._most = most
        self._proxies = Proxies(trusted_proxies)
        self._open: dict[str, set[OpenConnection]] = {}

    def enter(self, address: str, connection: OpenConnection) -> bool:
        """Counts a connection; returns False, and does not count it, when the network has too many."""
        network = self._counted(address)
        if network is None:
            return True
        others = self._open.setdefault(network, set())
        if len(others) >= self._most and not _end_longest_rest(others):
            log.warning("an address has %d connections, the most that GRAPEVINE_CONNECTIONS allows", self._most)
            return False
        others.add(connection)
        return True

    def leave(self, address: str, connection: OpenConnection) -> None:
        """Forgets a connection; does nothing when another one has taken its place."""
        network = self._counted(address)
        if network is None or network not in self._open:
            return
        self._open[network].discard(connection)
        if not self._open[network]:
            del self._open[network]

    def _counted(self, address: str) -> str | None:
        """Returns the network under which an address is counted; None for proxies and sockets without an address."""
        return network_of(address) if self._most and address and not self._proxies.trusts(address) else None


def _end_longest_rest(connections: set[OpenConnection]) -> bool:
    """Closes and removes the connection that has rested longest. Returns False when none rests."""
    resting = [(since, each) for each in connections if (since := each.rests_since()) is not None]
    if not resting:
        return False
    _, longest = min(resting, key=itemgetter(0))
    connections.discard(longest)
    longest.end_rest()
    return True
