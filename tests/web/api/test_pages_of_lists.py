"""Lists that go on: a bare list by its ``Link`` header, others by ``next``, as clients follow them."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.support.in_process_server import ORIGIN, Server
from tests.web.api.test_read_api import KeyClient, refused, with_key

pytestmark = pytest.mark.anyio

PATH = "/v1/stats/breakdown"


@pytest.fixture
async def asker(server: Server) -> KeyClient:
    for number in range(5):
        for visit in range(number + 1):
            await server.visit(server.browser(f"192.0.{number}.{visit}"), url=f"{ORIGIN}/page/{number}")
    return await with_key(server, "reader")


async def follow(asker: KeyClient, response: httpx.Response) -> list[httpx.Response]:
    """A list from its first page to its last, each by the link of the one before."""
    responses = [response]
    while "next" in responses[-1].links:
        following = responses[-1].url.join(responses[-1].links["next"]["url"])
        responses.append(await asker.http.get(following))
        assert responses[-1].status_code == 200, responses[-1].text
    return responses


async def test_a_bare_list_goes_on_by_its_link(asker: KeyClient) -> None:
    whole = await asker.get(PATH, by="page")
    assert [row["visits"] for row in whole.json()] == [5, 4, 3, 2, 1]
    assert "link" not in whole.headers
    for sort in ("top", "key"):
        found = await follow(asker, await asker.get(PATH, by="page", limit=2, sort=sort))
        assert [len(response.json()) for response in found] == [2, 2, 1]
        rows = [row for response in found for row in response.json()]
        assert sorted(rows, key=lambda row: -row["visits"]) == whole.json()
        assert all(response.headers["cache-control"] == "private, no-cache" for response in found)


async def test_a_link_keeps_the_question_and_its_days(asker: KeyClient) -> None:
    first = await asker.get(PATH, by="page", limit=1, device="desktop", page=f"{ORIGIN}/page/4")
    assert "next" not in first.links
    first = await asker.get(PATH, by="page", limit=1, device="desktop")
    link = httpx.URL(first.links["next"]["url"])
    assert link.path in ("", "/")
    assert {name: link.params[name] for name in ("by", "limit", "device")} == {
        "by": "page", "limit": "1", "device": "desktop",
    }  # fmt: skip
    assert {"from", "to", "cursor"} <= set(link.params)
    other: dict[str, Any] = {**link.params, "device": "phone"}
    assert refused(await asker.get(PATH, **other)) == (422, "invalid", ["cursor"])


async def test_value_over_time_is_written_as_decimals(server: Server, asker: KeyClient) -> None:
    visit = await server.visit(server.browser("198.51.100.1"))
    assert {point["value"] for point in await asker.json("/v1/stats/series", metric="value")} == {"0.00"}
    owner = await with_key(server, "owner", scope="write")

    async def convert(identity: str, currency: str) -> None:
        body = {"goal": "order", "visit": visit["visit"], "id": identity, "value": "49", "currency": currency}
        assert (await owner.http.post("/v1/conversions", json=body)).status_code == 200

    await convert("one", "EUR")
    (*before, last) = await asker.json("/v1/stats/series", metric="value")
    assert last == {"at": last["at"], "value": "49.00", "currency": "EUR"}
    assert {point["value"] for point in before} == {"0.00"}
    await convert("two", "USD")
    assert refused(await asker.get("/v1/stats/series", metric="value")) == (422, "invalid", ["currency"])
    for currency in ("EUQ", "dem"):
        found = await asker.get("/v1/stats/series", metric="value", currency=currency)
        assert refused(found) == (422, "invalid", ["currency"])
    for currency, value in (("USD", "49.00"), ("usd", "49.00"), ("Eur", "49.00"), ("CHF", "0.00")):
        points = await asker.json("/v1/stats/series", metric="value", currency=currency, reported_by="key")
        assert points[-1]["value"] == value
        assert points[-1]["currency"] == currency.upper()
    ratios = await asker.json("/v1/stats/series", metric="k_factor")
    assert (ratios[0]["value"], ratios[-1]["value"]) == (None, 0.0)
    assert list(ratios[0]) == ["at", "value"]
