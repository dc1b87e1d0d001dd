"""A database file with a damaged page: one clear error at start, 503 while running, and never a traceback."""

from __future__ import annotations

import shutil
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from grapevine.config.settings import Settings
from grapevine.errors import StoreError
from tests.support.in_process_server import ORIGIN, Server, serving
from tests.web.dashboard.dashboard_browser import HOME, add_key

pytestmark = pytest.mark.anyio

PAGE = 4096
KEY = {"Authorization": "Bearer gv_abc"}
PATHS = (
    "/v1/stats/summary", "/v1/stats/direct", "/v1/stats/breakdown?by=page", "/v1/cascades", "/v1/spikes",
    "/v1/attribution?model=last", "/v1/export/visits", "/v1/export/shares", "/v1/export/cascades", "/readyz",
)  # fmt: skip
PAGES = ("/", "/cascades", "/direct", "/links", "/conversions")


def settings(path: Path) -> Settings:
    return Settings(database=f"sqlite:///{path}", secret_keys=(b"k" * 32,), rate_limit=0)


@pytest.fixture
async def filled(tmp_path: Path, anyio_backend: str) -> tuple[Path, str]:
    """A closed database with a row in most tables, and one of its tokens."""
    assert anyio_backend == "asyncio"
    path = tmp_path / "whole.sqlite3"
    async with serving(settings(path)) as server:
        await server.add_site("site-a", ORIGIN)
        await add_key(server, "gv_abc")
        first = await server.visit()
        token = first["tokens"]["copy"]
        await server.post("shares", token=token, session=first["session"])
        await server.visit(server.browser("192.0.2.2"), token=token)
        await server.post("conversions", session=first["session"], goal="order", nonce="n" * 16)
        await server.http.get("/v1/stats/summary", headers=KEY)
    return path, token


def damage(path: Path, number: int) -> None:
    """Overwrites the page; of the first one everything but the header of the file."""
    content = bytearray(path.read_bytes())
    start, end = number * PAGE, (number + 1) * PAGE
    content[max(start, 100) : end] = b"\xff" * (end - max(start, 100))
    path.write_bytes(content)


async def ask(server: Server, token: str) -> Counter[int]:
    """The statuses of all kinds of requests."""
    asked = [
        await server.post("visits", token=token),
        await server.http.get(f"/s/{token}"),
        await server.http.get(f"/v1/tokens/{token}", headers=KEY),
        *[await server.http.get(path, headers=KEY) for path in PATHS],
    ]
    client = server.browser(Origin=HOME)
    asked.append(await client.post("/sign-in", data={"key": "gv_abc"}))
    asked += [await client.get(path) for path in PAGES]
    for answer in asked:
        if answer.status_code == 503 and answer.request.url.path != "/readyz":
            check_refusal(answer)
    return Counter(answer.status_code for answer in asked)


def check_refusal(answer: httpx.Response) -> None:
    """A 503 says what every 503 says."""
    assert answer.headers["retry-after"] == "5"
    assert answer.json()["code"] == "busy"
    assert "damaged" not in answer.text, "what is wrong is for the server's owner"


def number_of_pages(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        ((size,),) = connection.execute("PRAGMA page_size").fetchall()
        ((count,),) = connection.execute("PRAGMA page_count").fetchall()
    assert size == PAGE
    return int(count)


def damaged_copy(whole: Path, number: int) -> Path:
    """A copy of the database with one damaged page."""
    folder = whole.with_name(f"page-{number}")
    folder.mkdir()
    copy = Path(shutil.copy(whole, folder))
    damage(copy, number)
    return copy


def move_log_into(path: Path) -> None:
    """Copies what is in the write-ahead log into the database."""
    with closing(sqlite3.connect(path)) as connection:
        ((busy, *_),) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    assert not busy


def tracebacks(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The records of errors that have one."""
    return [record.getMessage() for record in caplog.records if record.exc_info]


@pytest.mark.parametrize("step", [4, pytest.param(1, marks=pytest.mark.slow)])
async def test_a_damaged_page_is_a_clear_error(
    filled: tuple[Path, str], caplog: pytest.LogCaptureFixture, step: int
) -> None:
    """One page of a copy is damaged, for each page or for each fourth of them."""
    whole, token = filled
    refused, served = [], Counter[int]()
    pages = number_of_pages(whole)
    for page in range(0, pages, step):
        copy = damaged_copy(whole, page)
        try:
            async with serving(settings(copy)) as server:
                served += await ask(server, token)
        except StoreError as error:
            refused.append(str(error))
    print(f"{pages} pages: {len(refused)} starts refused; answers {dict(served)}")
    assert refused
    assert [text for text in refused if "damaged" not in text and "cannot use the database file" not in text] == []
    assert served[503]
    assert served[200]
    assert not served[500]
    assert tracebacks(caplog) == []


async def test_damage_while_it_runs(filled: tuple[Path, str], caplog: pytest.LogCaptureFixture) -> None:
    whole, token = filled
    async with serving(settings(whole)) as server:
        assert (await ask(server, token)).keys() <= {200, 302, 303}
        move_log_into(whole)
        for number in range(1, number_of_pages(whole)):
            damage(whole, number)
        found: Counter[int] = Counter()
        for _ in range(3):
            found += await ask(server, token)
    assert found[503]
    assert not found[500]
    assert "is damaged" in caplog.text
    assert tracebacks(caplog) == []
