"""Refusals of collect calls in words: one plain sentence for the console of the page, one line a minute for the log.

A sentence says what is not counted, why, and what to do. The widget writes it to the console as it is, where the owner
of a site reads it. It names no address of the site but the one that the page itself sent: a stranger can read it, too.
"""

from __future__ import annotations

import logging
import math
from collections import Counter
from typing import Final

from grapevine.errors import BadOrigin, Invalid, Malformed, Problem, RateLimited, TooLarge, UnknownSite

log = logging.getLogger(__name__)

_KEY_SHOWN: Final = 40
_ORIGIN_SHOWN: Final = 100
_EVERY_MS: Final = 60_000


def unknown_site(key: str) -> UnknownSite:
    """The refusal of a report for a site that is not there."""
    return UnknownSite(
        f"Nothing is counted: this server has no site with the key {key[:_KEY_SHOWN]!r}. "
        "Write the right key into data-site; `grapevine site list` shows it."
    )


def foreign_page(origin: str, key: str) -> BadOrigin:
    """The refusal of a report from a page that is not on one of the site's origins."""
    if origin in ("", "null"):
        return BadOrigin(
            "Nothing is counted: the browser does not say which address this page has, as with a page that is opened "
            "from a file or in a closed-off frame. Open it at the site's own address."
        )
    return BadOrigin(
        f"Nothing is counted: {origin[:_ORIGIN_SHOWN]!r} is not one of the addresses of this site. If it should be, "
        f"name all of them on the server: grapevine site set {key} origin=ADDRESS origin=ADDRESS"
    )


def refuse_excess_reports(wait: int) -> None:
    """Raises RateLimited when a report has to wait for so many seconds; no-op for 0."""
    if wait:
        raise RateLimited(
            f"Too many reports came within a minute, so this one waits {wait} second{'s' * (wait != 1)}. "
            "If ordinary visitors meet this, raise GRAPEVINE_RATE_LIMIT on the server.",
            retry_after=wait,
        )


def explained(problem: Problem) -> Problem:
    """Returns the refusal with a sentence for people, where its own one is for programs."""
    if isinstance(problem, TooLarge):
        return TooLarge(
            f"This report is not counted: {problem.detail} Shorten what the page hands over, such as an answer."
        )
    if isinstance(problem, Invalid):
        return Invalid(f"This report is not counted: {problem.detail}", errors=problem.errors)
    if isinstance(problem, Malformed):
        return Malformed(f"This report is not counted: {problem.detail}")
    return problem


def _logged(problem: Problem) -> str:
    """Returns the sentence without what a visitor's page said: the address or the text that is refused is in no log."""
    if isinstance(problem, Invalid):
        return f"This report is not counted: {', '.join(field for field, _ in problem.errors)} cannot be used."
    if isinstance(problem, Malformed):
        return "This report is not counted: it cannot be read."
    return explained(problem).detail


class RefusalLog:
    """The log's lines about refused calls: at most one a minute for each site, with how many more there were.

    Calls that name no site of this server share a line for each reason, since strangers invent keys: so there are no
    more lines a minute than sites and reasons, whoever calls.
    """

    def __init__(self) -> None:
        self._last: dict[str, tuple[float, Counter[str]]] = {}

    def note(self, problem: Problem, key: str | None, at: int) -> None:
        """Writes a line, or counts the refusal for the next one. ``key`` is the site's, or None for an unknown one."""
        kind = key or f"no site: {problem.code}"
        last, more = self._last.get(kind, (-math.inf, Counter()))
        if abs(at - last) < _EVERY_MS:
            more[problem.code] += 1
            return
        self._last[kind] = at, Counter()
        held_back = ", ".join(f"{count} {code}" for code, count in sorted(more.items()))
        log.warning(
            "a report for %s was refused (%s): %s%s",
            f"site {key}" if key else "no known site",
            problem.code,
            _logged(problem),
            f" Before, since the last such line: {held_back}." if held_back else "",
        )
