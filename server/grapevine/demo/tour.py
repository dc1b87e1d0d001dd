"""The tour of the demo: what a newcomer does next, and what each event says about it.

A link goes from browser to browser until a chain of three visits stands. The steps look at events of the store alone,
so one that was skipped, done twice or done otherwise is noticed like any other.
"""

from __future__ import annotations

from typing import Final, NamedTuple

COPY: Final = "copy"
GOAL: Final = 2
"""The depth of the third visit of a chain: two returns are above it."""
_SECOND, _PASSED_ON, _THIRD = 2, 3, 4
"""The steps, counted from 0, that wait for the second visit, for its share, and for the third visit."""


class Visited(NamedTuple):
    """A visit to the page ``path``: ``root`` is the first visit of its chain, ``channel`` that of the share it came
    through, ``spoilt`` whether it came with a token that is not valid."""

    visit: str
    root: str
    path: str
    depth: int
    channel: str | None
    source: str
    is_self: bool = False
    verdict: str | None = None
    spoilt: bool = False


class Shared(NamedTuple):
    """A visit at ``depth`` reported that it shared the page ``path``."""

    path: str
    depth: int
    channel: str


class Refused(NamedTuple):
    """Events were refused for ``reason``, so nothing is stored of them."""

    reason: str


Event = Visited | Shared | Refused

_STEPS: Final = (
    "Open {site}/ in your browser.",
    "On that page, press the chain link in the bar at the edge: “Copy link”.",
    "Now be your own friend: paste the link into another browser, or into a private window.",
    "In that second browser, press “Copy link” again: your friend passes the page on.",
    "Paste this second link into a third browser. The first one will do, too: the link is not its own.",
)
_FIRST: Final = "Seen: a visit to {path}, the first of a chain."
_RETURN: Final = "Seen: a visit to {path} through a shared link (channel: {channel}, depth: {depth})."
_SHARED: Final = "Seen: the link of {path} was {how} (channel: {channel})."
_FIRST_AGAIN: Final = "That was the first link. Paste the second one, which the second browser copied."
_FIRST_BROWSER: Final = "That was the first browser. Press “Copy link” in the second one, which came through the link."
_DRIVEN: Final = (
    "Seen: a browser that a program controls opened {path}. Such a visit is kept out of every number. "
    "Use a browser that you control yourself."
)
_SUSPECT: Final = "Seen: a visit to {path} that is taken for a program's ({verdict}). It is kept out of every number."
_SELF: Final = (
    "Seen: that was the same browser, so it is no new visitor (a self-return). "
    "Open the link in another browser or in a private window."
)
_SPOILT: Final = (
    "Seen: a visit to {path}, but the end of its link was damaged on the way, so it belongs to no chain. "
    "Press “Copy link” once more, and paste the whole link."
)
_BARE: Final = (
    "Seen: a visit to {path}, but its link has lost its end, which begins with #gv- and says who shared it. "
    "Some apps cut that off, and a link from the address bar never has it. "
    "Press “Copy link” once more, and paste the whole link."
)
_REFUSED: Final = {
    "robot": "Seen: a robot. It was refused and is never counted. Use a usual browser.",
    "opted-out": "Seen: a browser that asks not to be tracked. Its visit is counted, but it cannot be part of a chain. "
    "Use another browser, or switch “Do Not Track” and “Global Privacy Control” off in its settings.",
}


class Tour:
    """The state of a tour of the demo site at ``site`` (its origin)."""

    def __init__(self, site: str) -> None:
        self._site = site
        self._step = 0
        self.root: str | None = None
        """The first visit of the chain of three, once it stands."""

    @property
    def next(self) -> str:
        """What to do now."""
        return f"Step {self._step + 1} of {len(_STEPS)}. {_STEPS[self._step].format(site=self._site)}"

    def saw(self, event: Event) -> list[str]:
        """Returns the lines to say about an event: what it was, and what to do next where that changed."""
        before = self._step
        lines = self._reaction(event)
        if self.root is None and self._step > before:
            lines += ["", self.next]
        return lines

    def _reaction(self, event: Event) -> list[str]:
        if isinstance(event, Refused):
            return [_REFUSED[event.reason]] if event.reason in _REFUSED else []
        if isinstance(event, Shared):
            return self._shared(event)
        return self._visited(event)

    def _visited(self, visit: Visited) -> list[str]:
        if visit.verdict is not None:
            wording = _DRIVEN if visit.verdict == "driven" else _SUSPECT
            return [wording.format(path=visit.path, verdict=visit.verdict)]
        if visit.is_self:
            return [_SELF]
        if visit.spoilt:
            return [_SPOILT.format(path=visit.path)]
        if visit.channel is None:
            return self._came_first(visit)
        lines = [_RETURN.format(path=visit.path, channel=visit.channel, depth=visit.depth)]
        if visit.depth >= GOAL:
            self.root = visit.root
        elif self._step == _THIRD:
            lines.append(_FIRST_AGAIN)
        self._reach(1 + 2 * visit.depth)
        return lines

    def _came_first(self, visit: Visited) -> list[str]:
        if self._step in (_SECOND, _THIRD):  # a visit through a link is what is waited for
            return [] if visit.source == "internal" else [_BARE.format(path=visit.path)]
        begun = self._step > 0
        self._reach(1)
        return [] if begun else [_FIRST.format(path=visit.path)]

    def _shared(self, share: Shared) -> list[str]:
        how = "copied" if share.channel == COPY else "shared"
        lines = [_SHARED.format(path=share.path, how=how, channel=share.channel)]
        if share.depth == 0 and self._step == _PASSED_ON:
            lines.append(_FIRST_BROWSER)
        self._reach(2 + 2 * share.depth)
        return lines

    def _reach(self, step: int) -> None:
        self._step = min(max(self._step, step), len(_STEPS) - 1)
