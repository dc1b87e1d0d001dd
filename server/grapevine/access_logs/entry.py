"""One line of an access log, in whichever format it was written."""

from __future__ import annotations

import msgspec


class LogEntry(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A request and its response, as a web server logged them.

    ``at`` are UTC milliseconds. ``target`` is the path with its query, or a whole URL. ``host`` is the one that was
    asked for, with its port where the log has one; None where the log names none. ``language`` is the header
    Accept-Language, empty where the log leaves it out; ``opted_out``: the log shows a header that asks not to be
    followed, ``prefetched``: one that says that the page was fetched ahead and may never be shown.
    """

    at: int
    address: str
    method: str
    target: str
    status: int
    host: str | None
    user_agent: str
    language: str = ""
    opted_out: bool = False
    prefetched: bool = False
