"""How many mails are tagged at a time in a process: one, in short slices of the event loop, while a few wait."""

from __future__ import annotations

import asyncio
import time
from typing import Final

from grapevine.links.mail.tagging import ReadMail, UrlRule, reading_mail
from grapevine.web.turns import Turns

MOST_AT_ONCE: Final = 4
"""Read or waiting. Each is up to 1 MiB, a few times over, and takes a second where it was written to take long."""
RETRY_SECONDS: Final = 2
_SLICE_SECONDS: Final = 0.005
"""A thread would be worse: each time the loop's own thread touches the disk or a socket it would wait as long for its
turn, dozens of times for one batch of the writer."""


class MailRewrites:
    """The mails that are read in this process."""

    def __init__(self) -> None:
        self._turns = Turns(
            MOST_AT_ONCE, "Other mails are being tagged right now. Try again in a moment.", retry_after=RETRY_SECONDS
        )

    @property
    def refused(self) -> int:
        """How many mails found no room, since the process started."""
        return self._turns.refused

    async def read(self, html: str, rule: UrlRule) -> ReadMail:
        """Reads a mail, and lets other requests have their turn meanwhile. Raises TooManyLinks; Busy where too many
        wait."""
        async with self._turns.taken():
            return await _read_in_slices(html, rule)


async def _read_in_slices(html: str, rule: UrlRule) -> ReadMail:
    steps = reading_mail(html, rule)
    until = time.monotonic() + _SLICE_SECONDS
    try:
        while True:
            next(steps)
            if time.monotonic() >= until:
                await asyncio.sleep(0)
                until = time.monotonic() + _SLICE_SECONDS
    except StopIteration as end:
        found: ReadMail = end.value
        return found
