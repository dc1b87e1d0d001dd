"""The minted links of the demo: a letter, a printed card, a word that is said on the radio, a reply to a ticket."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from msgspec.structs import replace

from grapevine.domain.ids import DAY_MS, HOUR_MS
from grapevine.simulate.link_readers import LinkReaders, MadeLink, Readers, made_link
from grapevine.simulate.pages import Pages
from grapevine.simulate.presets import DEMO_PAGES, HISTORY
from grapevine.simulate.requests import SimulatedRequest
from grapevine.simulate.truth import Truth
from grapevine.simulate.world import World

_SEED: Final = 25
"""With this seed readers of the letter pass it on over four generations, on whichever day the demo starts."""
_MORNING_MS: Final = 9 * HOUR_MS
_DAYS: Final = 30
"""For so many days the numbers of readers are meant; fewer days have fewer."""
_READERS: Final = replace(HISTORY, k=0.45, sharing=0.7, untagged=0.1, conversions=0.1, suspects=0.0, crawlers=0.0)
"""Who follows a letter reads on and passes on more than others."""


class _Group(NamedTuple):
    """Readers of a link: so many ``people``. They begin ``after`` ms from when it was made; half of them have come
    ``half`` ms later."""

    people: int
    half: int
    place: str
    after: int = 0
    channel: str = "link"
    n: int = 0
    short: float = 1.0


class DemoLink(NamedTuple):
    """A link of the demo, made when the part ``made`` of the days had passed."""

    made: float
    path: str
    groups: Sequence[_Group]
    label: str | None = None
    campaign: str | None = None
    external_id: str | None = None
    channel: str = "link"
    word: str | None = None
    places: tuple[str, ...] = ()


# No page that much of the direct traffic goes to: the estimate of it must hold the truth with these readers, too.
LINKS: Final = (
    DemoLink(
        0.17, "/routes/", (_Group(46, 14 * HOUR_MS, "email", short=0.7), _Group(5, DAY_MS, "slack", after=DAY_MS)),
        label="Letter 46: the wine list", campaign="letter-46",
    ),
    DemoLink(
        0.17, "/app/", (_Group(21, 14 * HOUR_MS, "email", short=0.7),),
        label="Letter 46: the almanac", campaign="letter-46",
    ),
    DemoLink(
        0.3, "/docs/",
        (_Group(22, 7 * DAY_MS, "paper", channel="qr", n=1), _Group(11, 7 * DAY_MS, "paper", channel="qr", n=2),
         _Group(3, 7 * DAY_MS, "paper", channel="print", n=1)),
        label="Card with the recipe", channel="print", places=("counter", "window"),
    ),
    DemoLink(
        0.55, "/app/", (_Group(24, 3 * HOUR_MS, "paper"), _Group(6, DAY_MS, "whatsapp", after=2 * DAY_MS)),
        label="Said on the radio, morning show", word="almanac",
    ),
    DemoLink(
        0.8, "/signup/", (_Group(2, 4 * HOUR_MS, "email"),), label="Reply to ticket 4711", external_id="ticket-4711",
    ),
)  # fmt: skip


class LinkToMake(NamedTuple):
    """A link of the demo, and what it is in the demo's world."""

    link: DemoLink
    made: MadeLink


class DemoWorld(NamedTuple):
    """The demo's past: the world of its visitors, the readers of its links, and these links."""

    main: World
    readers: LinkReaders
    links: list[LinkToMake]

    @property
    def truth(self) -> Truth:
        """The truth of both."""
        return self.main.truth

    @property
    def start(self) -> int:
        """When it begins (UTC ms)."""
        return self.main.start

    def requests(self) -> Iterator[SimulatedRequest]:
        """Yields the requests of both, in order."""
        yield from heapq.merge(self.main.requests(), self.readers.requests(), key=lambda action: action.at)


def demo_world_with_links(main: World, now: int) -> DemoWorld:
    """Returns the world ``main`` together with ``LINKS`` and their readers until ``now`` (UTC ms)."""
    links = [LinkToMake(link, _made(main, link, now)) for link in LINKS]
    readers = LinkReaders(main, [each.made for each in links], _SEED, _READERS, Pages(DEMO_PAGES), now)
    return DemoWorld(main, readers, links)


def _made(main: World, link: DemoLink, now: int) -> MadeLink:
    """Returns a link in the world: made in the morning of its day, so that its readers are the same at whatever hour
    the demo starts, unless that morning is still to come."""
    days = (now - main.start) // DAY_MS + 1
    at = main.start + int(link.made * days) * DAY_MS + _MORNING_MS
    if at > now:
        at = main.start + int(link.made * (now - main.start))
    part = min(1.0, days / _DAYS)
    readers = [
        Readers(
            people=max(1, round(group.people * part)),
            after=at + group.after,
            half=group.half,
            place=group.place,
            channel=group.channel,
            n=group.n,
            short=group.short,
        )
        for group in link.groups
    ]
    return made_link(main, at, link.path, readers)
