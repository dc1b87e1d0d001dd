"""People who open links that the site itself made, and pass their pages on: a small world beside a larger one.

It has draws of its own, so that the larger world is the same with it and without. Both have one truth, in which each
made link is a visit of nobody with the source ``link``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from grapevine.domain.periods import rfc3339
from grapevine.simulate import behaviour, people
from grapevine.simulate.pages import Pages
from grapevine.simulate.parameters import Parameters
from grapevine.simulate.requests import SimulatedRequest
from grapevine.simulate.season import Season
from grapevine.simulate.truth import Link, Share, Visit
from grapevine.simulate.world import PastedLink, Sharer, World

_NOBODY: Final = -1
"""The visitor of a link's own visit."""


class Readers(NamedTuple):
    """People who open a link: so many ``people``, half of them within ``half`` ms of ``after`` (UTC ms).

    They find it at ``place``, a key of ``behaviour.DESTINATIONS``. ``channel`` and ``n`` are those of the token: of the
    link or its QR code, and of its place. ``short`` is the part of them who come by the short link.
    """

    people: int
    after: int
    half: int
    place: str
    channel: str = "link"
    n: int = 0
    short: float = 1.0


class MadeLink(NamedTuple):
    """A link that the site made at ``at`` (UTC ms) to the page ``path``, and who opens it. ``visit`` is its number."""

    at: int
    path: str
    visit: int
    readers: Sequence[Readers]


class LinkReaders(World):
    """The readers of the ``links`` of the world ``main``, until the time ``until``."""

    def __init__(
        self, main: World, links: Sequence[MadeLink], seed: int, parameters: Parameters, pages: Pages, until: int
    ) -> None:
        super().__init__(seed, parameters, main.start, pages, Season(until=until))
        self.truth, self.visitors = main.truth, main.visitors
        self._links = links

    def requests(self) -> Iterator[SimulatedRequest]:
        """Yields every request of the readers, and of those to whom they pass the pages on."""
        for link in self._links:
            sharer = Sharer(self.truth.visits[link.visit], people.person(self._random), self._pages.named(link.path))
            for readers in link.readers:
                self._begin(sharer, readers)
        yield from self._stream()

    def _begin(self, sharer: Sharer, readers: Readers) -> None:
        random = self._random
        link = Link(sharer.visit.number, readers.channel, readers.n)
        place = behaviour.DESTINATIONS[readers.place]
        self.truth.shares.setdefault(link, Share(*link, rfc3339(readers.after), sharer.page.path, place.private))
        self._look_at(readers.after, PastedLink(sharer, readers.place, link, short=readers.short > 0))
        for _ in range(readers.people):
            opening = PastedLink(sharer, readers.place, link, short=self._chance(readers.short))
            self._later(readers.after + int(random.expovariate(0.7 / readers.half)), self._open, opening)


def made_link(main: World, at: int, path: str, readers: Sequence[Readers]) -> MadeLink:
    """Returns a link of the world ``main``, in whose truth it stands from now on."""
    visit = Visit(
        number=len(main.truth.visits),
        at=rfc3339(at),
        human=False,
        robot=None,
        way="link",
        page=path,
        source="link",
        app=None,
        device="unknown",
        visitor=_NOBODY,
    )
    main.truth.visits.append(visit)
    return MadeLink(at, path, visit.number, readers)
