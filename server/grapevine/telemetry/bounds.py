"""The names of the bounds on what clients may do (docs/security.md), as ``/metrics`` counts what exceeds them."""

from __future__ import annotations

from typing import Final

RATES: Final = {
    "rate-site-network": "calls of one network at one site",
    "rate-site": "calls of all networks at one site",
    "rate-network": "short links, QR codes, `/about` and counts of one network",
    "rate-words": "words after `/go/` that lead nowhere, of one network",
    "rate-wide-network": "calls of one wide network (IPv4 address, IPv6 /48) at all sites",
    "rate-sign-ins": "attempts to sign in, and wrong API keys, of one network",
    "rate-webmentions": "webmentions of one network",
    "rate-page-checks": "checks of a site's pages",
    "rate-site-changes": "changes of a site through the API",
    "rate-answer-corrections": "corrections of a site's answers",
}
"""What each rate limits, by its name."""

CONNECTIONS: Final = {
    "connections": "connections of one address: the new one was closed",
    "connections-at-rest": "connections of one address: one that waited for a request gave way",
    "request-head": "bytes or number of headers (431)",
    "request-url": "bytes of a URL (414)",
    "request-seconds": "time for a request to arrive as a whole: the connection was closed",
    "answer-seconds": "time for an answer to be taken: the connection was aborted",
    "pipelined": "requests that wait on one connection: reading paused",
}
"""What each bound on connections stops, by its name."""

QUEUES: Final = {
    "queue": "events that wait to be stored (503 `busy`)",
    "erasures": "erasures that wait for their turn",
    "page-checks": "checks of pages that run at once",
    "mails": "mails that are tagged at once",
    "agents": "calls whose user agents are read at once",
    "campaigns": "campaigns that are added up at once",
    "payouts": "pay-outs that are computed at once",
    "live-streams": "live streams of this process",
    "live-streams-of-key": "live streams of one API key",
    "live-streams-of-site": "live streams of one site, of the last that are kept for others",
}
"""What each bound on work that waits stops, by its name."""

NAMES: Final = {
    "names-pages": "new pages of a site in a day: counted as `(other)`",
    "names-goals": "new goals of a site in a day: counted as `(other)`",
    "names-apps": "new apps of a site in a day: counted as `(other)`",
    "names-answers": "new answers of a site in a day: refused",
    "names-shares": "own URLs of shares beyond the bound of pages: not stored",
}
"""What each bound on invented names stops, by its name."""

BOUNDS: Final = RATES | CONNECTIONS | QUEUES | NAMES
"""What each bound limits or stops, by its name."""
