"""Requests about receipts, from the first to the last of a conversion, on both backends."""

from __future__ import annotations

import json
from itertools import count
from typing import Any, Final

import pytest

from grapevine.store.rows import SiteRow
from tests.support.user_agents import CHROME
from tests.web.backend_pair import Pair
from tests.web.read_requests import ReadClient
from tests.web.traffic import Person

SEEN_OF_RECEIPTS: Final = {
    "GET /v1/receipts 200", "GET /v1/receipts 404", "GET /v1/receipts/… 200", "GET /v1/receipts/… 404",
    "GET /v1/receipt-keys 200", "GET /v1/receipt-keys 404", "GET /v1/receipt-status/… 200",
    "GET /v1/receipt-status/… 404",
}  # fmt: skip
_JSON: Final = ("Content-Type", "application/json")


async def ask_for_receipts(pair: Pair, site: SiteRow, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sale over two shares is paid back in part, a sharer erased, and its receipt asked for each time."""
    numbers = count(1)
    writer, admin = ReadClient(f"write-{site.site_id}"), ReadClient(f"admin-{site.site_id}")
    reader, public = ReadClient(f"secret-{site.site_id}"), Person("192.0.2.77", CHROME, "en", None)
    answer: dict[str, Any] = {}
    visits = []
    for number in range(3):
        person = Person(f"192.0.2.{70 + number}", CHROME, "en", None)
        visit = {"site": site.key, "url": f"{site.origins[0]}/p", "nonce": f"receipt {number}".replace(" ", "-") * 2}
        token = {"token": answer["tokens"]["copy"]} if answer else {}
        call = person.call("/v1/visits", visit | {"channels": ["copy"]} | token, site.origins[0])
        answer = (await pair.ask(call)).json
        visits.append(answer["visit"])

    async def report(**fields: Any) -> None:
        body = json.dumps({"goal": "sold", "currency": "EUR"} | fields).encode()
        assert (await pair.ask(writer.post("/v1/conversions", body, _JSON))).status == 200

    async def ask() -> Any:
        number = next(numbers)
        with monkeypatch.context() as patched:
            patched.setattr("secrets.token_bytes", lambda size: bytes([number]) * size)  # both draw the same
            found = (await pair.ask(reader.get("/v1/receipts", goal="sold", id="R-1"))).json
        for path in (f"/v1/receipts/{found['conversion']}", "/v1/receipts/0", "/v1/receipts/00000000000"):
            await pair.ask(reader.get(path))
        for row in [found["says"], *found["revoked"]]:
            if row is not None:
                await pair.ask(public.get(f"/v1/receipt-status/{row['receipt']}?site={site.key}"))
        for path in ("receipt-keys", "receipt-keys?site=none", "receipt-status/0", "receipt-status/" + "0" * 32):
            await pair.ask(public.get(f"/v1/{path}{'' if '?' in path else f'?site={site.key}'}"))
        return found

    await pair.ask(reader.get("/v1/receipts", goal="sold", id="R-1"))
    await report(id="R-1", value="10", visit=visits[2])
    whole = await ask()
    assert len(whole["says"]["hops"]) == 2
    await report(id="R-2", value="-4", refund_of="R-1")
    part = await ask()
    assert part["says"]["conversion"]["amount"] == "6.00"
    await pair.ask(admin.post(f"/v1/visits/{visits[0]}", b"", method="DELETE"))
    last = await ask()
    assert [each["says"]["reason"] for each in last["revoked"]] == ["refund", "erasure"]
    await pair.compare_rows()
    assert not {table for table in ("receipts", "receipt_sharers", "receipt_keys") if not pair.rows[table]}
