"""The world: an event queue in simulated time. Pure: no clock, no network, the same world for the same seed.

People arrive, read on, and share pages, with the widget or without it; those links are opened by others hours or
days later, who pass them on in turn. Robots look at what is shared.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any, Final, NamedTuple

from grapevine.domain import ids
from grapevine.domain.periods import rfc3339
from grapevine.domain.tokens import next_n
from grapevine.simulate import behaviour, mail_checks, people, random_draws
from grapevine.simulate.answers import answer_of
from grapevine.simulate.behaviour import Arrival
from grapevine.simulate.pages import Pages, SitePage, made_up_pages
from grapevine.simulate.parameters import Parameters
from grapevine.simulate.people import AgentString, Person
from grapevine.simulate.random_draws import pick
from grapevine.simulate.request_stream import MINUTE, SECOND, RequestStream
from grapevine.simulate.requests import (
    SimulatedAnswer,
    SimulatedClick,
    SimulatedConversion,
    SimulatedRequest,
    SimulatedShare,
    SimulatedView,
)
from grapevine.simulate.season import MOST_BUSY, STEADY, Season, Surge
from grapevine.simulate.truth import Link, ReachedGoal, Share, Visit

START: Final = ids.day_start(2196)
"""When simulated time begins: Monday, 5 January 2026, 0:00 UTC."""

_READS_ON: Final = 0.35
_MOST_VIEWS: Final = 8
_REGULARS: Final = 500
_TOKEN_LENGTH: Final = 23
_UNFURLS: Final = 0.9
_HIGHEST_K_OF_A_PAGE: Final = 0.6
_CRAWLS_SHARES: Final = 0.3
_SCANS_MAIL: Final = 0.3
_REPLAYS: Final = 0.003
_DRIVES: Final = 0.01
_GOALS: Final = ((5, ("letter", None)), (4, ("order", "EUR")), (1, ("order", "USD")))


class Sharer(NamedTuple):
    """A sharer: the visit, the person and the page."""

    visit: Visit
    who: Person
    page: SitePage


class PastedLink(NamedTuple):
    """A shared link: its sharer, where it was pasted, and its token, None when untagged."""

    sharer: Sharer
    place: str
    link: Link | None
    short: bool


class World(RequestStream):
    """``requests`` is everything that arrives at the server, in order; ``truth`` grows with it.

    The pages are made up unless ``pages`` names them.
    The server's response is needed before the next request is drawn only when that one carries its token.
    """

    def __init__(
        self,
        seed: int,
        parameters: Parameters,
        start: int = START,
        pages: Pages | None = None,
        season: Season = STEADY,
    ) -> None:
        super().__init__(seed, parameters, season.until)
        self.people = 0
        self._pages = pages or made_up_pages(self._random, parameters.pages)
        self._season = season
        self.start = start
        self._a_day = parameters.visits * max(0.05, 1 - parameters.k) / parameters.days
        self._regulars: list[Person] = []
        self._next: dict[tuple[int, str], int] = {}
        self._mails = Random(f"mails of {seed}")  # noqa: S311
        """Draws what is particular to mails, so that all else in a world is the same without it."""

    def requests(self) -> Iterator[SimulatedRequest]:
        """Yields every request until the season ends; without an end, until the given number of visits is reached and
        their late requests have arrived."""
        self._later(self._next_arrival(self.start), self._newcomer)
        for at in self._season.last_arrivals:
            self._later(at, self._come)
        for surge in self._season.surges:
            self._later(surge.at, self._surge, surge)
        yield from self._stream()

    def _next_arrival(self, at: int) -> int:
        busy = self._season.busy
        return random_draws.next_arrival(self._random, at, self._a_day, busy, 1.0 if busy is None else MOST_BUSY)

    @property
    def _over(self) -> bool:
        return self._until is None and self.people >= self._rates.visits

    # Arrivals and behaviour of people.

    def _newcomer(self, at: int) -> Iterator[SimulatedRequest]:
        if self._over:
            return
        self._later(self._next_arrival(at), self._newcomer)
        yield from self._come(at)

    def _come(self, at: int) -> Iterator[SimulatedRequest]:
        random, rates = self._random, self._rates
        if self._chance(rates.crawlers):
            self._later(at + random.randrange(MINUTE), self._crawl, self._pages.draw(random), None)
        if self._chance(_DRIVES * rates.suspects):
            self._later(at + random.randrange(MINUTE), self._drive, self._pages.draw(random))
        if self._regulars and self._chance(rates.regulars):
            who = random.choice(self._regulars)
        else:
            who = people.person(random, self._chance(rates.opted_out))
            self._regulars.append(who)
            del self._regulars[:-_REGULARS]
        way = pick(random, behaviour.ARRIVALS)
        page = self._pages.home if way.goes_home else self._pages.draw(random)
        yield from self._arrive(at, who, way, page)

    def _arrive(self, at: int, who: Person, way: Arrival, page: SitePage, **came: Any) -> Iterator[SimulatedRequest]:
        """Yields a visit and schedules what follows: views, shares, conversions."""
        if way.inside is not None:
            who = who._replace(agent=people.IN_APP[way.inside])
        damage = self._random.randrange(1, _TOKEN_LENGTH) if came.get("token") == "damaged" else None
        visit = self._visit(at, who, way, page, human=True, opted_out=who.opted_out, **came)
        self.people += 1
        yield from self._landing(at, who, visit, way, page, damage)
        self._read_on(at, Sharer(visit, who, page))

    def _read_on(self, at: int, sharer: Sharer) -> None:
        random = self._random
        wave = self._season.sharing(sharer.page.path, at, sharer.visit.depth)
        acts = random_draws.poisson(random, self._rates.sharing * wave)
        if self._chance(self._rates.conversions) and not sharer.who.opted_out:
            self._later(at + random.randrange(30 * SECOND, 20 * MINUTE), self._convert, sharer)
        if self._rates.answers and self._chance(self._rates.answers) and not sharer.who.opted_out:
            self._later(at + random.randrange(20 * SECOND, 5 * MINUTE), self._answer, sharer)
        moments = [at + random.randrange(10 * SECOND, 4 * MINUTE)]
        while len(moments) < _MOST_VIEWS and self._chance(_READS_ON):
            moments.append(moments[-1] + random.randrange(15 * SECOND, 4 * MINUTE))
        for number, moment in enumerate(moments):
            share_here = acts if number == len(moments) - 1 else int(acts > 0 and self._chance(0.5))
            for _ in range(share_here):
                self._later(moment - random.randrange(8 * SECOND), self._pass_on, sharer)
            acts -= share_here
            if number < len(moments) - 1:
                sharer = sharer._replace(page=self._pages.draw(random))
                if not sharer.who.opted_out:
                    self._later(moment, self._read, sharer)

    def _read(self, at: int, sharer: Sharer) -> Iterator[SimulatedRequest]:
        sharer.visit.views += 1
        read = SimulatedView(at, sharer.who, sharer.visit.number, sharer.page.path, sharer.page.title, self._nonce())
        yield from self._sent(read, "duplicate")

    def _convert(self, at: int, sharer: Sharer) -> Iterator[SimulatedRequest]:
        name, currency = pick(self._random, _GOALS)
        value = f"{self._random.randrange(500, 20_000) / 100:.2f}" if currency else None
        sharer.visit.goals.append(ReachedGoal(name, value, currency))
        convert = SimulatedConversion(at, sharer.who, sharer.visit.number, name, self._nonce(), value, currency)
        yield from self._sent(convert, "duplicate")

    def _answer(self, at: int, sharer: Sharer) -> Iterator[SimulatedRequest]:
        """Yields what the visitor writes to "how did you hear about us?"."""
        text = answer_of(self._random, sharer.visit, sharer.who)
        sharer.visit.answers.append(text)
        answer = SimulatedAnswer(at, sharer.who, sharer.visit.number, text, self._nonce())
        yield from self._sent(answer, "duplicate")

    # How pages are passed on.

    def _pass_on(self, at: int, sharer: Sharer) -> Iterator[SimulatedRequest]:
        random, rates = self._random, self._rates
        tagged = not (sharer.visit.opted_out or self._chance(rates.untagged))
        k = min(rates.k * sharer.page.appeal, max(rates.k, _HIGHEST_K_OF_A_PAGE)) / rates.sharing
        if not tagged:
            self._send_round(at, PastedLink(sharer, pick(random, behaviour.UNTAGGED), None, short=False), k)
            return
        channel = pick(random, tuple((habit.weight, name) for name, habit in behaviour.CHANNEL_USE.items()))
        habit = behaviour.CHANNEL_USE[channel]
        link = Link(sharer.visit.number, channel, self._next.get((sharer.visit.number, channel), 0))
        place = pick(random, habit.places)
        opening = PastedLink(sharer, place, link, self._chance(rates.short_links))
        self._hand_out(at, opening, link)
        self._send_round(at, opening, k * habit.opened / behaviour.USUAL)
        if self._chance(rates.self_returns):
            self._later(at + random.randrange(MINUTE, 3 * ids.HOUR_MS), self._open_own, opening)
        yield from ()

    def _hand_out(self, at: int, opening: PastedLink, link: Link) -> None:
        """A link is shared with a token: its report is on the way, and robots look at it."""
        random, rates, sharer = self._random, self._rates, opening.sharer
        share = self.truth.shares.get(link)
        if share is None:
            private = behaviour.DESTINATIONS[opening.place].private
            share = Share(*link, rfc3339(at), sharer.page.path, private)
            self.truth.shares[link] = share
        share.acts += 1
        if self._chance(rates.lost):
            share.lost += 1
        else:
            arrives = at + random.randrange(50, 2 * SECOND)
            if self._chance(rates.late):
                arrives = at + 2 * MINUTE + int(random.expovariate(1 / ids.HOUR_MS))
            self._later(arrives, self._report, sharer, link)
        self._look_at(at, opening)

    def _surge(self, at: int, surge: Surge) -> Iterator[SimulatedRequest]:
        """Yields the visit of a reader who posts the page in a large group."""
        random, page, way = self._random, self._pages.named(surge.path), behaviour.ARRIVALS[0][1]
        who = people.person(random)
        visit = self._visit(at, who, way, page, human=True)
        self.people += 1
        yield from self._landing(at, who, visit, way, page)
        link, shared_at = Link(visit.number, surge.channel, 0), at + MINUTE
        opening = PastedLink(Sharer(visit, who, page), surge.place, link, short=True)
        self._hand_out(shared_at, opening, link)
        for _ in range(surge.openings):
            self._later(shared_at + MINUTE + int(random.expovariate(1 / surge.within)), self._open, opening)

    def _report(self, at: int, sharer: Sharer, link: Link) -> Iterator[SimulatedRequest]:
        """Yields the report of a share; its response carries the token for the next share."""
        share = self.truth.shares[link]
        if share.reports:
            self.truth.drops["duplicate"] += 1
        share.reports += 1
        slot = (link.visit, link.channel)
        if self._next.get(slot, 0) == link.n:
            self._next[slot] = next_n(link.n)
        yield from self._sent(SimulatedShare(at, sharer.who, link, sharer.page.path, sharer.page.title), "duplicate")

    def _send_round(self, at: int, opening: PastedLink, mean: float) -> None:
        for _ in range(random_draws.openings(self._random, mean)):
            self._later(random_draws.delay(self._random, at), self._open, opening)

    def _open(self, at: int, opening: PastedLink) -> Iterator[SimulatedRequest]:
        """Yields the visit of a person who opens a shared link."""
        if self._over:
            return
        random, rates = self._random, self._rates
        sharer, place = opening.sharer, behaviour.DESTINATIONS[opening.place]
        way = pick(random, place.ways)
        if self._chance(rates.same_network):
            who, way = sharer.who, place.ways[0][1]._replace(inside=None)
        else:
            who = people.person(random, self._chance(rates.opted_out))
            if rates.mail_checks:
                who = mail_checks.shows_signs(self._mails, who)
        token = None
        if opening.link is not None:
            fate = random.random()
            token = "kept"  # noqa: S105
            if fate < rates.stripped + rates.damaged:
                token = "stripped" if fate < rates.stripped else "damaged"
            if opening.short and token == "kept":  # noqa: S105
                yield SimulatedClick(at, who, opening.link)
        yield from self._open_as(at, opening, who, way, token)
        if self._chance(rates.opened_twice):
            self._later(at + random.randrange(5 * SECOND, MINUTE), self._open_as, opening, who, way, token)

    def _open_as(
        self, at: int, opening: PastedLink, who: Person, way: Arrival, token: str | None
    ) -> Iterator[SimulatedRequest]:
        sharer = opening.sharer
        yield from self._arrive(
            at,
            who,
            way,
            sharer.page,
            parent=sharer.visit.number,
            depth=sharer.visit.depth + 1,
            place=opening.place,
            private=behaviour.DESTINATIONS[opening.place].private,
            token=token,
            **_named(opening.link),
        )

    def _open_own(self, at: int, opening: PastedLink) -> Iterator[SimulatedRequest]:
        """Yields the visit of a sharer who opens their own link."""
        if self._over:
            return
        sharer = opening.sharer
        yield from self._arrive(
            at,
            sharer.who,
            Arrival("share"),
            sharer.page,
            parent=sharer.visit.number,
            depth=sharer.visit.depth,
            place=opening.place,
            token="kept",  # noqa: S106
            own=True,
            **_named(opening.link),
        )

    # Robots.

    def _look_at(self, at: int, opening: PastedLink) -> None:
        """Schedules the robots that fetch a shared link."""
        random, rates = self._random, self._rates
        place = behaviour.DESTINATIONS[opening.place]
        if opening.short and place.previewer and self._chance(_UNFURLS):
            self._later(at + random.randrange(SECOND, 20 * SECOND), self._unfurl, opening, place.previewer)
        if opening.place == "email" and self._chance(_SCANS_MAIL * rates.suspects):
            self._burst(at, "scanner", opening, random.randrange(1, 4), 30 * SECOND)
        if self._chance(_REPLAYS * rates.suspects):
            self._burst(at + random.randrange(3 * ids.HOUR_MS), "replay", opening, random.randrange(8, 25), MINUTE)
        if not place.private and self._chance(_CRAWLS_SHARES):
            self._later(at + random.randrange(ids.HOUR_MS), self._crawl, opening.sharer.page, opening.link)

    def _unfurl(self, at: int, opening: PastedLink, app: str) -> Iterator[SimulatedRequest]:
        if opening.link is None:
            return
        share = self.truth.shares[opening.link]
        if app in share.unfurls:
            return
        share.unfurls.append(app)
        robot = people.machine(self._random, AgentString(people.PREVIEWERS[app], "unknown"))
        if app == "whatsapp":  # the link is fetched by the sender's own phone
            robot = robot._replace(address=opening.sharer.who.address)
        yield SimulatedClick(at, robot, opening.link)

    def _crawl(self, at: int, page: SitePage, link: Link | None) -> Iterator[SimulatedRequest]:
        who = people.machine(self._random, self._random.choice(people.CRAWLERS))
        if link is not None and self._chance(0.5):
            yield SimulatedClick(at, who, link)
        yield from self._robot(at, who, "crawler", page, link)

    def _drive(self, at: int, page: SitePage) -> Iterator[SimulatedRequest]:
        yield from self._robot(at, people.machine(self._random, people.DRIVEN), "driven", page, None)

    def _burst(self, at: int, kind: str, opening: PastedLink, count: int, within: int) -> None:
        who = people.machine(self._random, people.BROWSERS[0][1])
        if kind == "scanner" and self._rates.mail_checks:
            who, at = mail_checks.scanner(self._mails), at + mail_checks.delivered(self._mails)
        for _ in range(count):
            start = at + 2 * SECOND + self._random.randrange(within)
            self._later(start, self._robot, who, kind, opening.sharer.page, opening.link)

    def _robot(self, at: int, who: Person, kind: str, page: SitePage, link: Link | None) -> Iterator[SimulatedRequest]:
        way = Arrival("robot")
        came: dict[str, Any] = {} if link is None else {"parent": link.visit, "token": "kept", **_named(link)}
        visit = self._visit(at, who, way, page, human=False, robot=kind, **came)
        yield from self._landing(at, who, visit, way, page)


def _named(link: Link | None) -> dict[str, Any]:
    return {} if link is None else {"channel": link.channel, "n": link.n}
