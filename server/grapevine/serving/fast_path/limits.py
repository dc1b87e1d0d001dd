"""The bounds of a connection, all of them: what one client may send, queue, leave unread, and open at once.

They hold before anything of a request is read, so they cost an attacker's server next to nothing. docs/security.md says
what a client sees when it exceeds one.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from typing import Final

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


class ConnectionsPerAddress:
    """Counts the open connections of each network: an IPv4 address, or an IPv6 /64. ``most`` 0 is no limit.

    Trusted proxies are not counted: all visitors come through them.
    """

    def __init__(self, most: int, trusted_proxies: Sequence[str] = ()) -> None:
        self._most = most
        self._proxies = Proxies(trusted_proxies)
        self._open: Counter[str] = Counter()

    def enter(self, address: str) -> bool:
        """Counts a connection; returns False, and does not count it, when the network has too many."""
        network = self._counted(address)
        if network is None:
            return True
        if self._open[network] >= self._most:
            log.warning("an address has %d connections, the most that GRAPEVINE_CONNECTIONS allows", self._most)
            return False
        self._open[network] += 1
        return True

    def leave(self, address: str) -> None:
        """Forgets a connection that was counted."""
        network = self._counted(address)
        if network is None:
            return
        self._open[network] -= 1
        if not self._open[network]:
            del self._open[network]

    def _counted(self, address: str) -> str | None:
        """Returns the network under which an address is counted; None for proxies and sockets without an address."""
        return network_of(address) if self._most and address and not self._proxies.trusts(address) else None
