"""Recorded traffic: calls to the collect API and to short links, written by a seeded author that reads the responses.

A step holds the calls of one moment, by different people and without waiting for each other. The author needs the
answers, since they hold the tokens that later calls bring back; a replay only compares them.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import httpx

from grapevine.domain import ids
from grapevine.domain.periods import rfc3339
from grapevine.store.rows import SiteRow
from tests.support.user_agents import CHROME

_IPHONE: Final = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
_ANDROID: Final = "Mozilla/5.0 (Linux; Android 14; Pixel 8; wv) AppleWebKit/537.36 (KHTML, like Gecko)"
AGENTS: Final = (
    CHROME,
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1",
    "Mozilla/5.0 (iPad; CPU OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Safari/604.1",
    f"{_IPHONE} Version/18.0 Mobile/15E148 Safari/604.1",
    f"{_IPHONE} Mobile/15E148 Instagram 320.0.0",
    f"{_ANDROID} Chrome/116 Mobile Safari/537.36;KAKAOTALK 2410260",
    f"{_ANDROID} Version/4.0 Chrome/124.0.0.0 Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/460.0.0.0;]",
    f"{_ANDROID} Chrome/120.0.0.0 Mobile Safari/537.36 Line/14.0.0",
    "an agent that nobody knows",
)
ROBOTS: Final = ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "curl/8.0", "")
PREVIEWERS: Final = (
    "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "WhatsApp/2.23.20.0 A",
    "Twitterbot/1.0",
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "TelegramBot (like TwitterBot)",
    "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
)
REFERRERS: Final = (
    "https://www.google.com/", "https://t.co/x", "https://www.facebook.com/", "https://news.example/story",
    "https://mail.google.com/", "android-app://com.slack/", "https://a.example/other", "nonsense",
)  # fmt: skip
CHANNELS: Final = ("copy", "address", "native", "email", "whatsapp", "slack", "qr", "x", "linkedin", "reddit")
PATHS: Final = (
    "/", "/deep/page", "/Deep/Page", "/été", "/a-b", "/a_b", "/aa", "/?id=1", "/?id=2&utm_source=letter", "/news/2026",
    "/b.html#part", "/Z", "/z",
)  # fmt: skip
TITLES: Final = (None, "A title", "Ein Titel", "題名", " ")
WORDS: Final = ("a friend", "  Ein Freund  ", "友達 🍇", "two\nlines", "'; DROP TABLE answers; --", " ", "x" * 501)
_MINUTE: Final = 60_000


class RecordedCall(NamedTuple):
    """One request as sent, and its client address."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    address: str
    body: bytes


class Step(NamedTuple):
    """Calls at one moment, in UTC milliseconds."""

    at: int
    calls: tuple[RecordedCall, ...]


class RecordedAnswer(NamedTuple):
    """One response as received."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @classmethod
    def of(cls, response: httpx.Response) -> RecordedAnswer:
        return cls(response.status_code, tuple(response.headers.multi_items()), response.content)

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Play = Callable[[Step], Awaitable[list[RecordedAnswer]]]


async def play(app: Any, step: Step) -> list[RecordedAnswer]:
    """The answers of an ASGI application to the calls of a step, which all begin before the first has ended."""

    async def one(call: RecordedCall) -> RecordedAnswer:
        transport = httpx.ASGITransport(app, client=(call.address, 50_000))
        url = f"http://grapevine.example{call.path}"
        request = httpx.Request(call.method, url, headers=call.headers, content=call.body)
        response = await transport.handle_async_request(request)
        await response.aread()
        return RecordedAnswer.of(response)

    return await asyncio.gather(*(one(call) for call in step.calls))


class Person(NamedTuple):
    """One person's browser."""

    address: str
    agent: str
    language: str
    signal: str | None

    def call(self, path: str, fields: dict[str, Any] | bytes, origin: str | None) -> RecordedCall:
        """A POST of theirs from a page of ``origin``."""
        body = fields if isinstance(fields, bytes) else json.dumps(fields, ensure_ascii=False).encode()
        headers = [("User-Agent", self.agent), ("Accept-Language", self.language), ("Content-Type", "text/plain")]
        if origin is not None:
            headers.append(("Origin", origin))
        if self.signal:
            headers.append((self.signal, "1"))
        return RecordedCall("POST", path, (*headers, ("Content-Length", str(len(body)))), self.address, body)

    def get(self, path: str) -> RecordedCall:
        """Returns a GET request of this person."""
        return RecordedCall("GET", path, (("User-Agent", self.agent),), self.address, b"")


