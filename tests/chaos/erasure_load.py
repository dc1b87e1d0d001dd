"""Visitors whose visits can be told apart in every byte that is stored, and who have them erased."""

from __future__ import annotations

import random
from typing import Any, Final, NamedTuple

from grapevine.domain import ids
from tests.support.raw_connection import ORIGIN, Connection
from tests.support.server_process import Installation

_BELOW: Final = 12
"""A visit comes through one of so many visits before it, so trees grow deep."""


class Visitor(NamedTuple):
    """A visit: its id, its session, the token of its share, and the text that stands in all that it sent."""

    visit: str
    session: str
    token: str
    mark: str

    @property
    def visit_id(self) -> int:
        return ids.visit_number(self.visit) or 0


class ErasureLoad:
    """Grows trees of visits that do all that a visit can do."""

    def __init__(self, installation: Installation, seed: int) -> None:
        self.visitors: list[Visitor] = []
        self._installation = installation
        self._chance = random.Random(seed)  # noqa: S311
        self._drawn = 0

    async def visit(self, connection: Connection) -> Visitor:
        """One more visit, through the share of an earlier one as a rule."""
        self._drawn += 1
        mark, chance = f"mark{self._drawn:06}x", self._chance
        url, agent = f"{ORIGIN}/{mark}/page", f"Mozilla/5.0 (X11; Linux x86_64) {mark}"
        fields: dict[str, Any] = {"url": url, "title": f"The {mark}", "channels": ["copy"], "nonce": f"nonce-{mark}-0"}
        if self.visitors and chance.random() < 0.9:
            fields["token"] = chance.choice(self.visitors[-_BELOW:]).token
        answer = await self._post(connection, "visits", agent, **fields)
        found = Visitor(answer["visit"], answer["session"], answer["tokens"]["copy"], mark)
        session = {"session": found.session}
        if chance.random() < 0.5:
            await self._post(connection, "views", agent, **session, url=url, nonce=f"nonce-{mark}-1")
        if chance.random() < 0.7:
            await self._post(connection, "shares", agent, **session, token=found.token, url=f"{url}/shared")
        if chance.random() < 0.4:
            goal = {"goal": "order", "id": f"order-{mark}", "nonce": f"nonce-{mark}-2"}
            await self._post(connection, "conversions", agent, **session, **goal)
        if chance.random() < 0.4:
            said = {"text": f"told by {mark}", "contact": mark, "nonce": f"nonce-{mark}-3"}
            await self._post(connection, "answers", agent, **session, **said)
        self.visitors.append(found)
        return found

    async def forget(self, connection: Connection, visitor: Visitor) -> None:
        """Erases a visit; that must succeed, however often."""
        await self._post(connection, "forget", "Mozilla/5.0", session=visitor.session)

    async def stored(self) -> dict[int, bool]:
        """Whether each stored visit is erased, by its id. Fails where one is erased in part."""
        rows = self._installation.rows
        flags = {visit_id: flag > 0 for visit_id, flag in await rows("SELECT visit_id, flags & 4 FROM visits")}
        empty = "page_id = 0 AND visitor IS NULL AND network IS NULL AND channel IS NULL AND next_view = 1"
        for visit_id, kept in await rows(f"SELECT visit_id, NOT ({empty}) FROM visits"):
            assert flags[visit_id] != bool(kept), visit_id
        for table in ("shares", "unfurls", "conversions", "answers", "later_views"):
            for (visit_id,) in await rows(f"SELECT visit_id FROM {table}"):
                assert not flags[visit_id], (table, visit_id)
        parents = {row[0] for row in await rows("SELECT parent_id FROM visits WHERE parent_id IS NOT NULL")}
        assert parents <= flags.keys()  # trees are connected
        return flags

    async def visitor_hashes(self) -> list[bytes]:
        """Returns the hashes of all stored visitors as SQLite writes them: six bytes with a sign."""
        found = await self._installation.rows("SELECT visitor FROM visits WHERE visitor IS NOT NULL")
        return [int(number).to_bytes(6, "big", signed=True) for (number,) in found]

    async def _post(self, connection: Connection, call: str, agent: str, **fields: Any) -> dict[str, Any]:
        body = {"site": self._installation.site, **fields}
        answer = await connection.ask("POST", f"/v1/{call}", body, **{"user-agent": agent})
        assert answer.status == 200, (call, answer)
        found: dict[str, Any] = answer.json()
        return found
