"""Refunds and ``external_id`` over HTTP: whose they are, what each number does with them, what is refused."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from grapevine.domain import ids
from grapevine.domain.periods import rfc3339
from tests.support.in_process_server import BOTH_BACKENDS, Server
from tests.web.api.test_conversions import reach, send, shop
from tests.web.api.test_read_api import KeyClient, asker, with_key

__all__ = ["asker", "shop"]

pytestmark = pytest.mark.anyio


def euros(amount: str) -> dict[str, Any]:
    return {"value": amount, "currency": "EUR"}


@BOTH_BACKENDS
async def test_every_number_has_the_value_after_refunds(server: Server, asker: KeyClient, shop: Any) -> None:
    first = await server.visit()
    token = first["tokens"]["whatsapp"]
    friend = await server.visit(server.browser("192.0.2.3"), token=token)
    await send(shop, visit=friend["visit"], id="A-1", **euros("49.00"))
    answer = await send(shop, id="R-1", refund_of="A-1", **euros("-10.50"))
    assert (answer.status_code, answer.json()) == (200, {})
    # A visit that is named is ignored; and the same one again changes nothing.
    again = await send(shop, visit=first["visit"], id="R-1", refund_of="A-1", **euros("-10.50"))
    assert (again.status_code, again.headers["grapevine-dropped"]) == (200, "duplicate")
    value = {"EUR": "38.50"}
    summary = await asker.json("/v1/stats/summary")
    assert (summary["conversions"], summary["value"]) == (1, value)
    assert summary["conversions_by"]["key"] == {"conversions": 1, "value": value}
    for by in ("channel", "source", "page", "depth", "device"):
        rows = [row for row in await asker.json(f"/v1/stats/breakdown?by={by}") if row["conversions"]]
        assert [(row["conversions"], row["value"]) for row in rows] == [(1, value)], by
    points = await asker.json("/v1/stats/series?metric=value&currency=EUR")
    assert [point["value"] for point in points if point["value"] not in (0, "0.00", "0")] == ["38.50"]
    for model in ("first", "last", "linear", "position"):
        credit = await asker.json(f"/v1/attribution?model={model}")
        assert (credit["conversions"], credit["value"]) == (1, value)
        assert [(row["key"], row["conversions"], row["value"]) for row in credit["channels"]] == [
            ("whatsapp", "1", value)
        ]
        assert credit["refunded"] == {"refunds": 1, "value": {"EUR": "-10.50"}}
    (cascade,) = (await asker.json("/v1/cascades?sort=value"))["cascades"]
    assert (cascade["conversions"], cascade["value"]) == (1, value)
    nodes = (await asker.json(f"/v1/cascades/{first['visit']}"))["nodes"]
    assert [node["conversions"] for node in nodes] == [0, 1]
    reached = (await asker.json(f"/v1/tokens/{token}"))["reach"]
    assert (reached["conversions"], reached["value"]) == (1, value)
    rows = [msgspec.json.decode(line) for line in (await asker.get("/v1/export/conversions")).text.splitlines()]
    found = sorted((row["id"], row["value"], row["refund_of"], row["by"], row["visit"]) for row in rows)
    assert found == [
        ("A-1", "49.00", None, "key", friend["visit"]), ("R-1", "-10.50", "A-1", "key", friend["visit"])
    ]  # fmt: skip
    assert len({row["conversion"] for row in rows}) == 2
    assert all(ids.key_number(row["conversion"]) is not None for row in rows)


async def test_a_period_with_refunds_alone_has_a_value_below_nothing(
    server: Server, asker: KeyClient, shop: Any
) -> None:
    visit = await server.visit()
    await send(shop, visit=visit["visit"], id="A-1", **euros("49.00"))
    server.clock.now += 2 * ids.DAY_MS
    await send(shop, id="R-1", refund_of="A-1", **euros("-49.00"))
    today = rfc3339(server.clock.now)[:10]
    summary = await asker.json(f"/v1/stats/summary?from={today}&to={today}")
    assert (summary["conversions"], summary["value"]) == (0, {"EUR": "-49.00"})
    assert (await asker.json("/v1/stats/summary"))["value"] == {"EUR": "0.00"}
    credit = await asker.json(f"/v1/attribution?model=last&from={today}&to={today}")
    assert (credit["conversions"], credit["without_share"]) == (0, {"conversions": "0", "value": {"EUR": "-49.00"}})


async def test_where_pages_have_no_value_their_refunds_have_none(server: Server, asker: KeyClient, shop: Any) -> None:
    visit = await server.visit()
    await reach(server, visit["session"], id="A-1", **euros("49"))
    await send(shop, id="R-1", refund_of="A-1", **euros("-9"))
    assert (await asker.json("/v1/stats/summary"))["value"] == {"EUR": "40.00"}
    owner = await with_key(server, "owner", scope="admin")
    changed = await owner.http.patch(f"/v1/sites/{server.site}", json={"values": "keys"})
    assert changed.status_code == 200, changed.text
    assert (await asker.json("/v1/stats/summary"))["value"] == {}
    await send(shop, visit=visit["visit"], id="A-1", **euros("49"))
    assert (await asker.json("/v1/stats/summary"))["value"] == {"EUR": "40.00"}


async def test_what_is_refused_says_what_to_do(server: Server, shop: Any) -> None:
    visit = await server.visit()
    await send(shop, visit=visit["visit"], id="A-1", **euros("49.00"))
    refund = {"id": "R-1", "refund_of": "A-1"} | euros("-1.00")
    for changes, field, said in (
        ({"refund_of": "A-2"}, "refund_of", "is the id of no conversion of this goal"),
        ({"goal": "other"}, "refund_of", "is the id of no conversion of this goal"),
        ({"value": "-49.01"}, "value", "takes back more than is left of the conversion, 49.00 EUR"),
        ({"currency": "USD"}, "currency", "must be EUR"),
        ({"value": "0"}, "value", "must be below 0"),
        ({"value": "1"}, "value", "must be below 0"),
        ({"value": None}, "value", "is needed for a refund"),
        ({"id": "A-1"}, "id", "is that of what it takes back"),
        ({"refund_of": ""}, "refund_of", "must be 1 to 128"),
        ({"refund_of": None, "visit": visit["visit"]}, "value", "must be a decimal number from 0"),
        ({"refund_of": None, "value": "1"}, "visit", "or `token` or `external_id` is needed"),
    ):
        answer = await send(shop, **{name: text for name, text in (refund | changes).items() if text is not None})
        assert answer.status_code == 422, changes
        found = {error["field"]: error["detail"] for error in answer.json()["errors"]}
        assert found[field].startswith(said), (changes, found)
    page = await reach(server, visit["session"], id="R-1", refund_of="A-1", **euros("-1"))
    assert page.status_code == 422
    assert "an API key alone" in page.text
    ((rows,),) = await server.store.look("SELECT count(*) FROM conversions")
    assert rows == 1


@BOTH_BACKENDS
async def test_an_external_id_names_the_last_direct_return_by_then(
    server: Server, shop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    links = [
        (await shop.post("/v1/links", json={"url": "https://a.example/deep/page", "external_id": name})).json()
        for name in ("ann@example.org", "ann@example.org", "ben@example.org")
    ]
    came = []
    for number, link in enumerate((links[0], links[1], links[2])):
        server.clock.now += ids.HOUR_MS
        came.append(await server.visit(server.browser(f"192.0.2.{10 + number}"), token=link["token"]))
    # A friend of the second visit is further down, and not Ann.
    server.clock.now += ids.HOUR_MS
    await server.visit(server.browser("192.0.2.20"), token=came[1]["tokens"]["copy"])
    early = rfc3339(server.clock.now - 3 * ids.HOUR_MS)
    for number, (fields, visit) in enumerate((
        ({"external_id": "ann@example.org"}, came[1]),
        ({"external_id": " ann@example.org "}, came[1]),
        ({"external_id": "ann@example.org", "at": early}, came[0]),
        ({"external_id": "ben@example.org"}, came[2]),
    )):  # fmt: skip
        answer = await send(shop, id=f"D-{number}", **fields)
        assert answer.status_code == 200, answer.text
        rows = await server.store.look(f"SELECT visit_id FROM conversions WHERE external_id = 'D-{number}'")
        assert [ids.visit_text(row[0]) for row in rows] == [visit["visit"]], fields
    asked = []
    links_reader = server.state.store.reads.links
    run = links_reader._run  # noqa: SLF001 - which statements it runs is what the test asks

    async def counted(name: str, *values: Any, **params: Any) -> Any:
        asked.append(name)
        return await run(name, *values, **params)

    monkeypatch.setattr(links_reader, "_run", counted)
    assert (await send(shop, id="D-8", external_id="ann@example.org")).status_code == 200
    assert asked == ["returns_of_links", "last_return_of_links"]  # one each, however many links were opened
    for fields, said in (
        ({"external_id": "cat@example.org"}, "is on none of this site's minted links"),
        ({"external_id": "ben@example.org", "at": early}, "is on links through which no visit had come by then"),
    ):
        answer = await send(shop, id="D-9", **fields)
        assert (answer.status_code, answer.json()["errors"]) == (422, [{"field": "external_id", "detail": said}])
    both = await send(shop, id="D-9", external_id="ben@example.org", visit=came[0]["visit"])
    assert both.json()["errors"][0]["field"] == "visit"


async def test_a_page_that_guesses_an_order_holds_its_refund_up_until_the_sale_is_reported_by_key(
    server: Server, shop: Any
) -> None:
    stranger = await server.visit()
    for guess, order in (({"value": "1", "currency": "USD"}, "G-1"), (euros("0.01"), "G-2")):
        said = {"session": stranger["session"], "goal": "order", "id": order, "nonce": order * 8, **guess}
        assert (await server.post("conversions", **said)).status_code == 200
        refund = {"id": f"R-{order}", "refund_of": order, **euros("-9.00")}
        assert (await send(shop, **refund)).status_code == 422
        buyer = await server.visit(server.browser("192.0.2.9"))
        assert (await send(shop, visit=buyer["visit"], id=order, **euros("49.00"))).status_code == 200
        assert (await send(shop, **refund)).status_code == 200, order


async def test_a_refund_is_no_older_than_its_sale_by_more_than_a_day(server: Server, shop: Any) -> None:
    visit = (await server.visit())["visit"]
    server.clock.now += 5 * ids.DAY_MS
    await send(shop, visit=visit, id="A-1", **euros("49.00"))
    refund = {"refund_of": "A-1", **euros("-1.00")}
    for at in (server.clock.now - ids.DAY_MS - 1, 978_307_200_000):
        refused = await send(shop, id="R-1", at=rfc3339(at), **refund)
        assert (refused.status_code, refused.json()["errors"]) == (
            422, [{"field": "at", "detail": "is more than a day before what it takes back"}],
        )  # fmt: skip
    assert (await send(shop, id="R-1", at=rfc3339(server.clock.now - ids.DAY_MS), **refund)).status_code == 200


async def test_a_key_that_replaces_what_was_refunded_in_another_currency_is_shown_that(
    server: Server, shop: Any
) -> None:
    visit = await server.visit()
    page: dict[str, Any] = {"goal": "order", "id": "A-1", "value": "9", "currency": "USD", "nonce": "n" * 16}
    assert (await server.post("conversions", session=visit["session"], **page)).status_code == 200
    refunded = await send(shop, id="R-1", refund_of="A-1", value="-1", currency="USD")
    assert refunded.status_code == 200, refunded.text
    refused = await send(shop, visit=visit["visit"], id="A-1", **euros("49.00"))
    assert (refused.status_code, refused.json()["errors"]) == (
        422, [{"field": "currency", "detail": "must be USD: 1.00 USD of this conversion were refunded before"}],
    )  # fmt: skip
