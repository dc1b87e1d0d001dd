"""Plays a world, over HTTP or in the server's own process, with the requests of the widget, messengers and robots.

Requests are begun in the world's order, several at a time; one that needs a token or session waits until the server has
handed it out, and all that follow wait behind it. So the same world is the same requests in the same order.
"""

from __future__ import annotations

import asyncio
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from http import HTTPStatus
from typing import Any, Final, NamedTuple, Protocol

from grapevine import __version__
from grapevine.domain import ids
from grapevine.domain.tokens import next_n
from grapevine.errors import GrapevineError, Invalid
from grapevine.http_client import AsyncClient, HTTPError, InvalidURL, Response, make_client
from grapevine.simulate.behaviour import CHANNEL_USE
from grapevine.simulate.people import Person
from grapevine.simulate.requests import (
    SimulatedAnswer,
    SimulatedClick,
    SimulatedConversion,
    SimulatedRequest,
    SimulatedShare,
    SimulatedView,
    SimulatedVisit,
)
from grapevine.simulate.truth import Link, ServerResult, Truth

CONCURRENCY: Final = 16
_IDLE_SECONDS: Final = 1.0
_TIMEOUT_SECONDS: Final = 60.0

_CHANNELS: Final = tuple(CHANNEL_USE)
_ORIGIN_NAMED: Final = re.compile(r"\((https?://[^,)\s]+)")


def player_client(server: str, connections: int = CONCURRENCY) -> AsyncClient:
    """Returns a client of ``server``. Raises Invalid when that is no URL.

    It closes idle connections long before servers do: a request on a connection that is being closed gets lost, and
    only the simulated world may lose requests.
    """
    try:
        return make_client(server, seconds=_TIMEOUT_SECONDS, connections=connections, idle_seconds=_IDLE_SECONDS)
    except InvalidURL as error:
        raise Invalid.of("server", f"is no URL: {error}") from None


class Target(NamedTuple):
    """A site of a server: its key, and the origin that its pages are on."""

    site: str
    origin: str


class CollectAnswer(NamedTuple):
    """A server's answer to a collect call: its body, and why nothing was stored."""

    body: Any
    dropped: str | None


class IssuedTokens(NamedTuple):
    """The session and the tokens of a visit."""

    session: str
    tokens: dict[str, str]


async def origin_of_site(client: AsyncClient, site: str) -> str | None:
    """Returns an origin of the site, which a server of an earlier version names when it refuses a foreign one (one
    ``bad-origin`` drop); None where the server refuses it without naming another.

    Raises GrapevineError when there is no such site or no answer.
    """
    body = {"site": site, "url": "https://nowhere.example/", "nonce": "0" * 24}
    try:
        response = await client.post("/v1/visits", json=body, headers={"User-Agent": "Mozilla/5.0 (X11; Linux x86_64)"})
    except HTTPError as error:
        raise GrapevineError(f"the server did not answer: {error!r}") from None
    if response.status_code != HTTPStatus.FORBIDDEN:
        raise GrapevineError(f"the server names no origin of the site: {_said(response)}")
    found = _ORIGIN_NAMED.search(response.text)
    return None if found is None else found[1]


class PlayedWorld(Protocol):
    """What is played: ``World``, or several of them."""

    @property
    def truth(self) -> Truth:
        """What happened so far."""

    def requests(self) -> Iterator[SimulatedRequest]:
        """Yields every request in order."""


