"""What happens to one minted link, over real calls, and the numbers of it, counted from a list of everybody who came.

Everybody has an address of their own. Nothing here asks the server for a number.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

import httpx

from grapevine.domain.channels import CODES
from grapevine.domain.ids import visit_number
from tests.support.in_process_server import ORIGIN, Server
from tests.support.user_agents import CHROME
from tests.web.api.test_read_api import KeyClient

NAMES = {"label": "Spring letter", "external_id": "contact-1842", "campaign": "spring"}
PLACES = ("shop", "fair")
DRIVEN = CHROME.replace("Chrome", "HeadlessChrome")
PREVIEW = "WhatsApp/2.23.20.0"
PAGE = f"{ORIGIN}/offer"

Through = tuple[str, int]
"""Channel and number of a token of the link: the number is that of the place, 0 without one."""


@dataclass(eq=False)
class Came:
    """One visit. ``parent`` is None below the link itself; ``sharer`` is another visit where that stood aside."""

    visit: str
    session: str
    tokens: dict[str, str]
    address: str
    kind: Literal["return", "self", "suspect"]
    through: Through
    sharer: Came | None = None
    erased: bool = False
    shared: set[str] = field(default_factory=set)
    worth: list[tuple[str, Decimal]] = field(default_factory=list)

    @property
    def parent(self) -> Came | None:
        above = self.sharer
        while above is not None and above.kind != "return":
            above = above.sharer
        return above

    @property
    def depth(self) -> int:
        return 1 + (self.parent.depth if self.parent else 0)

    @property
    def alive(self) -> bool:
        """Whether it is a visit of the tree."""
        return self.kind == "return" and not self.erased

    @property
    def counts(self) -> bool:
        """Whether it counts as a visit of a person."""
        return self.kind != "suspect" and not self.erased

    @property
    def touches(self) -> list[Came]:
        """The returns on the way to it, the first one first."""
        above = [] if self.parent is None else self.parent.touches
        return [*above, self] if self.alive else above


class LinkStory:
    """A link, and what happened to it."""

    def __init__(self, server: Server, owner: KeyClient) -> None:
        self.server, self.owner = server, owner
        self.link: Any = None
        self.came: list[Came] = []
        self.plain: list[Came] = []
        self.clicks: Counter[Through] = Counter()
        self.previews = 0

    async def happen(self, clicks: int) -> None:
        """Lets so many people, robots and browsers follow the link, and what grows from that happen."""
        made = await self.owner.http.post(
            "/v1/links", json={"url": PAGE, "channel": "email", "places": PLACES, **NAMES}
        )
        assert made.status_code == 201, made.text
        self.link = made.json()
        for number in range(clicks):
            await self._follow(number)
        first = [one for one in self.came if one.kind == "return"]
        second = [child for number, one in enumerate(first) for child in await self._pass_on(number, one)]
        for number, one in enumerate(second):
            await self._pass_on(3 * number, one)
        await self._set_aside(first)
        await self._convert()
        for one in (first[0], self.came[-1], next(one for one in second if one.worth)):
            answer = await self.owner.http.delete(f"/v1/visits/{one.visit}")
            assert answer.status_code == 204, answer.text
            one.erased = True
        await self._others()

    def token(self, through: Through) -> str:
        """A token of the link."""
        site = self.server.state.sites.known(self.server.site)
        node = visit_number(self.link["visit"])
        assert site is not None
        assert node is not None
        return site.tokens.mint_one(node, CODES[through[0]], through[1])

    async def _follow(self, number: int) -> None:
        """One of ten follows the link in each way, most of them by its own short link."""
        kind, client = number % 10, self._browser(number)
        short = f"/s/{self.token(('email', 0))}"
        through: Through = ("email", 0)
        if kind == 8:
            await self._follow_as_no_person(short, number // 10 % 4)
            return
        match kind:
            case 4:
                short, through = f"{short}?at=shop", ("email", 1)
            case 5:
                short, through = f"/s/{self.token(('qr', 0))}", ("qr", 0)
            case 6:
                short, through = f"/s/{self.token(('qr', 2))}", ("qr", 2)
        location = (await client.get(short)).headers["location"]
        self.clicks[through] += 1
        token = location.partition("#gv-")[2]
        assert token == self.token(through)
        if kind == 7:
            return
        await self._arrive(token, client, "self" if kind == 9 else "return", through)

    async def _follow_as_no_person(self, short: str, way: int) -> None:
        client = self.server.browser("198.51.100.7")
        if way == 0:
            client = self.server.browser("198.51.100.7", PREVIEW)
            self.previews = 1
        headers = {"Sec-Purpose": "prefetch"} if way == 1 else {"DNT": "1"} if way == 2 else {}
        answer = await client.request("HEAD" if way == 3 else "GET", short, headers=headers)
        assert answer.status_code == 302

    async def _pass_on(self, number: int, sharer: Came) -> list[Came]:
        """Some share, and of some of those shares somebody comes, or two."""
        if number % 3 == 1:
            await self._share(sharer, "whatsapp")
        if number % 3:
            return []
        await self._share(sharer, "copy")
        return [await self._come(sharer, "copy", "return") for _ in range(1 + (number % 6 == 0))]

    async def _set_aside(self, first: list[Came]) -> None:
        """Programs that open the link, people who open their own, and who comes through what these share."""
        suspect = await self._come(None, "email", "suspect")
        own = await self._come(first[1], "copy", "self")
        await self._share(own, "copy")
        for one in (suspect, own, next(one for one in self.came if one.kind == "self")):
            await self._come(one, "copy", "return")
        await self._come(first[2], "copy", "suspect")

    async def _convert(self) -> None:
        """Pages and the shop's server report goals, in two currencies."""
        for number, one in enumerate(self.came):
            if number % 4 == 0 or one.kind == "suspect":
                await self._report(one, number, "EUR", "10.50", by_key=False)
            if number % 5 == 0:
                await self._report(one, number, "USD", "7.25", by_key=True)

    async def _others(self) -> None:
        """People who have nothing to do with the link."""
        for number in range(3):
            client = self.server.browser(f"203.0.113.{number}")
            self.plain.append(self._came(await self.server.visit(client), f"203.0.113.{number}", "return", ("", 0)))
        await self._share(self.plain[0], "copy")
        friend = self.server.browser("203.0.113.9")
        answer = await self.server.visit(friend, token=self.plain[0].tokens["copy"])
        self.plain.append(self._came(answer, "203.0.113.9", "return", ("copy", 0), self.plain[0]))
        await self._report(self.plain[3], 0, "EUR", "1.00", by_key=True)

    def _browser(self, number: int, agent: str = CHROME) -> httpx.AsyncClient:
        return self.server.browser(f"{11 + number % 180}.{number // 180}.7.1", agent)

    async def _come(self, sharer: Came | None, channel: str, kind: Literal["return", "self", "suspect"]) -> Came:
        token = self.token((channel, 0)) if sharer is None else sharer.tokens[channel]
        client = self._browser(5_000 + len(self.came), DRIVEN if kind == "suspect" else CHROME)
        return await self._arrive(token, client, kind, (channel, 0), sharer)

    async def _arrive(
        self,
        token: str,
        client: httpx.AsyncClient,
        kind: Literal["return", "self", "suspect"],
        through: Through,
        sharer: Came | None = None,
    ) -> Came:
        answer = await self.server.visit(client, token=token, url=PAGE, own=kind == "self")
        assert answer["returned"]["valid"] is True
        transport: Any = client._transport  # noqa: SLF001 - the address that it sends
        self.came.append(self._came(answer, transport.client[0], kind, through, sharer))
        return self.came[-1]

    def _came(
        self,
        answer: Any,
        address: str,
        kind: Literal["return", "self", "suspect"],
        through: Through,
        sharer: Came | None = None,
    ) -> Came:
        return Came(answer["visit"], answer["session"], answer["tokens"], address, kind, through, sharer)

    async def _share(self, sharer: Came, channel: str) -> None:
        answer = await self.server.share(sharer.tokens[channel], url=PAGE)
        assert answer.status_code == 200, answer.text
        sharer.shared.add(channel)

    async def _report(self, one: Came, number: int, currency: str, value: str, *, by_key: bool) -> None:
        fields = {"goal": "order", "value": value, "currency": currency, "id": f"{currency}-{one.visit}"}
        if by_key:
            answer = await self.owner.http.post("/v1/conversions", json=fields | {"visit": one.visit})
        else:
            fields |= {"site": self.server.site, "session": one.session, "nonce": f"converted-{number:09}"}
            answer = await self._browser(number).post("/v1/conversions", json=fields)
        assert answer.status_code == 200, answer.text
        one.worth.append((currency, Decimal(value)))

    # The count by hand ------------------------------------------------------------------------------------------------

    @property
    def visits(self) -> list[Came]:
        """The visits of the tree."""
        return [one for one in self.came if one.alive]

    @property
    def returns(self) -> list[Came]:
        """Those that came through a token of the link itself."""
        return [one for one in self.visits if one.sharer is None]

    @property
    def self_returns(self) -> list[Came]:
        return [one for one in self.came if one.kind == "self" and one.counts and one.sharer is None]

    def generations(self) -> list[dict[str, int]]:
        counted = Counter(one.depth for one in self.visits)
        return [{"depth": depth, "visits": visits} for depth, visits in sorted(counted.items())]

    def shares(self) -> set[tuple[str, str]]:
        """The shares of people's visits, reported or proven, as (visit, channel)."""
        reported = {(one.visit, channel) for one in self.came if one.counts for channel in one.shared}
        proven = {
            (one.sharer.visit, one.through[0]) for one in self.visits if one.sharer is not None and one.sharer.counts
        }
        return reported | proven

    def scans(self, place: int | None = None) -> int:
        return sum(number for (channel, n), number in self.clicks.items() if channel == "qr" and place in (None, n))

    def followed(self, place: int | None = None) -> int:
        """Clicks that are no scans."""
        return sum(number for (channel, n), number in self.clicks.items() if channel != "qr" and place in (None, n))

    def below(self, through: Through) -> Iterator[Came]:
        """The visits below one token of the link."""
        for one in self.visits:
            top = one
            while top.parent is not None:
                top = top.parent
            if top.alive and top.sharer is None and top.through == through:
                yield one


def worth(some: Iterable[Came]) -> tuple[int, dict[str, str]]:
    """The number of the conversions of visits, and their value as the API writes it."""
    sums: dict[str, Decimal] = {}
    conversions = [each for one in some if one.counts for each in one.worth]
    for currency, value in conversions:
        sums[currency] = sums.get(currency, Decimal(0)) + value
    return len(conversions), {currency: f"{value:.2f}" for currency, value in sorted(sums.items())}
