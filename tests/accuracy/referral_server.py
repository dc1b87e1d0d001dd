"""Plays a simulated referral programme against the real server: minted links, visits, conversions by key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from grapevine.domain import ids
from grapevine.domain.money import decimal
from grapevine.domain.periods import rfc3339
from grapevine.referrals.answers import Payouts
from tests.accuracy.referral_worlds import DAYS, START, Arrived, Bought, Referrer, by_time
from tests.support.in_process_server import ORIGIN, Server
from tests.support.user_agents import CHROME

PERIOD: Final = {"from": ids.day_date(ids.day_at(START)).isoformat(),
                 "to": ids.day_date(ids.day_at(START) + 2 * DAYS).isoformat()}  # fmt: skip


async def play(server: Server, world: Sequence[Referrer], key: str) -> None:
    """Plays a world in the order of its visits; conversions are reported with the key when all have come."""
    server.clock.now = START - ids.HOUR_MS
    auth = {"Authorization": f"Bearer {key}"}
    tokens: dict[str, str] = {}
    for referrer in world:
        made = await server.http.post(
            "/v1/links",
            json={"url": f"{ORIGIN}/offer", "external_id": referrer.name, "campaign": "friends"},
            headers=auth,
        )
        assert made.status_code == 201, made.text
        tokens[referrer.name] = made.json()["token"]
    answers: dict[tuple[str, int], Any] = {}
    for at, referrer, index in by_time(list(world)):
        server.clock.now = at
        visit = referrer.visits[index]
        token = tokens[referrer.name]
        if visit.parent is not None:
            token = answers[referrer.name, visit.parent]["tokens"]["copy"]
        browser = server.browser(visit.address, _agent(visit))
        own = {"own": True} if visit.own else {}
        answers[referrer.name, index] = await server.visit(browser, token=token, channels=["copy"], **own)
    for referrer in world:
        for index, visit in enumerate(referrer.visits):
            for bought in visit.bought:
                server.clock.now = max(server.clock.now, bought.at)
                await report(server, auth, answers[referrer.name, index]["visit"], bought)


async def report(server: Server, auth: dict[str, str], visit: str, bought: Bought) -> None:
    """Reports a conversion as the shop's own server."""
    said = await server.http.post(
        "/v1/conversions",
        json={"site": server.site, "visit": visit, "goal": "order", "id": bought.name, "value": decimal(bought.value),
              "currency": "EUR", "at": rfc3339(bought.at)},
        headers=auth,
    )  # fmt: skip
    assert said.status_code == 200, said.text


async def owed(server: Server, key: str, **terms: str) -> Payouts:
    """What the server says it owes."""
    said = await server.http.get(
        "/v1/payouts",
        params={"site": server.site, "limit": 1000, **PERIOD, **terms},
        headers={"Authorization": f"Bearer {key}"},
    )
    assert said.status_code == 200, said.text
    return msgspec.json.decode(said.content, type=Payouts)


def _agent(visit: Arrived) -> str:
    return CHROME.replace("Chrome/141", f"Chrome/{100 + visit.agent}")