class WorldPlayer(ABC):
    """Makes the requests of a world; a subclass says how they reach the server.

    ``clock`` is the server's time in UTC milliseconds. ``at`` moves a server's own clock along simulated time before
    each request, which are then made one by one; without it everything happens in the server's now."""

    def __init__(
        self,
        target: Target,
        world: PlayedWorld,
        clock: Callable[[], int],
        at: Callable[[int], None] | None = None,
        on_visit: Callable[[], None] = lambda: None,
        concurrency: int = CONCURRENCY,
    ) -> None:
        self._target = target
        self._world = world
        self._clock = clock
        self._at = at
        self._on_visit = on_visit
        self._issued: dict[int, IssuedTokens] = {}
        self._tokens: dict[Link, str] = {}
        self._running: dict[object, asyncio.Task[None]] = {}
        self._days: dict[str, str] = {}
        self._free = asyncio.Semaphore(concurrency)

    @abstractmethod
    async def _post(self, call: str, who: Person, body: dict[str, Any], expected: tuple[int, ...]) -> CollectAnswer:
        """Makes a collect call. Raises GrapevineError unless the answer's status is one of ``expected``."""

    @abstractmethod
    async def _follow(self, action: SimulatedClick) -> None:
        """Opens a short link."""

    async def play(self) -> None:
        """Plays everything. Raises GrapevineError for an unexpected response."""
        try:
            async with asyncio.TaskGroup() as group:
                for action in self._world.requests():
                    needed = await self._prepare(action)
                    await self._free.acquire()
                    task = group.create_task(self._make(action, needed))
                    self._running[_provides(action)] = task
                    if self._at is not None:
                        await task
        except BaseExceptionGroup as errors:
            first = _first(errors)
            if isinstance(first, HTTPError):
                raise GrapevineError(f"the server did not answer: {first!r}") from None
            if isinstance(first, GrapevineError):
                raise first from None
            raise
        for link, share in self._world.truth.shares.items():
            share.served = self._tokens.get(link)

    async def _prepare(self, action: SimulatedRequest) -> Sequence[asyncio.Task[None]]:
        """Waits for the responses with the tokens and the session that this request carries.

        Returns those of their tasks that the request has to wait for itself.
        """
        unfinished = self._unfinished(action)
        if unfinished:
            await asyncio.wait(unfinished)
        return ()

    def _unfinished(self, action: SimulatedRequest) -> list[asyncio.Task[None]]:
        """Returns the tasks that get what this request carries and have not ended."""
        running = [self._running.get(needed) for needed in _depends_on(action)]
        return [task for task in running if task is not None and not task.done()]

    def _begin(self, action: SimulatedRequest) -> None:
        """Sets the server's clock, if there is one to set; nothing is awaited between this and the request."""
        if self._at is not None:
            self._at(action.at)

    async def _make(self, action: SimulatedRequest, needed: Sequence[asyncio.Task[None]]) -> None:
        try:
            if needed:
                await asyncio.wait(needed)
            self._begin(action)
            if isinstance(action, SimulatedVisit):
                await self._arrive(action)
            elif isinstance(action, SimulatedView):
                await self._read(action)
            elif isinstance(action, SimulatedShare):
                await self._report(action)
            elif isinstance(action, SimulatedConversion):
                await self._convert(action)
            elif isinstance(action, SimulatedAnswer):
                await self._answer(action)
            else:
                await self._follow(action)
        finally:
            self._free.release()
            if self._running.get(_provides(action)) is asyncio.current_task():
                del self._running[_provides(action)]

    async def _arrive(self, action: SimulatedVisit) -> None:
        body: dict[str, Any] = {
            "url": self._url(action.path, action.query),
            "nonce": action.nonce,
            "day": self._days.setdefault(action.nonce, ids.day_date(ids.day_at(self._clock())).isoformat()),
            "referrer": action.referrer,
            "title": action.title,
            "channels": _CHANNELS,
            "build": __version__,
        }
        if action.link is not None:
            token = self._tokens[action.link]
            body["token"] = token if action.damage is None else damaged(token, action.damage)
            body["own"] = action.own
        answer, dropped = await self._post("visits", action.who, body, (200, 202))
        visit = self._world.truth.visits[action.visit]
        if visit.served is not None:
            return  # the same request again
        tokens = answer["tokens"]
        visit.served = ServerResult(answer["visit"], tokens.get(_CHANNELS[0]), ids.day_at(self._clock()), dropped)
        for channel, token in tokens.items():
            self._tokens[Link(action.visit, channel, 0)] = token
        self._issued[action.visit] = IssuedTokens(answer["session"], tokens)
        if visit.human:
            self._on_visit()

    async def _read(self, action: SimulatedView) -> None:
        session = self._issued[action.visit].session
        body = {"session": session, "url": self._url(action.path), "title": action.title, "nonce": action.nonce}
        await self._post("views", action.who, body, (200,))

    async def _report(self, action: SimulatedShare) -> None:
        body = {
            "session": self._issued[action.link.visit].session,
            "token": self._tokens[action.link],
            "url": self._url(action.path),
            "title": action.title,
        }
        answer = await self._post("shares", action.who, body, (200,))
        link = action.link
        self._tokens.setdefault(link._replace(n=next_n(link.n)), answer.body["next"])

    async def _convert(self, action: SimulatedConversion) -> None:
        body = {"session": self._issued[action.visit].session, "goal": action.goal, "nonce": action.nonce}
        if action.value is not None:
            body |= {"value": action.value, "currency": action.currency or ""}
        await self._post("conversions", action.who, body, (200,))

    async def _answer(self, action: SimulatedAnswer) -> None:
        body = {"session": self._issued[action.visit].session, "text": action.text, "nonce": action.nonce}
        await self._post("answers", action.who, body, (200,))

    def _url(self, path: str, query: str = "") -> str:
        return f"{self._target.origin}{path}{'?' if query else ''}{query}"