class Author:
    """Writes traffic for ``sites`` from the time ``at`` on; keeps the steps, their answers, and what was handed out."""

    def __init__(self, play_step: Play, sites: Sequence[SiteRow], at: int, seed: int) -> None:
        self.record: list[tuple[Step, list[RecordedAnswer]]] = []
        self.tokens: dict[str, list[str]] = {site.key: [] for site in sites}
        self.sessions: dict[str, list[str]] = {site.key: [] for site in sites}
        self._session_of: dict[str, str] = {}
        self.visits: dict[str, list[str]] = {site.key: [] for site in sites}
        self.at = at
        self._play = play_step
        self._sites = sites
        self._chance = random.Random(seed)  # noqa: S311
        self._sent: list[RecordedCall] = []
        self._nonces = 0
        self._forged = [
            "", "abc", "z" * 23, "0" * 23, "-" * 23, ids.token_text((2 << 134) | 1), ids.token_text((1 << 134) | 99),
        ]  # fmt: skip

    @property
    def calls(self) -> int:
        """The number of calls."""
        return sum(len(step.calls) for step, _ in self.record)

    async def write(self, steps: int, until: int, unknown: Sequence[str] = ()) -> None:
        """So many steps, spread over the time until ``until``; ``unknown`` are tokens of visits that are not there."""
        self._forged += unknown
        pause = (until - self.at) // steps
        deeds = {
            self._visit: 34, self._return: 28, self._own_return: 5, self._neighbour: 5, self._view: 12, self._share: 20,
            self._rush: 4, self._again: 10, self._bad_token: 6, self._opted_out: 5, self._robot: 3, self._follow: 10,
            self._preview: 8, self._wrong: 7, self._hammer: 1,
        }  # fmt: skip
        for _ in range(steps):
            self.at += self._chance.randrange(2 * pause)
            (deed,) = self._chance.choices(list(deeds), list(deeds.values()))
            await deed(self._sites[min(self._chance.randrange(4), len(self._sites) - 1)])

    async def answer(self, times: int, chance: random.Random) -> None:
        """Answers to "how did you hear about us?": with a visit or without one, some of them sent twice.

        The last one is stored, and takes along the drops that were counted before.
        """
        for number in range(times):
            site = chance.choice(self._sites)
            fields: dict[str, Any] = {"site": site.key, "text": chance.choice(WORDS)}
            fields["nonce"] = f"answer-{chance.randrange(2 * times):09}"
            if chance.random() < 0.7:
                fields["session"] = chance.choice(self.sessions[site.key])
            if chance.random() < 0.3:
                fields["contact"] = "somebody@example.org"
            person = Person("192.0.2.250", CHROME, "en", chance.choice(("Sec-GPC", None, None, None)))
            if number == times - 1:
                fields = {"site": site.key, "text": "the last one", "nonce": f"answer-at-{self.at:013}"}
                person = person._replace(signal=None)
            self.at += _MINUTE
            step = Step(self.at, (person.call("/v1/answers", fields, site.origins[0]),))
            self.record.append((step, await self._play(step)))

    async def convert(self, times: int, chance: random.Random, keys: Mapping[str, str]) -> None:
        """So often a page or a shop says that a visit reached a goal; ``keys`` are the shops' API keys by site.

        Some say it twice, some say what cannot be, some speak for a visit that is not theirs.
        """
        for _ in range(times):
            site = chance.choice(self._sites)
            fields: dict[str, Any] = {"site": site.key, "goal": chance.choice(("order", "sign-up", "order", ""))}
            if chance.random() < 0.7:
                value: object = chance.choice((5, "49.00", "-0.000001", "1e3", 12_345.5))
                fields |= {"value": value, "currency": chance.choice(("EUR", "USD", "jpy", "EUR"))}
            person = Person("192.0.2.251", chance.choice((CHROME, CHROME, ROBOTS[0])), "en", None)
            if chance.random() < 0.6:
                fields["nonce"] = f"reached-{chance.randrange(times):09}"
                fields["session"] = chance.choice((*self.sessions[site.key][-9:], *self.tokens[site.key][-1:]))
                if chance.random() < 0.5:
                    fields["id"] = f"order-{chance.randrange(times)}"  # an order that a shop may report, too
                call = person.call("/v1/conversions", fields, chance.choice(site.origins))
            else:
                fields["id"] = f"order-{chance.randrange(times)}"
                named = chance.choice((("visit", self.visits), ("token", self.tokens), ("token", self.sessions)))
                fields[named[0]] = chance.choice((*named[1][site.key][-99:], "x"))
                if chance.random() < 0.3:
                    fields["at"] = rfc3339(self.at - chance.randrange(ids.DAY_MS))
                key = chance.choice((keys[site.key], keys[site.key], "nobody"))
                call = person.call("/v1/conversions", fields, None)
                call = call._replace(headers=(*call.headers, ("Authorization", f"Bearer {key}")))
            self.at += _MINUTE
            step = Step(self.at, (call,))
            self.record.append((step, await self._play(step)))

    async def _send(self, *calls: RecordedCall) -> list[RecordedAnswer]:
        step = Step(self.at, calls)
        answers = await self._play(step)
        self.record.append((step, answers))
        self._sent += calls
        return answers

    def _person(self, number: int | None = None) -> Person:
        chance = self._chance
        number = chance.randrange(60) if number is None else number
        address = f"192.0.2.{number}" if number % 5 else f"2001:db8:0:{number:x}::{chance.randrange(1, 99):x}"
        return Person(address, AGENTS[number % len(AGENTS)], ("en", "de", "")[number % 3], None)

    def _nonce(self) -> str:
        self._nonces += 1
        return f"nonce-{self._chance.getrandbits(40):010x}-{self._nonces:06}"

    def _page(self, site: SiteRow) -> str:
        return self._chance.choice(site.origins) + self._chance.choice(PATHS)

    def _token(self, site: SiteRow) -> str | None:
        """A token of the site; one handed out lately more likely than an old one."""
        tokens, chance = self.tokens[site.key], self._chance
        if not tokens:
            return None
        return chance.choice(tokens[-30:] if chance.random() < 0.7 else tokens)

    def _arrival(self, site: SiteRow, person: Person, **fields: Any) -> RecordedCall:
        chance = self._chance
        body: dict[str, Any] = {"site": site.key, "url": self._page(site), "nonce": self._nonce()}
        body["channels"] = chance.sample(CHANNELS, chance.randrange(1, 5))
        if chance.random() < 0.3:
            body["referrer"] = chance.choice(REFERRERS)
        if chance.random() < 0.5:
            body["title"] = chance.choice(TITLES)
        if chance.random() < 0.3:
            body["day"] = ids.day_date(ids.day_at(self.at) + chance.randrange(-2, 3)).isoformat()
        return person.call("/v1/visits", body | fields, chance.choice(site.origins))

    async def _arrive(self, site: SiteRow, *calls: RecordedCall) -> None:
        for answer in await self._send(*calls):
            if answer.status == 200:
                found = answer.json
                self.visits[site.key].append(found["visit"])
                self.sessions[site.key].append(found["session"])
                self.tokens[site.key] += found["tokens"].values()
                self._session_of |= dict.fromkeys(found["tokens"].values(), found["session"])

    async def _visit(self, site: SiteRow) -> None:
        await self._arrive(site, self._arrival(site, self._person(), build="0.1.0"))

    async def _return(self, site: SiteRow) -> None:
        await self._arrive(site, self._arrival(site, self._person(), token=self._token(site)))

    async def _own_return(self, site: SiteRow) -> None:
        await self._arrive(site, self._arrival(site, self._person(), token=self._token(site), own=True))

    async def _neighbour(self, site: SiteRow) -> None:
        """The sharer and the visitor have the same network, browser and language."""
        person = self._person()
        await self._arrive(site, self._arrival(site, person))
        self.at += self._chance.randrange(3 * _MINUTE)
        if self.tokens[site.key]:
            await self._arrive(site, self._arrival(site, person, token=self.tokens[site.key][-1]))

    async def _rush(self, site: SiteRow) -> None:
        """Many at one moment, each a different person, half of them through one link.

        A page keeps the last title that is stored, and calls of one moment have no order: all have one title or none.
        """
        token, title = self._token(site), self._chance.choice(TITLES)
        people, calls = self._chance.sample(range(60), self._chance.randrange(5, 15)), []
        for index, number in enumerate(people):
            fields = {"token": token} if index % 2 else {}
            calls.append(self._arrival(site, self._person(number), title=self._chance.choice((None, title)), **fields))
        await self._arrive(site, *calls)

    async def _view(self, site: SiteRow) -> None:
        if self.sessions[site.key]:
            fields: dict[str, Any] = {"session": self._chance.choice(self.sessions[site.key][-20:])}
            await self._post(site, "views", fields | {"nonce": self._nonce(), "title": self._chance.choice(TITLES)})

    async def _share(self, site: SiteRow) -> None:
        """One or more acts of sharing on one channel, each with the token that the one before brought."""
        token = self._token(site)
        for _ in range(self._chance.choice((1, 1, 2, 3, 9))):
            if token is None:
                return
            session = self._session_of.get(token)
            said = self._chance.random()
            fields = {"token": token, "session": session} if session and said < 0.8 else {"token": token}
            if said > 0.95 and self.sessions[site.key]:
                fields["session"] = self._chance.choice(self.sessions[site.key])  # most likely of another visit
            (answer,) = await self._post(site, "shares", fields)
            token = answer.json["next"] if answer.status == 200 else None
            if token and session:
                self._session_of[token] = session
            if token and self._chance.random() < 0.8:
                self.tokens[site.key].append(token)

    async def _again(self, _: SiteRow) -> None:
        """What was sent before comes once more: at once, within the hour, or on another day; also out of order."""
        posts = [call for call in self._sent[-400:] if call.method == "POST"]
        if posts:
            late = self._chance.random() < 0.5
            await self._send(self._chance.choice(posts if late else posts[-5:]))

    async def _bad_token(self, site: SiteRow) -> None:
        chance = self._chance
        other = next(row for row in self._sites if row is not site)
        good = self._token(site) or "0" * 23
        bad = [*self._forged, good[:-1] + ("a" if good[-1] != "a" else "b"), good[:-1], good + "0", good.swapcase()]
        bad += [token for token in (self._token(other), *self.sessions[site.key][-3:]) if token]
        token = chance.choice(bad)
        if chance.random() < 0.6:
            await self._arrive(site, self._arrival(site, self._person(), token=token, own=chance.random() < 0.2))
        elif chance.random() < 0.5:
            await self._post(site, "shares", {"token": token})
        else:
            await self._post(site, "views", {"session": token, "nonce": self._nonce()})

    async def _opted_out(self, site: SiteRow) -> None:
        person = self._person()._replace(signal=self._chance.choice(("Sec-GPC", "DNT", None)))
        said = {} if person.signal else {"opted_out": True}
        call = self._arrival(site, person, token=self._token(site), **said)
        await self._send(*([call] if self._chance.random() < 0.7 else [call, call]))
        if self.sessions[site.key]:
            await self._post(site, "views", {"session": self.sessions[site.key][-1], "nonce": self._nonce()}, person)

    async def _robot(self, site: SiteRow) -> None:
        person = self._person()._replace(agent=self._chance.choice((*ROBOTS, *PREVIEWERS)))
        await self._send(self._arrival(site, person, token=self._token(site)))

    async def _follow(self, site: SiteRow) -> None:
        chance = self._chance
        token = chance.choice((self._token(site), self._token(site), *self._forged, *self.sessions[site.key][-2:]))
        if token:
            ending = "/qr.svg" if (draw := chance.random()) < 0.2 else ")." if draw < 0.3 else ""
            await self._send(self._person().get(f"/s/{token}{ending}"))

    async def _preview(self, site: SiteRow) -> None:
        """A link pasted in one app or in several: their robots come, some of them twice."""
        token = self._token(site)
        if token:
            for agent in self._chance.choices(PREVIEWERS, k=self._chance.randrange(1, 4)):
                await self._send(self._person()._replace(agent=agent).get(f"/s/{token}"))

    async def _wrong(self, site: SiteRow) -> None:
        """Makes calls that are refused."""
        chance, person = self._chance, self._person()
        usual = {"site": site.key, "url": self._page(site), "nonce": self._nonce()}
        origin = site.origins[0]
        await self._send(
            chance.choice(
                (
                    person.call("/v1/visits", usual, "https://foreign.example"),
                    person.call("/v1/visits", usual, None),
                    person.call("/v1/shares", usual | {"token": "x"}, "null"),
                    person.call("/v1/visits", usual | {"site": "nobody"}, origin),
                    person.call("/v1/visits", usual | {"url": "https://foreign.example/"}, origin),
                    person.call("/v1/visits", usual | {"channels": ["pigeon"], "nonce": "short"}, origin),
                    person.call("/v1/visits", usual | {"title": "a\0b"}, origin),
                    person.call("/v1/views", b'{"site":', origin),
                    person.call("/v1/visits", b'{"site":"' + b"x" * 9_000 + b'"}', origin),
                )
            )
        )

    async def _hammer(self, site: SiteRow) -> None:
        """One browser calls so often that it is refused."""
        person = self._person()
        for _ in range(12):
            await self._send(self._arrival(site, person))

    async def _post(
        self, site: SiteRow, call: str, fields: dict[str, Any], person: Person | None = None
    ) -> list[RecordedAnswer]:
        body = {"site": site.key, "url": self._page(site)} | fields
        sender = person or self._person()
        return await self._send(sender.call(f"/v1/{call}", body, self._chance.choice(site.origins)))
