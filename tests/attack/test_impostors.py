"""Strangers who speak for somebody else: recipients for the sharer, visitors for the shop, one visit for another."""

from __future__ import annotations

import json
import secrets
from concurrent.futures import Executor
from typing import Any, Final

import pytest

from tests.attack.test_invented_names import Caller
from tests.support.attacked_server import AttackedInstallation, AttackedServer
from tests.support.raw_connection import ORIGIN, RawResponse

ATTACKER, SHARER, SHOPPER = "127.0.0.66", "127.0.0.77", "127.0.0.78"
NO_RATES: Final = {"GRAPEVINE_RATE_LIMIT": "0"}
"""Nothing here depends on an attacker being slow."""
SECRET_PATH: Final = "/letters/to-jane?draft=PRIVATE"  # stored as it is: nothing in it looks like a secret
LETTERS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def call(server: AttackedServer, name: str, source: str, **fields: Any) -> RawResponse:
    usual = {"site": server.sites[0].site, "nonce": secrets.token_hex(16)}
    return server.ask("POST", f"/v1/{name}", usual | fields, source=source)


def visit(server: AttackedServer, source: str, path: str = "/") -> dict[str, Any]:
    answer = server.visit(source=source, url=f"{ORIGIN}{path}", channels=["email", "qr"])
    found: dict[str, Any] = json.loads(answer.body)
    return found


def read(server: AttackedServer, path: str) -> Any:
    headers = {"Authorization": f"Bearer {server.sites[0].key}"}
    answer = server.ask("GET", path, headers=headers, source="127.0.0.9")
    assert answer.status == 200, answer
    return json.loads(answer.body)


def leads_to(server: AttackedServer, token: str) -> str:
    answer = server.ask("GET", f"/s/{token}", source=ATTACKER)
    assert answer.status == 302
    return answer.headers["location"]


def claim_orders(port: int, site: str, number: int) -> list[int]:
    """Claims the next order numbers for visits of its own, fifty each; returns the statuses."""
    statuses, session = [], ""
    with Caller(port, site, ATTACKER) as caller:
        for count in range(number):
            if count % 50 == 0:
                session = caller.visit()["session"]
            fields = {"session": session, "goal": "order", "id": f"A-{count}", "value": "0", "currency": "EUR"}
            statuses.append(caller.call("conversions", **fields)[0])
    return statuses


@pytest.mark.parametrize("orders", [200, pytest.param(5_000, marks=pytest.mark.slow)])
def test_a_visitor_who_claims_order_numbers_before_the_shop_takes_nothing(
    attacked: AttackedInstallation, attackers: Executor, orders: int
) -> None:
    with attacked.attacked(**NO_RATES) as server:
        with server.harmless("/conversions"):
            statuses = attackers.submit(claim_orders, server.port, server.sites[0].site, orders).result()
        assert set(statuses) == {200}
        buyer = visit(server, SHOPPER)["visit"]
        headers = {"Authorization": f"Bearer {server.sites[0].key}"}
        for count in range(20):
            sold = {"visit": buyer, "goal": "order", "id": f"A-{count}", "value": "49.00", "currency": "EUR"}
            answer = server.ask("POST", "/v1/conversions", sold, headers, SHOPPER)
            assert (answer.status, answer.headers.get("grapevine-dropped")) == (200, None)
        # The visitor says it once more, after the shop.
        fields = {"session": visit(server, ATTACKER)["session"], "goal": "order", "id": "A-1"}
        late = call(server, "conversions", ATTACKER, value="0", currency="EUR", **fields)
        assert late.headers["grapevine-dropped"] == "duplicate"
        found = read(server, "/v1/stats/summary")
        assert found["conversions"] == orders
        assert found["conversions_by"]["key"] == {"conversions": 20, "value": {"EUR": "980.00"}}
        assert found["conversions_by"]["page"] == {"conversions": orders - 20, "value": {"EUR": "0.00"}}


