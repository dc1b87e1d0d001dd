"""How receipts end, and what outlives a secret key: retention, a rotation, a copied database."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from grapevine.background.leases import Leases
from grapevine.domain import ids
from grapevine.domain.periods import rfc3339
from grapevine.errors import StoreError
from grapevine.receipts.keys import signing_key
from grapevine.receipts.verification import UnknownKey, read_keys, verify_receipt, verify_revocation
from grapevine.store.copy.schema import copied_tables
from grapevine.writer.erasure import Erased, Erasure
from grapevine.writer.retention_job import RetentionJob
from tests.store.copy.copies import copied
from tests.store.writer.stored_rows import assert_recounted
from tests.support.in_process_server import BOTH_BACKENDS, ORIGIN, Server
from tests.web.api.test_read_api import KeyClient, refused, with_key
from tests.web.api.test_receipts import keys, refund, sale, status

pytestmark = pytest.mark.anyio

TABLES = ("receipts", "receipt_sharers")


def _but_for_ids(says: dict[str, Any]) -> dict[str, Any]:
    """What a receipt says without its id and pseudonyms, which are drawn."""
    return {**says, "receipt": "", "hops": [{**hop, "sharer": ""} for hop in says["hops"]]}


@pytest.fixture
async def shop(server: Server) -> KeyClient:
    return await with_key(server, "shop", scope="admin")


@BOTH_BACKENDS
async def test_a_receipt_goes_with_its_visit_and_can_still_be_verified(server: Server, shop: KeyClient) -> None:
    await sale(server, shop)
    answer = await shop.json("/v1/receipts", goal="order", id="A-1001")
    server.clock.now += 12 * ids.DAY_MS
    leases = Leases(server.store.leases, server.clock, "a")
    assert await RetentionJob(server.store, 10, leases, server.clock, server.state.nonces).run() == 2
    await assert_recounted(server.store)
    for table in TABLES:
        assert await server.store.look(f"SELECT count(*) FROM {table}") == [(0,)]
    assert await server.store.look("SELECT count(*) FROM guards WHERE kind = 6") == [(0,)]
    assert refused(await status(server, answer["says"]["receipt"])) == (404, "not-found", [])
    assert refused(await shop.get(f"/v1/receipts/{answer['conversion']}")) == (404, "not-found", [])
    assert verify_receipt(answer["document"], read_keys(await keys(server))).receipt == answer["says"]["receipt"]


@BOTH_BACKENDS
async def test_an_erasure_of_a_sharer_who_is_past_retention_revokes_the_receipt(
    server: Server, shop: KeyClient
) -> None:
    """A reader who shared is past retention when the purchase that came of it is not."""
    story = await sale(server, shop)
    server.clock.now += 8 * ids.DAY_MS
    buyer = await server.visit(server.browser("192.0.2.4"), token=story.buyer["tokens"]["copy"])
    body = {"goal": "order", "id": "A-1002", "value": "10.00", "currency": "EUR", "visit": buyer["visit"]}
    assert (await shop.http.post("/v1/conversions", json=body)).status_code == 200
    before = await shop.json("/v1/receipts", goal="order", id="A-1002")
    assert [hop["channel"] for hop in before["says"]["hops"]] == ["copy", "whatsapp", "link"]
    server.clock.now += 4 * ids.DAY_MS
    leases = Leases(server.store.leases, server.clock, "a")
    assert await RetentionJob(server.store, 10, leases, server.clock, server.state.nonces).run() == 2
    assert (await shop.json("/v1/receipts", goal="order", id="A-1002")) == before

    gone = f"/v1/visits/{story.buyer['visit']}"
    assert (await shop.http.delete(gone)).status_code == 204
    assert (await status(server, before["says"]["receipt"])).json()["says"]["reason"] == "erasure"
    assert before["document"] not in repr(await server.store.look("SELECT * FROM receipts"))
    assert await server.store.look("SELECT count(*) FROM receipt_sharers") == [(0,)]
    assert (await shop.http.delete(gone)).status_code == 404
    assert (await shop.json("/v1/receipts", goal="order", id="A-1002"))["says"]["hops"] == []


@BOTH_BACKENDS
async def test_no_pseudonym_leads_to_a_link_that_retention_has_deleted(server: Server, shop: KeyClient) -> None:
    ends = rfc3339(server.clock.now + ids.DAY_MS)
    made = await shop.http.post("/v1/links", json={"links": [{"url": f"{ORIGIN}/page", "expires_at": ends}]})
    link = made.json()["links"][0]
    reader = await server.visit(server.browser("192.0.2.2"), token=link["token"])
    server.clock.now += 8 * ids.DAY_MS
    buyer = await server.visit(server.browser("192.0.2.3"), token=reader["tokens"]["whatsapp"])
    body = {"goal": "order", "id": "A-1001", "value": "10.00", "currency": "EUR", "visit": buyer["visit"]}
    assert (await shop.http.post("/v1/conversions", json=body)).status_code == 200
    before = await shop.json("/v1/receipts", goal="order", id="A-1001")
    assert len(before["sharers"]) == 1
    server.clock.now += 4 * ids.DAY_MS
    leases = Leases(server.store.leases, server.clock, "a")
    assert await RetentionJob(server.store, 10, leases, server.clock, server.state.nonces).run() == 2
    after = await shop.json("/v1/receipts", goal="order", id="A-1001")
    assert after == before | {"sharers": []}
    assert await server.store.look("SELECT pseudonym_salt FROM receipts") == [(None,)]
    node = ids.visit_number(link["visit"])
    assert await server.store.look(f"SELECT count(*) FROM receipt_sharers WHERE sharer_id = {node}") == [(0,)]


@BOTH_BACKENDS
async def test_an_erasure_that_is_cut_after_it_revoked_is_sent_again(
    server: Server, shop: KeyClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Receipts are revoked in transactions of their own before the one that erases: a kill may come between."""
    story = await sale(server, shop)
    before = await shop.json("/v1/receipts", goal="order", id="A-1001")
    gone, erase = f"/v1/visits/{story.reader['visit']}", Erasure.run

    async def cut(erasure: Erasure) -> Erased:
        await erase(erasure)
        raise StoreError("the connection was lost")

    monkeypatch.setattr(Erasure, "run", cut)
    assert (await shop.http.delete(gone)).status_code == 503
    monkeypatch.undo()
    await assert_recounted(server.store)
    assert (await shop.get(f"/v1/tokens/{story.reader['tokens']['whatsapp']}")).status_code == 200  # the visit is whole
    assert (await status(server, before["says"]["receipt"])).json()["says"]["reason"] == "erasure"

    again = await shop.json("/v1/receipts", goal="order", id="A-1001")
    assert _but_for_ids(again["says"]) == _but_for_ids(before["says"])
    assert verify_receipt(again["document"], read_keys(await keys(server))).receipt == again["says"]["receipt"]
    assert [each["receipt"] for each in again["revoked"]] == [before["says"]["receipt"]]

    assert (await shop.http.delete(gone)).status_code == 204
    assert (await status(server, again["says"]["receipt"])).json()["state"] == "revoked"
    assert (await shop.json("/v1/receipts", goal="order", id="A-1001"))["says"]["hops"] == []
    await assert_recounted(server.store)


