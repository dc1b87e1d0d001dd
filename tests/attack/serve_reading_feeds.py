"""``probed_server``, with the same arguments, whose job looks for feeds that are due all the time."""

from __future__ import annotations

import sys

from grapevine.mentions.feeds import polling
from tests.support.probed_server import main

if __name__ == "__main__":
    polling.EVERY_SECONDS = 0.2  # type: ignore[misc]
    sys.exit(main(*sys.argv[1:]))
