"""What docs/privacy.md says is never stored is in no table, no file of the database and no line of the log."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Final

import pytest

from grapevine.store import sql_loader
from tests.support.in_process_server import BOTH_BACKENDS, Server
from tests.support.user_agents import CHROME

pytestmark = pytest.mark.anyio

ADDRESSES: Final = ("203.0.113.77", "2001:db8:5ea:7::99")
MARKS: Final = (*ADDRESSES, "2001:db8:5ea:7", "Zephyr", "tlh-QO", "whence.example", "whence-path", "cookie-value")
"""The visitors' addresses and network, and what only their browsers, languages, referrers and cookies hold."""
ANSWER: Final = "A friend of mine told me"


@BOTH_BACKENDS
async def test_addresses_agents_languages_referrers_and_cookies_are_stored_nowhere(
    server: Server, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.DEBUG)
    token = (await server.visit())["tokens"]["copy"]
    for address in ADDRESSES:
        headers = {
            "Accept-Language": "tlh-QO",
            "Cookie": "id=cookie-value",
            "Referer": "https://whence.example/whence-path",
        }
        browser = server.browser(address, f"{CHROME} Zephyr/9.77", **headers)
        visit = await server.visit(browser, token=token, referrer="https://whence.example/whence-path", title="Tea")
        session = visit["session"]
        goal = {"goal": "order", "id": f"order-{len(address)}", "nonce": "c" * 16 + address[-2:]}
        calls = {
            "views": {"session": session},
            "shares": {"session": session, "token": visit["tokens"]["copy"]},
            "conversions": {"session": session} | goal,
            "answers": {"session": session, "text": ANSWER, "nonce": "a" * 16 + address[-2:]},
        }
        for call, fields in calls.items():
            assert (await server.post(call, browser, **fields)).status_code == 200
        for refused in ({"site": "nobody"}, {"url": "https://whence.example/whence-path"}, {"nonce": "short"}):
            assert (await server.post("visits", browser, **refused)).status_code in {403, 404, 422}
        opted_out = server.browser(address, f"{CHROME} Zephyr/9.77", **headers, **{"Sec-GPC": "1"})
        assert (await server.post("visits", opted_out)).status_code == 202
        assert (await browser.get(f"/s/{token}")).status_code == 302
    tables = {name: await server.store.look(f"SELECT * FROM {name}") for name in sql_loader.table_names()}
    stored = repr(tables)
    assert ANSWER in stored
    assert [mark for mark in MARKS if mark.lower() in stored.lower()] == []
    files = _bytes_of(tmp_path)
    assert ANSWER.encode() in files or not files  # PostgreSQL has its own
    assert [mark for mark in MARKS if mark.lower().encode() in files.lower()] == []
    assert [mark for mark in MARKS if mark in caplog.text] == []


def _bytes_of(folder: Path) -> bytes:
    """The bytes of a SQLite database and its log; none on PostgreSQL."""
    return b"".join(file.read_bytes() for file in folder.glob("grapevine.sqlite3*"))
