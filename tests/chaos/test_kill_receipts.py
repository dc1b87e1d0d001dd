"""``kill -9`` while receipts are asked for and orders paid back: what was handed out stays, none is doubled, and an
acknowledged refund has revoked.

Two kills in the usual run; 50 more are marked slow.
"""

from __future__ import annotations

import asyncio
import random
from itertools import count
from typing import Any, Final

import pytest

from tests.support.raw_connection import ORIGIN, Connection, Cut, connected
from tests.support.server_process import PATIENCE_SECONDS, Installation, PostgresInstallation

pytestmark = pytest.mark.anyio

_ORDERS: Final = 12
_ASKERS: Final = 3
_LONGEST_DELAY_SECONDS: Final = 0.02


class ReceiptLoad:
    """Sells, asks for receipts and pays back. ``good`` is the receipt of each order that was handed out and not revoked
    by an acknowledged refund; ``gone`` those that were; ``unsure`` orders whose refund may be stored or not."""

    def __init__(self, installation: Installation) -> None:
        self.good: dict[str, str] = {}
        self.gone: set[str] = set()
        self.unsure: set[str] = set()
        self.cut = 0
        self.asked = asyncio.Event()
        self._site = installation.site
        self._key = {"authorization": f"Bearer {installation.key}"}
        self._numbers = count(1)

    async def sell(self, port: int) -> list[str]:
        """Sells some orders in visits that came through a share."""
        orders = []
        async with asyncio.timeout(PATIENCE_SECONDS), connected(port) as connection:
            for _ in range(_ORDERS):
                first = await self._visit(connection)
                visit = await self._visit(connection, token=first["tokens"]["copy"])
                order = f"O-{next(self._numbers)}"
                sold = {"goal": "order", "id": order, "visit": visit["visit"], "value": "49.00", "currency": "EUR"}
                assert (await connection.ask("POST", "/v1/conversions", sold, **self._key)).status == 200
                orders.append(order)
        return orders

    async def ask_and_refund(self, port: int, orders: list[str]) -> None:
        """Several ask for the receipts of the same orders, and one pays each order back in part, until the server is
        gone."""
        self.asked.clear()
        async with asyncio.TaskGroup() as group:
            for _ in range(_ASKERS):
                group.create_task(self._ask_all(port, orders))
            group.create_task(self._refund_all(port, orders))

    async def check(self, port: int) -> None:
        """What was handed out is still given out, or revoked."""
        async with asyncio.timeout(PATIENCE_SECONDS), connected(port) as connection:
            for order, document in self.good.items():
                answer = await self._receipt(connection, order)
                if order in self.unsure and answer["document"] != document:
                    assert [each["says"]["reason"] for each in answer["revoked"]] == ["refund"]
                else:
                    assert answer["document"] == document, order
            for name in self.gone:
                found = await connection.ask("GET", f"/v1/receipt-status/{name}?site={self._site}")
                assert found.json()["state"] == "revoked"

    async def _visit(self, connection: Connection, **fields: str) -> dict[str, Any]:
        nonce = f"receipts-{next(self._numbers):09}"
        body = {"site": self._site, "url": f"{ORIGIN}/", "nonce": nonce, "channels": ["copy"]} | fields
        answer = await connection.ask("POST", "/v1/visits", body, **{"accept-language": nonce[-2:]})
        assert answer.status == 200, answer
        found: dict[str, Any] = answer.json()
        return found

    async def _receipt(self, connection: Connection, order: str) -> dict[str, Any]:
        answer = await connection.ask("GET", f"/v1/receipts?goal=order&id={order}", **self._key)
        assert answer.status == 200, answer
        found: dict[str, Any] = answer.json()
        return found

    async def _ask_all(self, port: int, orders: list[str]) -> None:
        try:
            async with connected(port) as connection:
                for order in orders:
                    answer = await self._receipt(connection, order)
                    self.asked.set()
                    if order not in self.unsure:  # no refund was sent before or meanwhile
                        assert self.good.setdefault(order, answer["document"]) == answer["document"]
        except Cut:
            self.cut += 1

    async def _refund_all(self, port: int, orders: list[str]) -> None:
        try:
            async with connected(port) as connection:
                for order in orders:
                    if order not in self.good:
                        await self._receipt(connection, order)
                    before = (await self._receipt(connection, order))["says"]["receipt"]
                    self.unsure.add(order)
                    body = {
                        "goal": "order",
                        "refund_of": order,
                        "id": f"R-{order}",
                        "value": "-9.00",
                        "currency": "EUR",
                    }
                    answer = await connection.ask("POST", "/v1/conversions", body, **self._key)
                    assert answer.status == 200, answer
                    self.gone.add(before)
        except Cut:
            self.cut += 1


@pytest.mark.parametrize("kills", [2, pytest.param(50, marks=pytest.mark.slow)])
async def test_killed_while_receipts_are_made_and_revoked(installation: Installation, kills: int) -> None:
    await _killed_again_and_again(installation, kills)


@pytest.mark.slow
async def test_killed_while_receipts_are_made_on_postgres(postgres_installation: PostgresInstallation) -> None:
    await _killed_again_and_again(postgres_installation, 50)


async def _killed_again_and_again(installation: Installation, kills: int) -> None:
    load, moments = ReceiptLoad(installation), random.Random(kills)  # noqa: S311
    for _ in range(kills):
        with installation.serving() as server:
            await load.check(server.port)
            orders = await load.sell(server.port)
            asking = asyncio.create_task(load.ask_and_refund(server.port, orders))
            async with asyncio.timeout(PATIENCE_SECONDS):
                await load.asked.wait()
            await asyncio.sleep(moments.uniform(0, _LONGEST_DELAY_SECONDS))
            server.kill()
            await asking
        query = "SELECT count(*) FROM receipts WHERE revoked_at IS NULL GROUP BY site_id, visit_id, event_key"
        assert {number for (number,) in await installation.rows(query)} <= {1}
        named = "SELECT count(*) FROM receipts WHERE kid NOT IN (SELECT kid FROM receipt_keys)"
        assert await installation.rows(named) == [(0,)]
    assert load.cut >= kills
    with installation.serving() as server:
        await load.check(server.port)
        assert server.end().status == 0
    checked = installation.run("doctor")
    assert checked.status == 0, checked
