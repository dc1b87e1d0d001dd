"""The stream of a world's requests in order of time, and the truth that grows with it.

What the way to the server does to requests (lost, late, sent twice) happens here, so that the truth knows what arrived.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from random import Random
from typing import Any, Final

from grapevine.domain import ids
from grapevine.domain.periods import rfc3339
from grapevine.simulate import behaviour
from grapevine.simulate.behaviour import Arrival
from grapevine.simulate.pages import SitePage
from grapevine.simulate.parameters import Parameters
from grapevine.simulate.people import Person
from grapevine.simulate.requests import SimulatedRequest, SimulatedVisit
from grapevine.simulate.truth import Link, PlayLine, Truth, Visit

SECOND: Final = 1_000
MINUTE: Final = 60 * SECOND

_TRIED_AGAIN_MS: Final = 5 * MINUTE

Happening = Callable[..., Iterator[SimulatedRequest]]
"""Called with the time at which it happens; yields the requests that it makes."""


class RequestStream:
    """Happenings by time, each of which yields requests and may schedule others; nothing happens after ``until``."""

    def __init__(self, seed: int, parameters: Parameters, until: int | None = None) -> None:
        self.truth = Truth(PlayLine(seed, parameters))
        self._rates = parameters
        self._random = Random(seed)  # noqa: S311 - a game, no secret
        self._until = until
        self._coming: list[tuple[int, int, Happening, tuple[Any, ...]]] = []
        self._scheduled = 0
        self.visitors: dict[tuple[str, str, str], int] = {}

    def _stream(self) -> Iterator[SimulatedRequest]:
        while self._coming:
            at, _, happen, arguments = heapq.heappop(self._coming)
            if self._until is not None and at > self._until:
                return
            for action in happen(at, *arguments):
                self.truth.requests += 1
                yield action

    def _later(self, at: int, happen: Happening, *arguments: Any) -> None:
        self._scheduled += 1
        heapq.heappush(self._coming, (at, self._scheduled, happen, arguments))

    def _chance(self, rate: float) -> bool:
        return self._random.random() < rate

    def _landing(
        self, at: int, who: Person, visit: Visit, way: Arrival, page: SitePage, damage: int | None = None
    ) -> Iterator[SimulatedRequest]:
        """Yields the request of a visit; ``way`` says what the browser sends."""
        link = None
        if visit.token in ("kept", "damaged") and visit.parent is not None:
            link = Link(visit.parent, visit.channel or "", visit.n or 0)
        arrive = SimulatedVisit(
            at=at,
            who=who,
            visit=visit.number,
            path=page.path,
            query=way.query,
            title=page.title,
            referrer=way.referrer,
            nonce=self._nonce(),
            link=link,
            damage=damage,
            own=visit.own,
        )
        refused = "robot" if visit.robot == "crawler" else "opted-out" if visit.opted_out else None
        if refused:
            self.truth.drops[refused] += 1
        yield from self._sent(arrive, refused or "duplicate")

    def _visit(self, at: int, who: Person, way: Arrival, page: SitePage, **facts: Any) -> Visit:
        source, app = behaviour.shown(way, who.agent, page.is_home)
        address = who.address if self._rates.addresses else ""
        key = (address, who.agent.text, who.language)
        visit = Visit(
            number=len(self.truth.visits),
            at=rfc3339(at),
            human=facts.pop("human"),
            robot=facts.pop("robot", None),
            way=way.truth,
            page=page.path,
            source=source,
            app=app,
            device=who.agent.device,
            visitor=self.visitors.setdefault(key, len(self.visitors)),
            **facts,
        )
        visit.dark = visit.human and visit.private and visit.token != "kept" and source.startswith("direct-")  # noqa: S105
        self.truth.visits.append(visit)
        return visit

    def _sent(self, action: SimulatedRequest, repeated: str) -> Iterator[SimulatedRequest]:
        """Yields the request and sometimes schedules its repeat; ``repeated`` is the drop reason the server counts."""
        yield action
        if self._chance(self._rates.retried):
            again = action.at + self._random.randrange(SECOND, _TRIED_AGAIN_MS)
            self._later(again, self._again, action, repeated)

    def _again(self, at: int, action: SimulatedRequest, repeated: str) -> Iterator[SimulatedRequest]:
        self.truth.drops[repeated] += 1
        yield action._replace(at=at)

    def _nonce(self) -> str:
        return "".join(self._random.choices(ids.ALPHABET, k=24))