@BOTH_BACKENDS
async def test_old_public_keys_stay_when_another_secret_key_signs(server: Server, shop: KeyClient) -> None:
    await sale(server, shop)
    before = await shop.json("/v1/receipts", goal="order", id="A-1001")
    old = json.loads(await keys(server))["keys"]
    server.clock.now += 1_000
    server.state.keyring.keys = (b"the key that signs from now on, and alone",)
    assert (await shop.json("/v1/receipts", goal="order", id="A-1001"))["document"] == before["document"]
    await refund(shop, "9", 1)
    found = (await status(server, before["says"]["receipt"])).json()  # signed with the new key
    known = read_keys(await keys(server))
    assert verify_revocation(found["revocation"], known).reason == "refund"
    with pytest.raises(UnknownKey):
        verify_revocation(found["revocation"], read_keys(json.dumps({"keys": old}).encode()))
    assert verify_receipt(before["document"], known).receipt == before["says"]["receipt"]
    after = await shop.json("/v1/receipts", goal="order", id="A-1001")
    site = server.state.sites.known(server.site)
    assert site is not None
    new = signing_key(server.state.keyring.keys[-1], site.row)
    assert [each["kid"] for each in json.loads(await keys(server))["keys"]] == [new.kid, old[0]["kid"]]
    assert verify_receipt(after["document"], known).conversion.amount == "40.00"


async def test_receipts_and_public_keys_are_copied(server: Server, shop: KeyClient, tmp_path: Path) -> None:
    await sale(server, shop)
    await shop.json("/v1/receipts", goal="order", id="A-1001")
    assert {*TABLES, "receipt_keys"} <= {table.name for table in copied_tables()}
    target = f"sqlite:///{tmp_path}/copy.sqlite3"
    summary = await copied(server.state.settings.database, target)
    assert summary.verified
    rows = {each.table: each.rows for each in summary.tables if "receipt" in each.table}
    assert rows == {"receipts": 1, "receipt_sharers": 2, "receipt_keys": 1}
