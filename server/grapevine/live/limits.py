"""The bounds of the live feed, all of them. docs/live.md says what a reader sees when it exceeds one."""

from __future__ import annotations

from typing import Final

from grapevine.store.repositories.live import KEPT_MS

MOST_STREAMS: Final = 256
"""Streams of one process at once: each may hold some 300 KB that its reader does not take."""

MOST_PER_KEY: Final = 50
"""Streams of one API key at once, in one process: an office that leaves a page open, or a service with many
instances."""

RESERVED_PART: Final = 8
RESERVED_STREAMS: Final = 2
"""An eighth of the streams of a process, the last 32, are kept for sites that have fewer than two there. So one site
has up to 224 (200 readers of a site are nothing unusual), and its owner, who may make a hundred keys for it, leaves
all others a place: it takes 16 more sites to fill these 32, and only a key for every site makes sites."""

WINDOW_MS: Final = KEPT_MS - 120_000
"""A reader that comes back within five minutes is given what it missed: a network that changes, a laptop's short sleep,
a server that starts again."""

RENEW_MS: Final = 60_000
WATCH_MS: Final = WINDOW_MS + 2 * RENEW_MS
"""A site is announced for so long after the last renewal of its watch, so at least a window after its last reader
left."""

LATE_MS: Final = 30_000
"""What waits longer than this, because more happens than is sent, is left out: a feed that is late is not live."""

PAGE_EVENTS: Final = 250
"""Events that are read and sent at once; on SQLite they block the event loop for some two milliseconds."""

READS_PER_SECOND: Final = 1_000
WRITES_PER_SECOND: Final = 200
DELIVERIES_PER_SECOND: Final = 32_000
"""Events that a process reads, pieces that it sends and events in them, each over all readers: a few percent of a
processor. A lone event is sent at once; under load the pieces become larger, and with more readers they come less
often: 200 readers get one a second with up to 160 events."""

SHORTEST_PAUSE: Final = 0.02
CATCH_UP_SECONDS: Final = 0.1
"""Readers that come back are given one page each so many seconds, all of them together."""

MOST_PENDING_BYTES: Final = 131_072
"""What may wait for a reader that does not read; the pieces are shared by all readers of a site."""

POLL_SECONDS: Final = 1.0
HEARTBEAT_SECONDS: Final = 15.0
"""Proxies close connections on which nothing comes for 30 or 60 seconds."""

RETRY_MS: Final = 3_000
CHECK_SECONDS: Final = 2.0
"""How often keys and sites of open streams are looked at."""

AWARE_SECONDS: Final = 15.0
"""How long a new watch waits for the other processes to know of it. One that does not look for so long has died."""
