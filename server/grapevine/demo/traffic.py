"""Plays readers of the demo site over real HTTP, as the widget speaks to the server.

People arrive from somewhere, read on, and some share; each share is opened by some others, who share again. Every visit
decides with a random generator of its own, so one seed always gives the same people, whatever the network does.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from datetime import date
from random import Random
from typing import Any, Final, NamedTuple

import httpx

from grapevine.demo.people import CHANNELS, OPENINGS, PAGES, ROBOTS, SOURCES, Page, Reader, pick, reader
from grapevine.domain.ids import ALPHABET
from grapevine.errors import GrapevineError

CONCURRENCY: Final = 16
DEEPEST: Final = 6

_LARGEST_ROUND: Final = 64
_FIRST_SHARES, _LATER_SHARES = 0.2, 0.42  # who came through a share is likelier to pass it on
_SHARES_AGAIN: Final = 0.12
_OPENS_OWN_LINK: Final = 0.07
_SAME_NETWORK: Final = 0.08
_DAMAGED: Final = 0.03
_PREVIEWED: Final = 0.6
_READS_ON: Final = 0.4
_ROBOT: Final = 0.03
_LINKS_FIRST: Final = 0.8
_PATIENCE_SECONDS: Final = 30.0


class Target(NamedTuple):
    """Against what to play: the server's URL, the site's key, and the origin its pages are on."""

    server: str
    site: str
    origin: str


class Played(NamedTuple):
    """What was played. ``returns`` were seen by the server, self-returns left out; ``robots`` were refused."""

    visits: int = 0
    views: int = 0
    shares: int = 0
    returns: int = 0
    unfurls: int = 0
    robots: int = 0
    deepest: int = 0

    def plus(self, other: Played) -> Played:
        """Both together."""
        sums = [mine + theirs for mine, theirs in zip(self, other, strict=True)]
        return Played(*sums)._replace(deepest=max(self.deepest, other.deepest))


class _Opening(NamedTuple):
    """Somebody about to open a page; ``token`` is in the link they were given."""

    who: Reader
    page: Page
    query: str = ""
    referrer: str = ""
    token: str | None = None
    own: bool = False


class _Visit(NamedTuple):
    """What a visit did, and who will open what it shared."""

    played: Played
    openings: list[_Opening]


async def play(
    target: Target, visits: int, day: date, seed: int = 1, on_visit: Callable[[], None] = lambda: None
) -> Played:
    """Plays that many visits of today (``day``, in UTC); ``on_visit`` is called after each.

    Playing them again with the same seed repeats every report word for word. Raises GrapevineError when the server
    refuses one.
    """
    limits = httpx.Limits(max_connections=CONCURRENCY, max_keepalive_connections=CONCURRENCY)
    async with httpx.AsyncClient(
        base_url=target.server, limits=limits, timeout=_PATIENCE_SECONDS, trust_env=False
    ) as client:
        try:
            return await _Player(client, target, day, seed, on_visit).play(visits)
        except* httpx.HTTPError as errors:
            raise GrapevineError(f"the server did not answer: {errors.exceptions[0]!r}") from None
        except* GrapevineError as errors:
            raise errors.exceptions[0] from None


class _Player:
    def __init__(
        self, client: httpx.AsyncClient, target: Target, day: date, seed: int, on_visit: Callable[[], None]
    ) -> None:
        self._client = client
        self._target = target
        self._day = day.isoformat()
        self._seed = seed
        self._on_visit = on_visit
        self._free = asyncio.Semaphore(CONCURRENCY)

    async def play(self, visits: int) -> Played:
        """Round by round, so that who opens what depends on the seed alone and not on which answer came first."""
        random = self._random("rounds")
        waiting: deque[_Opening] = deque()
        played, number = Played(), 0
        size = min(_LARGEST_ROUND, max(4, visits // 20))
        while number < visits:
            openings = [
                waiting.popleft() if waiting and random.random() < _LINKS_FIRST else _newcomer(random)
                for _ in range(min(size, visits - number))
            ]
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._visit(number + place, one)) for place, one in enumerate(openings)]
            number += len(openings)
            for task in tasks:
                done = task.result()
                played = played.plus(done.played)
                waiting.extend(done.openings)
        return played

    def _random(self, purpose: object) -> Random:
        return Random(f"{self._seed} {purpose}")  # noqa: S311 - a game, no secret

    async def _visit(self, number: int, opening: _Opening) -> _Visit:
        random = self._random(number)
        async with self._free:
            robots = 0
            if random.random() < _ROBOT:
                await self._arrive(random, opening._replace(who=opening.who._replace(agent=random.choice(ROBOTS))), 202)
                robots = 1
            answer = await self._arrive(random, opening, 200)
            returned = answer["returned"] or {"valid": False, "depth": 0, "self": False}
            depth = returned["depth"]
            views = await self._read_on(random, opening, answer["session"])
            shares = unfurls = 0
            openings: list[_Opening] = []
            if depth < DEEPEST and random.random() < (_LATER_SHARES if depth else _FIRST_SHARES):
                manners = tuple((manner.weight, name) for name, manner in CHANNELS.items())
                channel = pick(random, manners)
                token = answer["tokens"][channel]
                for _ in range(2 if random.random() < _SHARES_AGAIN else 1):
                    following = await self._share(opening, token)
                    shares += 1
                    unfurls += await self._preview(random, channel, token)
                    openings += _openings(random, opening, channel, token)
                    token = following
        self._on_visit()
        is_return = returned["valid"] and not returned["self"]
        return _Visit(Played(1, views, shares, int(is_return), unfurls, robots, depth), openings)

    async def _arrive(self, random: Random, opening: _Opening, expected: int) -> Any:
        """``POST /v1/visits`` as the widget does; the token is out of the URL by then."""
        request: dict[str, Any] = {
            "url": f"{self._target.origin}{opening.page.path}{opening.query}",
            "nonce": _nonce(random),
            "day": self._day,
            "referrer": opening.referrer,
            "title": opening.page.title,
            "channels": list(CHANNELS),
        }
        if opening.token is not None:
            request["token"] = opening.token
            request["own"] = opening.own
        return await self._post("visits", opening.who, expected, request)

    async def _read_on(self, random: Random, opening: _Opening, session: str) -> int:
        views = 0
        while views < 6 and random.random() < _READS_ON:
            page = pick(random, PAGES)
            request = {"session": session, "url": self._url(page), "title": page.title, "nonce": _nonce(random)}
            await self._post("views", opening.who, 200, request)
            views += 1
        return views

    async def _share(self, opening: _Opening, token: str) -> str:
        request = {"token": token, "url": self._url(opening.page), "title": opening.page.title}
        answer = await self._post("shares", opening.who, 200, request)
        return str(answer["next"])

    async def _preview(self, random: Random, channel: str, token: str) -> int:
        """A messenger's robot fetches the link, where the channel has one."""
        robots = CHANNELS[channel].robots
        if not robots or random.random() > _PREVIEWED:
            return 0
        response = await self._client.get(f"/s/{token}", headers={"User-Agent": random.choice(robots)})
        _expect(response, 302)
        return 1

    async def _post(self, call: str, who: Reader, expected: int, request: dict[str, Any]) -> Any:
        headers = {
            "Content-Type": "text/plain;charset=UTF-8",
            "Origin": self._target.origin,
            "Referer": f"{self._target.origin}/",
            "User-Agent": who.agent,
            "Accept-Language": who.language,
            "X-Forwarded-For": who.address,
        }
        response = await self._client.post(f"/v1/{call}", json={"site": self._target.site, **request}, headers=headers)
        _expect(response, expected)
        return response.json()

    def _url(self, page: Page) -> str:
        return f"{self._target.origin}{page.path}"


