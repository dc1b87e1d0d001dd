"""The bounds of webmentions: strangers name both what is stored and what this server asks other servers for."""

from __future__ import annotations

from typing import Final

from grapevine import __version__
from grapevine.domain import ids
from grapevine.egress.bounded_fetch import FetchBounds
from grapevine.store.repositories.webmentions import QueueBounds

QUEUE: Final = QueueBounds(of_site=1_000, of_host=100, of_server=10_000)
"""New webmentions that wait for their source to be read; more are refused with 503."""
FAILING: Final = QueueBounds(of_site=500, of_host=50, of_server=5_000)
"""Webmentions whose source was tried and never read with success; they take no place of a new one, and the oldest
beyond these bounds are dropped."""
FULL_SECONDS: Final = 600
"""After how many seconds somebody may try again for whom there was no room."""

SOURCE: Final = FetchBounds(most_bytes=1 << 20, seconds=10.0, redirects=3)
"""What is read of a source."""
LOOKUPS_AT_ONCE: Final = 2
"""Host names of sources that are looked up at once in a process, of the four that it has threads for."""
HOST_MS: Final = 60_000
"""How often one host is asked: once a minute, whatever asks for it."""
ADDRESS_MS: Final = 5_000
"""How often one address is asked, under whatever host names: a name costs its owner nothing."""

MOST_A_DAY: Final = 1_000
"""New mentions of a site by webmentions in a day (UTC); more wait for the next one."""

MINUTE_MS: Final = 60_000
RETRY_MS: Final = tuple(minutes * MINUTE_MS for minutes in (5, 30, 120, 480, 1_440, 2_880))
"""The pauses after attempts that failed for now: a new webmention is given up after the seventh, four days later."""
LAST_RETRIES_MS: Final = (*RETRY_MS, 7 * ids.DAY_MS, 14 * ids.DAY_MS)
"""The same where the mention is known: a source that could not be read for 25 days is gone."""
LOOK_AGAIN_MS: Final = tuple(days * ids.DAY_MS for days in (1, 7, 30, 90))
"""After how long a source is read again that linked to its target; from the fourth time on, after the last of these."""

USER_AGENT: Final = (
    f"Mozilla/5.0 (compatible; GrapevineWebmention/{__version__}; reads a page that a webmention named as its source, "
    "to see whether it links to the page it names)"
)
ACCEPT: Final = "text/html,application/xhtml+xml;q=0.9,application/json;q=0.8,text/plain;q=0.7,*/*;q=0.1"
