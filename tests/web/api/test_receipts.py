"""``/v1/receipts``: a receipt is made once, others verify it, and a refund or an erasure revokes it."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import httpx
import pytest
from joserfc import jws
from joserfc.jwk import KeySet

from grapevine.domain import ids
from grapevine.receipts.issuing import MOST_OF_CONVERSION
from grapevine.receipts.verification import read_keys, verify_receipt, verify_revocation
from tests.support.in_process_server import BOTH_BACKENDS, ORIGIN, Server
from tests.web.api.test_read_api import KeyClient, refused, with_key

pytestmark = [
    pytest.mark.anyio,
    # RFC 9864 prefers the name Ed25519, which few libraries know yet.
    pytest.mark.filterwarnings("ignore:EdDSA is deprecated via RFC 9864"),
]


@pytest.fixture
async def shop(server: Server) -> KeyClient:
    return await with_key(server, "shop", scope="admin")


class Sale:
    """Somebody buys in a visit that came from a minted link over one reader who shared on."""

    def __init__(self, link: Any, reader: Any, buyer: Any) -> None:
        self.link, self.reader, self.buyer = link, reader, buyer


async def sale(server: Server, shop: KeyClient, order: str = "A-1001", value: str = "49.00") -> Sale:
    links = await shop.http.post("/v1/links", json={"links": [{"url": f"{ORIGIN}/page", "external_id": "ref-7"}]})
    link = links.json()["links"][0]
    reader = await server.visit(server.browser("192.0.2.2"), token=link["token"])
    buyer = await server.visit(server.browser("192.0.2.3"), token=reader["tokens"]["whatsapp"])
    body = {"goal": "order", "id": order, "value": value, "currency": "EUR", "visit": buyer["visit"]}
    assert (await shop.http.post("/v1/conversions", json=body)).status_code == 200
    return Sale(link, reader, buyer)


async def keys(server: Server) -> bytes:
    answer = await server.http.get("/v1/receipt-keys", params={"site": server.site})
    assert answer.status_code == 200, answer.text
    assert answer.headers["access-control-allow-origin"] == "*"
    return answer.content


async def status(server: Server, receipt: str) -> httpx.Response:
    return await server.http.get(f"/v1/receipt-status/{receipt}", params={"site": server.site})


def payload(document: str) -> Any:
    part = document.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


@BOTH_BACKENDS
async def test_a_receipt_is_made_once_and_others_verify_it(server: Server, shop: KeyClient) -> None:
    story = await sale(server, shop)
    assert json.loads(await keys(server)) == {"keys": []}
    answers = await asyncio.gather(*(shop.json("/v1/receipts", goal="order", id="A-1001") for _ in range(4)))
    assert len({each["document"] for each in answers}) == 1
    answer = answers[0]
    assert await shop.json(f"/v1/receipts/{answer['conversion']}") == answer
    assert await server.store.look("SELECT count(*) FROM receipts") == [(1,)]

    says = verify_receipt(answer["document"], read_keys(await keys(server)))
    assert payload(answer["document"]) == answer["says"]
    assert (says.site, says.conversion.goal, says.conversion.amount) == (server.site, "order", "49.00")
    assert (says.conversion.currency, says.conversion.reported_by) == ("EUR", "key")
    assert [(hop.generation, hop.channel) for hop in says.hops] == [(1, "whatsapp"), (2, "link")]
    assert answer["sharers"][0]["sharer"] == says.hops[1].sharer
    assert answer["sharers"][0]["link"]["external_id"] == "ref-7"

    ours = jws.deserialize_compact(  # another library agrees
        answer["document"], KeySet.import_key_set(json.loads(await keys(server))), algorithms=["EdDSA"]
    )
    assert json.loads(ours.payload) == answer["says"]
    await server.add_site("site-z", "https://z.example")
    stranger = await with_key(server, "stranger", site_id=len(await server.store.sites.sites()), scope="admin")
    assert refused(await stranger.get(f"/v1/receipts/{answer['conversion']}"))[:2] == (404, "not-found")
    elsewhere = await server.http.get(f"/v1/receipt-status/{says.receipt}", params={"site": "site-z"})
    assert refused(elsewhere)[:2] == (404, "not-found")
    found = await status(server, says.receipt)
    assert found.json() == {"receipt": says.receipt, "state": "valid", "revocation": None, "says": None}

    secret = (*(str(part) for each in (story.reader, story.buyer) for part in (each["visit"], each["session"])),)
    for text in (answer["document"], json.dumps(answer["says"]), found.text):
        assert not [part for part in (*secret, story.link["token"], "/page", "ref-7", "A-1001") if part in text]


@BOTH_BACKENDS
async def test_pseudonyms_are_new_for_each_receipt(server: Server, shop: KeyClient) -> None:
    story = await sale(server, shop)
    body = {"goal": "order", "id": "A-1002", "value": "5", "currency": "EUR", "visit": story.buyer["visit"]}
    assert (await shop.http.post("/v1/conversions", json=body)).status_code == 200
    both = [(await shop.json("/v1/receipts", goal="order", id=each))["says"] for each in ("A-1001", "A-1002")]
    first, second = ({hop["sharer"] for hop in each["hops"]} for each in both)
    assert len(first) == len(second) == 2
    assert not first & second


@BOTH_BACKENDS
async def test_an_erasure_revokes_the_receipts_that_name_the_visit(server: Server, shop: KeyClient) -> None:
    story = await sale(server, shop)
    before = await shop.json("/v1/receipts", goal="order", id="A-1001")
    name = before["says"]["receipt"]
    server.clock.now += ids.DAY_MS
    assert (await shop.http.delete(f"/v1/visits/{story.reader['visit']}")).status_code == 204

    found = (await status(server, name)).json()
    assert found["state"] == "revoked"
    says = verify_revocation(found["revocation"], read_keys(await keys(server)))
    assert (says.receipt, says.reason, says.site) == (name, "erasure", server.site)
    assert payload(found["revocation"]) == found["says"]
    rows = await server.store.look("SELECT document, pseudonym_salt, reason FROM receipts")
    assert rows == [(None, None, "erasure")]
    assert await server.store.look("SELECT count(*) FROM receipt_sharers") == [(0,)]

    after = await shop.json("/v1/receipts", goal="order", id="A-1001")
    assert after["says"]["hops"] == []  # neither their share, nor the one through which they came
    assert [each["receipt"] for each in after["revoked"]] == [name]
    assert after["says"]["receipt"] != name
    # of the buyer, nothing is left but that a receipt was revoked
    assert (await shop.http.delete(f"/v1/visits/{story.buyer['visit']}")).status_code == 204
    assert (await status(server, after["says"]["receipt"])).json()["says"]["reason"] == "erasure"
    assert refused(await shop.get("/v1/receipts", goal="order", id="A-1001")) == (404, "not-found", [])


@BOTH_BACKENDS
async def test_a_deleted_link_leaves_receipts_good_and_nobody_behind_the_pseudonym(
    server: Server, shop: KeyClient
) -> None:
    story = await sale(server, shop)
    before = await shop.json("/v1/receipts", goal="order", id="A-1001")
    assert (await shop.http.delete(f"/v1/links/{story.link['token']}")).status_code == 204
    after = await shop.json("/v1/receipts", goal="order", id="A-1001")
    assert (after["document"], after["sharers"]) == (before["document"], [])
    assert (await status(server, before["says"]["receipt"])).json()["state"] == "valid"
    assert await server.store.look("SELECT pseudonym_salt FROM receipts") == [(None,)]


@BOTH_BACKENDS
async def test_a_report_with_a_key_revokes_the_receipt_of_a_pages_word(server: Server, shop: KeyClient) -> None:
    visit = await server.visit()
    said = {"site": server.site, "session": visit["session"], "goal": "order", "id": "A-1", "nonce": "n" * 16}
    assert (await server.post("conversions", **said, value="900", currency="EUR")).status_code == 200
    before = await shop.json("/v1/receipts", goal="order", id="A-1")
    assert before["says"]["conversion"]["reported_by"] == "page"
    body = {"goal": "order", "id": "A-1", "value": "9", "currency": "EUR", "visit": visit["visit"]}
    assert (await shop.http.post("/v1/conversions", json=body)).status_code == 200
    assert (await status(server, before["says"]["receipt"])).json()["says"]["reason"] == "replaced"
    after = await shop.json("/v1/receipts", goal="order", id="A-1")
    assert (after["says"]["conversion"]["amount"], after["says"]["hops"]) == ("9.00", [])


async def test_what_is_no_conversion_and_no_receipt_is_refused(server: Server, shop: KeyClient) -> None:
    for path in ("/v1/receipts/0", "/v1/receipts/00000000000", "/v1/receipts/zzzzzzzzzzz", "/v1/receipts/..%2fkeys"):
        assert refused(await shop.get(path))[:2] == (404, "not-found"), path
    for name in ("0" * 32, "0", "z" * 32, "0" * 33, "A" * 32):
        answer = await status(server, name)
        assert refused(answer)[:2] == (404, "not-found"), name
    gone = await server.http.get("/v1/receipt-keys", params={"site": "nobody"})
    assert refused(gone) == (404, "unknown-site", [])
    assert refused(await server.http.get("/v1/receipt-keys"))[0] == 422
    assert (await server.http.get("/v1/receipts/00000000000")).status_code == 401


async def refund(shop: KeyClient, amount: str, number: int) -> None:
    body = {"goal": "order", "refund_of": "A-1001", "id": f"R-{number}", "value": f"-{amount}", "currency": "EUR"}
    answer = await shop.http.post("/v1/conversions", json=body)
    assert answer.status_code == 200, answer.text


@BOTH_BACKENDS
async def test_a_refund_revokes_and_the_next_receipt_says_what_is_left(server: Server, shop: KeyClient) -> None:
    await sale(server, shop)
    whole = await shop.json("/v1/receipts", goal="order", id="A-1001")
    assert [hop["credit"] for hop in whole["says"]["hops"]] == ["24.50", "24.50"]
    server.clock.now += ids.DAY_MS
    await refund(shop, "9", 1)
    await refund(shop, "9", 1)  # sent again
    found = (await status(server, whole["says"]["receipt"])).json()
    says = verify_revocation(found["revocation"], read_keys(await keys(server)))
    assert (says.reason, says.revoked) == ("refund", ids.day_date(ids.day_at(server.clock.now)).isoformat())

    part = await shop.json("/v1/receipts", goal="order", id="A-1001")
    assert part["says"]["conversion"]["amount"] == "40.00"
    assert [hop["credit"] for hop in part["says"]["hops"]] == ["20.00", "20.00"]
    assert part["says"]["receipt"] != whole["says"]["receipt"]
    assert not {hop["sharer"] for hop in part["says"]["hops"]} & {hop["sharer"] for hop in whole["says"]["hops"]}

    await refund(shop, "40", 2)
    nothing = await shop.json("/v1/receipts", goal="order", id="A-1001")
    assert (nothing["document"], nothing["says"], nothing["missing"]) == (None, None, "refunded")
    assert [each["receipt"] for each in nothing["revoked"]] == [each["says"]["receipt"] for each in (whole, part)]
    conversion = await shop.get(f"/v1/receipts/{nothing['conversion']}")
    assert conversion.json() == nothing


async def test_receipts_of_one_conversion_are_bounded(server: Server, shop: KeyClient) -> None:
    await sale(server, shop)
    for number in range(MOST_OF_CONVERSION):
        assert (await shop.json("/v1/receipts", goal="order", id="A-1001"))["document"]
        await refund(shop, "1", number)
    for _ in range(2):
        answer = await shop.json("/v1/receipts", goal="order", id="A-1001")
        assert (answer["document"], answer["missing"]) == (None, "too-many")
    assert await server.store.look("SELECT count(*) FROM receipts") == [(MOST_OF_CONVERSION,)]