def _newcomer(random: Random) -> _Opening:
    """Somebody who comes without a token."""
    source = pick(random, SOURCES)
    return _Opening(reader(random), pick(random, PAGES), source.query, source.referrer)


def _openings(random: Random, sharer: _Opening, channel: str, token: str) -> list[_Opening]:
    """Who will open a shared link."""
    referrer = CHANNELS[channel].referrer
    openings = []
    for _ in range(pick(random, OPENINGS)):
        who = sharer.who if random.random() < _SAME_NETWORK else reader(random)
        text = _damaged(random, token) if random.random() < _DAMAGED else token
        openings.append(_Opening(who, sharer.page, "", referrer, text))
    if random.random() < _OPENS_OWN_LINK:
        openings.append(_Opening(sharer.who, sharer.page, "", "", token, own=True))
    return openings


def _damaged(random: Random, token: str) -> str:
    """A token in which a letter was lost and another one found on the way."""
    place = random.randrange(1, len(token))
    other = random.choice(ALPHABET.replace(token[place], ""))
    return token[:place] + other + token[place + 1 :]


def _nonce(random: Random) -> str:
    return "".join(random.choices(ALPHABET, k=24))


def _expect(response: httpx.Response, status: int) -> None:
    if response.status_code != status:
        asked = f"{response.request.method} {response.request.url.path}"
        raise GrapevineError(f"{asked} was answered {response.status_code} instead of {status}: {response.text[:300]}")
