"""Pay-outs over HTTP: refunds, what a page says, names, pages of the list, marks."""

from __future__ import annotations

import json
import secrets
from types import SimpleNamespace
from typing import Any, Final

import httpx
import pytest

from grapevine.domain import ids
from grapevine.domain.enums import VERDICTS
from grapevine.domain.periods import rfc3339
from tests.support.in_process_server import BOTH_BACKENDS, NOON, ORIGIN, Server
from tests.web.api.test_read_api import with_key

pytestmark = pytest.mark.anyio

AUTH: Final = {"Authorization": "Bearer secret"}


class Shop:
    """A shop with referrers, whose server reports what was paid."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._readers = 0

    async def link(self, name: str | None, campaign: str | None = None) -> str:
        """The token of a new link."""
        said = await self.call("POST", "links", json={"url": ORIGIN, "external_id": name, "campaign": campaign})
        return str(said.json()["token"])

    async def reader(self, token: str, address: str | None = None) -> Any:
        """A visit through a token, from a network of its own."""
        self._readers += 1
        address = address or f"198.51.{self._readers // 250}.{self._readers % 250}"
        return await self.server.visit(self.server.browser(address), token=token)

    async def paid(self, visit: str, order: str, value: str, **fields: Any) -> httpx.Response:
        """A conversion by key."""
        said = {"goal": "order", "id": order, "visit": visit, "value": value, "currency": "EUR"} | fields
        return await self.call("POST", "conversions", json=said)

    async def call(self, method: str, path: str, **fields: Any) -> httpx.Response:
        """A call with the key."""
        said = await self.server.http.request(method, f"/v1/{path}", headers=AUTH, **fields)
        assert said.status_code < 300, said.text
        return said

    async def owed(self, **terms: Any) -> Any:
        """The pay-outs of a period; by default of today."""
        return (await self.call("GET", "payouts", params=terms)).json()


@pytest.fixture
async def shop(server: Server) -> Shop:
    await with_key(server, "secret", scope="admin")
    return Shop(server)


@BOTH_BACKENDS
async def test_a_purchase_is_credited_over_its_hops_and_refunds_are_taken_off(shop: Shop) -> None:
    link, nameless = await shop.link("Ada", "friends"), await shop.link(None)
    friend = await shop.reader(link)
    other = await shop.reader(friend["tokens"]["copy"])
    for visit, order, value in (
        (friend, "A-1", "100"),
        (other, "A-2", "100"),
        (await shop.reader(nameless), "A-3", "9"),
    ):
        await shop.paid(visit["visit"], order, value)
    # What a browser says of money is anybody's.
    said = await shop.server.post(
        "conversions", session=friend["session"], goal="order", nonce=secrets.token_hex(8), value="5000", currency="EUR"
    )
    assert said.status_code == 200
    found = await shop.owed(rate="0.1", hold=0)
    (ada,) = found["referrers"]
    assert found["rule"] == {"rate": "0.1", "fixed": {}, "pass_on": "0.5", "hold": 0, "networks": 6}
    assert (ada["external_id"], ada["conversions"], ada["value"]) == ("Ada", 2, {"EUR": "200.00"})
    assert ada["credited"] == found["credited"] == {"EUR": "15.00"}  # 10 for one hop, half of 10 over two
    assert ada["network_days"] == 2
    assert ada["generations"] == [
        {"depth": 1, "visits": 1, "conversions": 1}, {"depth": 2, "visits": 1, "conversions": 1},
    ]  # fmt: skip
    await shop.paid(friend["visit"], "R-1", "-40", refund_of="A-1")
    assert (await shop.owed(rate="0.1", hold=0))["credited"] == {"EUR": "11.00"}
    (ada,) = (await shop.owed(fixed="5", currency="eur", hold=0))["referrers"]
    assert (ada["credited"], ada["refunds"]) == ({"EUR": "5.50"}, 1)  # 5 + 2.50 − 40 % of 5
    assert await shop.owed(campaign="others") == await shop.owed(goal="sign-up")
    assert (await shop.owed(campaign="friends", hold=0))["referrers"][0]["credited"] == {"EUR": "11.00"}


async def test_a_refund_after_a_payment_is_negative_in_its_own_period(shop: Shop) -> None:
    friend = await shop.reader(await shop.link("Ada"))
    await shop.paid(friend["visit"], "A-1", "100")
    shop.server.clock.now += 40 * ids.DAY_MS
    await shop.paid(friend["visit"], "R-1", "-25", refund_of="A-1", at=rfc3339(shop.server.clock.now))
    first = {"from": _day(NOON), "to": _day(NOON)}
    later = {"from": _day(shop.server.clock.now), "to": _day(shop.server.clock.now)}
    for terms, earned, lost in (
        ({"rate": "0.1"}, "10.00", "-2.50"),
        ({"fixed": "8", "currency": "EUR"}, "8.00", "-2.00"),
    ):
        assert (await shop.owed(hold=0, **first, **terms))["credited"] == {"EUR": earned}
        (ada,) = (await shop.owed(**later, **terms))["referrers"]
        assert (ada["credited"], ada["held"], ada["conversions"]) == ({"EUR": lost}, {}, 0)


async def test_marks_hold_together_and_one_alone_holds_nothing(shop: Shop) -> None:
    link = await shop.link("ring")
    for number in range(5):
        await shop.paid((await shop.reader(link, "203.0.113.5"))["visit"], f"B-{number}", "10")
    (ring,) = (await shop.owed())["referrers"]
    assert (ring["credited"], ring["held"], ring["held_conversions"]) == ({}, {"EUR": "5.00"}, 5)
    assert ring["marks"] == {"burst": 5, "few-networks": 5, "narrow": 5, "rate": 5, "same-network": 5}
    assert sorted((each["id"], each["goal"], each["held"]) for each in ring["held_first"]) == [
        (f"B-{number}", "order", {"EUR": "1.00"}) for number in range(5)
    ]
    assert ring["held_first"][0]["marks"] == [*ring["marks"]]
    assert (await shop.owed(hold=6))["credited"] == {"EUR": "5.00"}
    link = await shop.link("wide")
    readers = [await shop.reader(link) for _ in range(30)]
    await shop.paid(readers[-1]["visit"], "C-1", "10")
    wide = (await shop.owed())["referrers"][1]
    assert (wide["credited"], wide["marks"]) == ({"EUR": "1.00"}, {})


async def test_the_same_order_and_one_browser_again_earn_nothing_more(shop: Shop) -> None:
    friend = await shop.reader(await shop.link("Ada"))
    for _ in range(3):
        await shop.paid(friend["visit"], "A-1", "100")
    (ada,) = (await shop.owed(hold=0))["referrers"]
    assert (ada["conversions"], ada["credited"]) == (1, {"EUR": "10.00"})


@BOTH_BACKENDS
async def test_erasures_verdicts_and_deleted_links_change_what_is_owed(shop: Shop) -> None:
    link = await shop.link("Ada")
    friend = await shop.reader(link)
    buyer = await shop.reader(friend["tokens"]["copy"])
    other, robot = await shop.reader(link), await shop.reader(link)
    for visit, order in ((buyer, "A-1"), (other, "A-2"), (robot, "A-3")):
        await shop.paid(visit["visit"], order, "100")
    terms = {"rate": "0.1", "hold": 0}
    assert (await shop.owed(**terms))["credited"] == {"EUR": "25.00"}  # 5 over two hops, 10 and 10 over one
    number = ids.visit_number(robot["visit"]) or 0
    row: Any = SimpleNamespace(site_id=1, visit_id=number, cell=ids.cell_of(number))
    async with shop.server.store.batch() as batch:
        await batch.verdicts.set([row], VERDICTS["replay"])
    found = await shop.owed(**terms)
    assert (found["conversions"], found["credited"]) == (2, {"EUR": "15.00"})
    await shop.call("DELETE", f"visits/{other['visit']}")
    found = await shop.owed(**terms)
    assert (found["conversions"], found["credited"]) == (1, {"EUR": "5.00"})
    await shop.call("DELETE", f"visits/{friend['visit']}")
    assert (await shop.owed(**terms))["credited"] == {"EUR": "5.00"}  # still a hop, without a name
    await shop.call("DELETE", "links", params={"external_id": "Ada"})
    found = await shop.owed(**terms)
    assert (found["conversions"], found["credited"], found["referrers"]) == (0, {}, [])
    assert "Ada" not in json.dumps(found)


async def test_pages_of_the_list_have_the_same_totals(shop: Shop) -> None:
    for name in ("Cy", "Ada", "Bo"):
        await shop.paid((await shop.reader(await shop.link(name)))["visit"], name, "10")
    whole = await shop.owed(hold=0)
    assert [each["external_id"] for each in whole["referrers"]] == ["Ada", "Bo", "Cy"]
    first = await shop.owed(hold=0, limit=2)
    rest = await shop.owed(hold=0, limit=2, cursor=first["next"])
    assert first["referrers"] + rest["referrers"] == whole["referrers"]
    assert first["credited"] == rest["credited"] == {"EUR": "3.00"}
    assert "next" not in rest


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        ({"rate": "0.1", "fixed": "5", "currency": "EUR"}, "rate"),
        ({"fixed": "5"}, "currency"),
        ({"fixed": "5", "currency": "EUX"}, "currency"),
        ({"fixed": "2000000", "currency": "EUR"}, "fixed"),
        ({"rate": "1.5"}, "rate"),
        ({"rate": "NaN"}, "rate"),
        ({"pass_on": "2"}, "pass_on"),
        ({"hold": "-1"}, "hold"),
        ({"networks": "0"}, "networks"),
        ({"limit": "0"}, "limit"),
        ({"cursor": "x"}, "cursor"),
    ],
)
async def test_terms_that_cannot_be_are_refused(shop: Shop, terms: dict[str, str], field: str) -> None:
    said = await shop.server.http.get("/v1/payouts", params=terms, headers=AUTH)
    assert said.status_code == 422, said.text
    assert field in {error["field"] for error in said.json()["errors"]}


def _day(at: int) -> str:
    return ids.day_date(ids.day_at(at)).isoformat()
