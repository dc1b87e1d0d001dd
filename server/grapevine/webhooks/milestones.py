"""Which sizes of a cascade are milestones: 10, 30, 100, 300, 1,000 and so on, each about three times the one before."""

from __future__ import annotations

import hashlib
from typing import Final

SMALLEST: Final = 10


def milestone_passed(before: int, after: int) -> int | None:
    """Returns the largest milestone that a cascade passed when it grew from ``before`` to ``after`` visits; None where
    it passed none."""
    found, step = None, SMALLEST
    while step <= after:
        if before < step:
            found = step
        if before < 3 * step <= after:
            found = 3 * step
        step *= 10
    return found


def message_id(site_id: int, root_id: int, milestone: int) -> str:
    """Returns the id of the event of a milestone. It is always the same, so that a cascade which lost visits to a
    verdict and passes the milestone again has no second event, as long as the first one is kept."""
    digest = hashlib.blake2b(f"{site_id} {root_id} {milestone}".encode(), digest_size=16, person=b"gv-milestone")
    return f"msg_{digest.hexdigest()}"
