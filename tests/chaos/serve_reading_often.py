"""The server of ``serve_with_clock``, whose jobs look for feeds and for webmentions that are due all the time."""

from __future__ import annotations

import sys

import uvloop

from grapevine.mentions import checking
from grapevine.mentions.feeds import polling
from tests.chaos.serve_with_clock import main

if __name__ == "__main__":
    polling.EVERY_SECONDS = checking.POLL_SECONDS = 0.05  # type: ignore[misc]
    uvloop.run(main(*sys.argv[1:]))