class Player(WorldPlayer):
    """Plays a world over HTTP; see ``WorldPlayer``."""

    def __init__(
        self,
        client: AsyncClient,
        target: Target,
        world: PlayedWorld,
        clock: Callable[[], int],
        at: Callable[[int], None] | None = None,
        on_visit: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(target, world, clock, at, on_visit)
        self._client = client

    async def _follow(self, action: SimulatedClick) -> None:
        headers = {"User-Agent": action.who.agent.text, **self._address(action.who)}
        response = await self._client.get(f"/s/{self._tokens[action.link]}", headers=headers)
        _expect(response, (302,))

    async def _post(self, call: str, who: Person, body: dict[str, Any], expected: tuple[int, ...]) -> CollectAnswer:
        headers = {
            "Content-Type": "text/plain;charset=UTF-8",
            "Origin": self._target.origin,
            "Referer": f"{self._target.origin}/",
            "User-Agent": who.agent.text,
            "Accept-Language": who.language,
            **self._address(who),
        }
        if who.opted_out:
            headers["Sec-GPC"] = "1"
        response = await self._client.post(f"/v1/{call}", json={"site": self._target.site, **body}, headers=headers)
        _expect(response, expected)
        return CollectAnswer(response.json(), response.headers.get("Grapevine-Dropped"))

    def _address(self, who: Person) -> dict[str, str]:
        return {"X-Forwarded-For": who.address} if self._world.truth.play.parameters.addresses else {}


def damaged(token: str, index: int) -> str:
    """Returns the token with another character at that index."""
    other = ids.ALPHABET[(ids.ALPHABET.index(token[index]) + 1) % len(ids.ALPHABET)]
    return token[:index] + other + token[index + 1 :]


def _provides(action: SimulatedRequest) -> object:
    """Returns the key of the response's values: a visit's session and tokens, or a channel's next token."""
    if isinstance(action, SimulatedVisit):
        return action.visit
    if isinstance(action, SimulatedShare):
        return action.link
    return action


def _depends_on(action: SimulatedRequest) -> tuple[object, ...]:
    """Returns the keys of the request's values (see ``_provides``). A repeat waits for the first response."""
    if isinstance(action, SimulatedVisit):
        return (action.visit,) if action.link is None else (action.visit, *_of(action.link))
    if isinstance(action, SimulatedView | SimulatedConversion | SimulatedAnswer):
        return (action.visit,)
    return _of(action.link)


def _of(link: Link) -> tuple[object, ...]:
    return (link.visit, link._replace(n=link.n - 1), link)


def _expect(response: Response, expected: tuple[int, ...]) -> None:
    if response.status_code in expected:
        return
    hint = ""
    if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
        hint = " (start the server with GRAPEVINE_TRUSTED_PROXIES=127.0.0.1 or GRAPEVINE_RATE_LIMIT=0)"
    asked = f"{response.request.method} {response.request.url.path}"
    raise GrapevineError(f"{asked} was answered {_said(response)}{hint}")


def _said(response: Response) -> str:
    return f"{response.status_code}: {response.text[:300]}"


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    found = errors.exceptions[0]
    return _first(found) if isinstance(found, BaseExceptionGroup) else found
