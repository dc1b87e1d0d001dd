"""Orders that a page and a shop's key report under the same number; remembers what the server acknowledged.

Of a *claimed* order the page's report is acknowledged before the key's is sent; of a *contested* one both are sent at
once. Page and key name different visits, so the key's report moves the conversion into another cell and cascade.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, closing
from typing import Any, Final

from grapevine.domain import ids
from grapevine.domain.enums import CONVERSION_REPORTERS
from grapevine.writer.nonces import GUARD_CONVERSION
from tests.support.raw_connection import ORIGIN, Connection, Cut, RawResponse, connected
from tests.support.server_process import PATIENCE_SECONDS, Installation

_SHOPS: Final = 8
_CLAIMED: Final = 5
_CONTESTED: Final = 2
_PAGE, _KEY = CONVERSION_REPORTERS["page"], CONVERSION_REPORTERS["key"]

StoredConversion = tuple[str, int, int, int]
"""A row: the order's number, its visit, who reported it, and its value in millionths."""


class Order:
    """One order number: the page's visit and session, the buyer's visit, and which reports were acknowledged."""

    def __init__(self, number: str, claimer: dict[str, Any], buyer: dict[str, Any]) -> None:
        self.number = number
        self.session: str = claimer["session"]
        self.buyer: str = buyer["visit"]
        self.is_claimed = False
        self.is_sold = False
        self.by_page = self._row(claimer["visit"], _PAGE, 0)
        self.by_key = self._row(buyer["visit"], _KEY, 49_000_000)

    def _row(self, visit: str, reporter: int, value: int) -> StoredConversion:
        return self.number, ids.visit_number(visit) or 0, reporter, value

    def may_be(self) -> list[list[StoredConversion]]:
        """Returns the sets of rows that the order may have after a crash."""
        if self.is_sold:
            return [[self.by_key]]
        return [[self.by_page], [self.by_key], *([] if self.is_claimed else [[]])]


class OrderLoad:
    """Reports orders of one site. ``cut`` is how many reports of a key had no response."""

    def __init__(self, installation: Installation) -> None:
        self.orders: list[Order] = []
        self.cut = 0
        self._site = installation.site
        self._key = {"authorization": f"Bearer {installation.key}"}
        self._database = installation.database
        self._nonces = 0
        self._steps = asyncio.Condition()
        self._sold = 0

    @property
    def not_sold(self) -> list[Order]:
        """The orders whose report by a key is not acknowledged."""
        return [order for order in self.orders if not order.is_sold]

    @asynccontextmanager
    async def selling(self, port: int) -> AsyncIterator[None]:
        """Claims new orders; while the block runs a key reports them, and pages claim the contested ones."""
        async with asyncio.timeout(PATIENCE_SECONDS), connected(port) as connection:
            shops = [
                (await self._claim(connection), await self._new_orders(connection, _CONTESTED)) for _ in range(_SHOPS)
            ]
            self._sold = 0
            async with asyncio.TaskGroup() as group:
                for claimed, contested in shops:
                    group.create_task(self._sell(port, [*contested, *claimed]))
                    group.create_task(self._claim_all(port, contested))
                yield

    async def sold(self, number: int) -> None:
        """Returns once so many reports of a key are acknowledged in this block."""
        async with self._steps:
            await self._steps.wait_for(lambda: self._sold >= number)

    async def report_again(self, port: int) -> None:
        """Reports by key what is not acknowledged; each report must be."""
        async with asyncio.timeout(PATIENCE_SECONDS), connected(port) as connection:
            for order in self.not_sold:
                await self._report_by_key(connection, order)

    async def claim_again(self, port: int) -> None:
        """Claims every order once more for its page; a key has reported each, so all are duplicates."""
        async with asyncio.timeout(PATIENCE_SECONDS), connected(port) as connection:
            for order in self.orders:
                answer = await self._report_by_page(connection, order)
                assert answer.headers["grapevine-dropped"] == "duplicate"

    def check(self) -> None:
        """Each order has one row or, where nothing was acknowledged, perhaps none; its guard says the same."""
        with closing(sqlite3.connect(self._database)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            query = "SELECT external_id, visit_id, reported_by, value FROM conversions"
            stored: dict[str, list[StoredConversion]] = {order.number: [] for order in self.orders}
            for row in connection.execute(query):
                stored[row[0]].append(row)
            query = "SELECT event_key, visit_id, reported_by FROM conversions ORDER BY 1, 2"
            rows = connection.execute(query).fetchall()
            query = "SELECT guard_key, visit_id, reported_by FROM guards WHERE kind = ? ORDER BY 1, 2"
            assert connection.execute(query, (GUARD_CONVERSION,)).fetchall() == rows
        for order in self.orders:
            assert stored[order.number] in order.may_be(), (stored[order.number], order.may_be())

    async def _claim(self, connection: Connection) -> list[Order]:
        orders = await self._new_orders(connection, _CLAIMED)
        for order in orders:
            await self._report_by_page(connection, order)
        return orders

    async def _new_orders(self, connection: Connection, number: int) -> list[Order]:
        """Orders of two new visits, each of which came through another person's share."""
        claimer, buyer = [await self._referred(connection) for _ in range(2)]
        orders = [Order(f"{len(self.orders) + index}", claimer, buyer) for index in range(number)]
        self.orders += orders
        return orders

    async def _referred(self, connection: Connection) -> dict[str, Any]:
        sharer = await self._visit(connection, "en")
        return await self._visit(connection, "de", token=sharer["tokens"]["copy"])

    async def _visit(self, connection: Connection, language: str, **fields: str) -> dict[str, Any]:
        self._nonces += 1
        usual = {"site": self._site, "url": f"{ORIGIN}/", "nonce": f"orders-{self._nonces:09}", "channels": ["copy"]}
        answer = await connection.ask("POST", "/v1/visits", usual | fields, **{"accept-language": language})
        assert answer.status == 200, answer
        found: dict[str, Any] = answer.json()
        return found

    async def _sell(self, port: int, orders: Iterable[Order]) -> None:
        """Reports orders by key, one after the other, until the server is gone."""
        try:
            async with connected(port) as connection:
                for order in orders:
                    await self._report_by_key(connection, order)
        except Cut:
            self.cut += 1

    async def _claim_all(self, port: int, orders: Iterable[Order]) -> None:
        try:
            async with connected(port) as connection:
                for order in orders:
                    await self._report_by_page(connection, order)
        except Cut:
            return

    async def _report_by_key(self, connection: Connection, order: Order) -> None:
        fields = {"visit": order.buyer, "goal": "order", "id": order.number, "value": "49.00", "currency": "EUR"}
        answer = await connection.ask("POST", "/v1/conversions", fields, **self._key)
        assert answer.status == 200, answer
        order.is_sold = True
        async with self._steps:
            self._sold += 1
            self._steps.notify_all()

    async def _report_by_page(self, connection: Connection, order: Order) -> RawResponse:
        fields = {"site": self._site, "session": order.session, "nonce": f"claim-{order.number:>020}"}
        fields |= {"goal": "order", "id": order.number, "value": "0", "currency": "EUR"}
        answer = await connection.ask("POST", "/v1/conversions", fields)
        assert answer.status == 200, answer
        order.is_claimed = True
        return answer
