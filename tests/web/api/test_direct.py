"""``GET /v1/stats/direct`` over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from grapevine.sites.api_keys import hash_secret
from grapevine.store.rows import KeyRow
from tests.support.in_process_server import NOON, ORIGIN, Server

pytestmark = pytest.mark.anyio

IN_APP = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Mobile/15E148 Instagram 320.0.0"
)


@pytest.fixture
async def headers(server: Server) -> dict[str, str]:
    await server.store.api_keys.add_key(
        KeyRow(key_id="id-reader", site_id=1, name="test", scope="read", created_at=NOON, revoked_at=None),
        hash_secret("reader"),
    )
    return {"Authorization": "Bearer reader"}


async def asked(server: Server, headers: dict[str, str], **params: str) -> Any:
    response = await server.http.get("/v1/stats/direct", params=params, headers=headers)
    assert response.status_code == 200, response.text
    assert response.headers["cache-control"] == "private, no-cache"
    return response.json()


async def test_the_parts_of_direct(server: Server, headers: dict[str, str]) -> None:
    await server.visit(url=f"{ORIGIN}/")
    deep = await server.visit(url=f"{ORIGIN}/deep/page")
    await server.share(deep["tokens"]["copy"], url=f"{ORIGIN}/deep/page")
    await server.visit(server.browser("192.0.2.2"), token=deep["tokens"]["copy"])
    await server.visit(server.browser("192.0.2.3", IN_APP))
    await server.visit(server.browser("192.0.2.4"), referrer="android-app://org.example.reader/")
    answer = await asked(server, headers)
    assert list(answer) == ["measured", "evidence", "shares", "estimate", "pages"]
    assert answer["measured"] == {"visits": 5, "home": 1, "deep": 1, "private_returns": 1, "public_returns": 0}
    assert answer["evidence"] == {
        "in_app": 1,
        "app_referrer": 1,
        "apps": {"instagram": 1, "org.example.reader": 1},
        "arrivals": {
            "click_id": 0,
            "decided_by_click_id": 0,
            "copied_address": 0,
            "copied_address_direct": 0,
            "highlight_link": 0,
        },
    }
    assert answer["shares"] == {"reported": 1, "proven": 1, "both": 1, "estimated": 1, "reports_lost": 0.0}
    assert answer["estimate"] == {
        "value": None,
        "low": None,
        "high": None,
        "level": 0.9,
        "method": "evidence-2",
        "of": 1,
        "reason": "too-few-deep-visits",
        "missing": {"days": 0, "deep_visits": 19, "private_returns": 9, "points": 0.0},
        "expected": None,
    }
    assert answer["pages"] == [
        {"url": f"{ORIGIN}/deep/page", "deep": 1, "private_returns": 1, "value": None, "low": None, "high": None},
    ]


@pytest.mark.parametrize("params", [{"page": "https://a.example/"}, {"from": "yesterday"}, {"days": "3"}])
async def test_what_it_does_not_take(server: Server, headers: dict[str, str], params: dict[str, str]) -> None:
    response = await server.http.get("/v1/stats/direct", params=params, headers=headers)
    assert (response.status_code, response.json()["code"]) == (422, "invalid")


async def test_it_needs_a_key(server: Server) -> None:
    response = await server.http.get("/v1/stats/direct")
    assert response.status_code == 401