def test_a_recipient_cannot_report_for_the_sharer(attacked: AttackedInstallation) -> None:
    with attacked.attacked(**NO_RATES) as server, server.harmless():
        shared = visit(server, SHARER, SECRET_PATH)
        token = shared["tokens"]["email"]
        home = f"{ORIGIN}/#gv-{token}"
        assert leads_to(server, token) == home
        for number in range(10):
            answer = call(server, "shares", ATTACKER, token=token, url=f"{ORIGIN}/of-the-recipient/{number}")
            assert (answer.status, json.loads(answer.body)) == (200, {"next": None})
        assert call(server, "shares", ATTACKER, token=token, url=f"{ORIGIN}{SECRET_PATH}").status == 200
        assert leads_to(server, token) == home
        found = read(server, f"/v1/tokens/{token}")["share"]
        assert (found["reported_by"], found["url"]) == ("token", f"{ORIGIN}{SECRET_PATH}")
        summary = read(server, "/v1/stats/summary")
        assert (summary["shares"]["total"], summary["shares"]["reported"]) == (1, 1)
        pages = {row["key"] for row in read(server, "/v1/stats/breakdown?by=page")}
        assert not any("of-the-recipient" in page for page in pages)
        # The sharer's own browser says later what was shared, and its word stands.
        url = f"{ORIGIN}/article"
        assert json.loads(call(server, "shares", SHARER, token=token, session=shared["session"], url=url).body)["next"]
        assert (
            call(server, "shares", ATTACKER, token=token, url=f"{ORIGIN}/").headers["grapevine-dropped"] == "duplicate"
        )
        assert leads_to(server, token) == f"{url}#gv-{token}"
        assert read(server, f"/v1/tokens/{token}")["share"]["reported_by"] == "session"


def test_no_session_but_the_visits_own_speaks_for_its_token(attacked: AttackedInstallation) -> None:
    with attacked.attacked(**NO_RATES) as server, server.harmless():
        shared, own = visit(server, SHARER, SECRET_PATH), visit(server, ATTACKER)
        token, session = shared["tokens"]["email"], own["session"]
        other_site = json.loads(server.visit(server.sites[1], ATTACKER).body)["session"]
        forged = [session[:at] + LETTERS[(LETTERS.index(session[at]) + 1) % 62] + session[at + 1 :] for at in range(23)]
        for text in (session, other_site, token, *forged, "", "x", "0" * 23, "\u0000" * 23):
            answer = call(server, "shares", ATTACKER, token=token, session=text, url=f"{ORIGIN}/elsewhere")
            assert answer.status == 422, text
            assert {error["field"] for error in json.loads(answer.body)["errors"]} == {"session"}
        assert call(server, "shares", ATTACKER, token=token, session=5, url=f"{ORIGIN}/").status == 422
        assert leads_to(server, token) == f"{ORIGIN}/#gv-{token}"
        assert read(server, "/v1/stats/summary")["shares"]["total"] == 0


def many_conversions(port: int, site: str, number: int) -> list[int]:
    """Reports conversions of one session, as fast as it can; returns the statuses."""
    with Caller(port, site, ATTACKER) as caller:
        fields = {"session": caller.visit()["session"], "goal": "order", "value": "1000000000", "currency": "EUR"}
        return [caller.call("conversions", **fields)[0] for _ in range(number)]


def test_a_session_has_fifty_conversions_and_values_may_count_of_keys_alone(
    attacked: AttackedInstallation, attackers: Executor
) -> None:
    with attacked.attacked(**NO_RATES) as server:
        with server.harmless("/conversions"):
            runs = [attackers.submit(many_conversions, server.port, server.sites[0].site, 120) for _ in range(3)]
            for run in runs:
                assert sorted(run.result()) == [200] * 50 + [429] * 70
        summary = read(server, "/v1/stats/summary")
        assert (summary["conversions"], summary["value"]) == (150, {"EUR": "150000000000.00"})
        attacked.run("site", "set", server.sites[0].site, "values=keys")
        summary = read(server, "/v1/stats/summary")
        while summary["value"]:  # the server follows within a second
            summary = read(server, "/v1/stats/summary")
        assert (summary["conversions"], summary["value"]) == (150, {})
        assert summary["conversions_by"]["page"] == {"conversions": 150, "value": {}}
