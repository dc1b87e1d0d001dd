"""A title never costs a report: it is cut, and characters that no database can hold are replaced in it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.in_process_server import BOTH_BACKENDS, ORIGIN, Server

pytestmark = pytest.mark.anyio

NONCE = "n" * 16
TITLES = {
    rb"Fresh bread \ud83e": "Fresh bread \ufffd",
    rb"\udf5e\ud83e turned round": "\ufffd\ufffd turned round",
    rb"a pair \ud83e\udd56, and a half \uDFFF": "a pair \U0001f956, and a half \ufffd",
    b"half as bytes \xed\xa0\xbd": "half as bytes \ufffd",
    rb"NUL \u0000 in it": "NUL \ufffd in it",
    rb"both \u0000\ud800": "both \ufffd\ufffd",
    rb"\u0000": "\ufffd",
    b"x" * 5_000: "x" * 300,
    rb"\ud83e\udd56" * 400: "\U0001f956" * 300,
    "é".encode() * 400: "é" * 300,
}
"""Titles as they stand in JSON, and as they are stored."""


@BOTH_BACKENDS
async def test_a_title_never_costs_a_report(server: Server) -> None:
    for number, (written, stored) in enumerate(TITLES.items()):
        url = f"{ORIGIN}/{number}"

        async def post(call: str, written: bytes = written, url: str = url, **more: str) -> dict[str, Any]:
            known = {"site": "site-a", "url": url, "nonce": f"{NONCE}{url[-1]}", "title": "TITLE", **more}
            response = await server.http.post(
                f"/v1/{call}", content=json.dumps(known).encode().replace(b"TITLE", written)
            )
            assert response.status_code == 200, (call, written, response.text)
            return dict(response.json())

        answer = await post("visits")
        assert await server.store.look(f"SELECT title FROM pages WHERE url = '{url}'") == [(stored,)]
        await post("views", session=answer["session"])
        await post("shares", session=answer["session"], token=answer["tokens"]["copy"])
