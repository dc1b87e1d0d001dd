"""``grapevine receipt verify FILE`` alone: the operator's own database has the keys, and knows what is revoked."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from starlette.applications import Starlette

from grapevine.config.secret_keys import with_secret_keys
from grapevine.serving.app import running, system_clock
from grapevine.store.factory import make_store
from grapevine.web.application import web_application
from tests.cli.terminal import ORIGIN, Terminal, _no_lifespan
from tests.unit.receipts.made_receipts import RECEIPT, key_of, signed


def sold(run: Terminal, key: str, visit: str, *orders: dict[str, Any]) -> str:
    """Reports orders with a key, and returns the receipt of the first one."""

    async def report() -> str:
        settings, store = with_secret_keys(run.settings), make_store(run.settings)
        await store.open()
        async with running(settings, store, system_clock) as state:
            app = web_application(settings, _no_lifespan)
            assert isinstance(app, Starlette)
            app.state.app_state = state
            transport = httpx.ASGITransport(app)
            sent = {"Authorization": f"Bearer {key}"}
            async with httpx.AsyncClient(transport=transport, base_url="http://shop.example", headers=sent) as shop:
                for order in orders:
                    body = {"visit": visit, "goal": "order", "currency": "EUR"} | order
                    assert (await shop.post("/v1/conversions", json=body)).status_code == 200, order
                found = (await shop.get("/v1/receipts", params={"goal": "order", "id": orders[0]["id"]})).json()
        await store.close()
        return str(found["document"])

    return asyncio.run(report())


def test_a_receipt_is_checked_with_ones_own_database(
    run: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = run("site", "add", "Shop", "--origin", ORIGIN).json
    visit = run.chain(made["site"], 2)[-1]["visit"]
    file = tmp_path / "receipt.jws"
    first = {"id": "A-1", "value": "49.00"}
    file.write_text(sold(run, made["key"], visit, first))

    found = run("receipt", "verify", str(file), "--json")
    assert (found.status, found.json["verdict"], found.json["asked"]) == (0, "valid", True)
    assert found.json["receipt"]["conversion"]["amount"] == "49.00"
    text = file.read_text()
    file.write_text(text[:-2] + ("AA" if text[-2:] != "AA" else "AQ"))
    assert run("receipt", "verify", str(file)).status == 1
    file.write_text(text)

    later = sold(run, made["key"], visit, first, {"id": "R-1", "value": "-9.00", "refund_of": "A-1"})
    found = run("receipt", "verify", str(file), "--json")
    assert (found.status, found.json["verdict"], found.json["revocation"]["reason"]) == (3, "revoked", "refund")
    file.write_text(later)
    assert run("receipt", "verify", str(file)).out.startswith("Valid: issued by http")

    # of somebody else: another site, and another key in the name of this one
    file.write_text(signed())
    found = run("receipt", "verify", str(file))
    assert (found.status, found.err) == (4, "")
    assert "'site-a', which is none of the database" in found.out
    assert found.out.strip().endswith("or --online to ask the server that the receipt names.")

    file.write_text(signed(msgspec.structs.replace(RECEIPT, site=made["site"]), key_of("site-b")))
    found = run("receipt", "verify", str(file))
    assert (found.status, key_of("site-b").kid in found.out, "Give --keys" in found.out) == (4, True, True)

    # past retention the receipt is not known any more, and its key still is
    file.write_text(later)
    database = sqlite3.connect(run.settings.database.removeprefix("sqlite:///"))
    with database:
        database.execute("DELETE FROM receipts")
    database.close()
    found = run("receipt", "verify", str(file), "--json")
    assert (found.status, found.json["verdict"], found.json["receipt"]["site"]) == (5, "unknown-state", made["site"])

    monkeypatch.setenv("GRAPEVINE_DATABASE", f"sqlite:///{tmp_path}/elsewhere.sqlite3")
    found = run("receipt", "verify", str(file))
    assert (found.status, found.out, found.err.count("\n")) == (2, "", 1)
    assert "`--keys` or --online is needed" in found.err
    assert f"no Grapevine database at {tmp_path}/elsewhere.sqlite3" in found.err
    assert not (tmp_path / "elsewhere.sqlite3").exists()
