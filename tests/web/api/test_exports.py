"""``GET /v1/export/{table}`` over HTTP, on each backend."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pyarrow.parquet as pq
import pytest

from grapevine.errors import StoreError
from grapevine.exports import FORMATS, TABLES
from grapevine.sites.api_keys import hash_secret
from grapevine.store.rows import KeyRow
from tests.support.in_process_server import BOTH_BACKENDS, NOON, ORIGIN, Server

pytestmark = pytest.mark.anyio

TODAY, YESTERDAY = "2026-11-05", "2026-11-04"
SLACK = "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)"


@pytest.fixture
async def headers(server: Server) -> dict[str, str]:
    for name, site_id in (("reader", 1), ("all", 0), ("other", 2)):
        await server.store.api_keys.add_key(
            KeyRow(key_id=f"id-{name}", site_id=site_id, name=name, scope="read", created_at=NOON, revoked_at=None),
            hash_secret(name),
        )
    return {"Authorization": "Bearer reader"}


async def get(server: Server, table: str, headers: dict[str, str], **params: str) -> httpx.Response:
    return await server.http.get(f"/v1/export/{table}", params=params, headers=headers)


def lines(response: httpx.Response) -> list[dict[str, Any]]:
    assert response.status_code == 200, response.text
    return [msgspec.json.decode(line) for line in response.content.splitlines()]


async def live(server: Server) -> tuple[dict[str, Any], dict[str, Any]]:
    """A reader shares and buys, Slack fetches the preview, a second reader follows the link."""
    first = await server.visit(title="=cmd|' /C calc'!A1")
    await server.share(first["tokens"]["copy"], url=f"{ORIGIN}/other", title="Other")
    await server.browser("192.0.2.9", SLACK).get(f"/s/{first['tokens']['copy']}")
    second = await server.visit(server.browser("192.0.2.2"), token=first["tokens"]["copy"])
    await server.post(
        "conversions", session=second["session"], goal="order", value="49.9", currency="EUR", id="A-1", nonce="n" * 16
    )
    return first, second


async def test_what_happened_is_in_the_tables(server: Server, headers: dict[str, str]) -> None:
    first, second = await live(server)
    visits = {line["visit"]: line for line in lines(await get(server, "visits", headers))}
    assert visits.keys() == {first["visit"], second["visit"]}
    came = visits[second["visit"]]
    assert (came["source"], came["channel"], came["n"], came["depth"], came["verdict"]) == ("share", "copy", 0, 1, None)
    assert came["sharer"] == came["parent"] == came["root"] == first["visit"]
    (share,) = lines(await get(server, "shares", headers))
    assert (share["visit"], share["token"]) == (first["visit"], first["tokens"]["copy"])
    assert (share["url"], share["title"], share["reported"], share["proven"], share["returns"]) == (
        f"{ORIGIN}/other",
        "Other",
        True,
        True,
        1,
    )
    (unfurl,) = lines(await get(server, "unfurls", headers))
    assert (unfurl["visit"], unfurl["channel"], unfurl["app"]) == (first["visit"], "copy", "slack")
    (conversion,) = lines(await get(server, "conversions", headers))
    assert [conversion[name] for name in ("visit", "goal", "id", "value", "currency")] == [
        second["visit"],
        "order",
        "A-1",
        "49.90",
        "EUR",
    ]
    (cascade,) = lines(await get(server, "cascades", headers))
    assert (cascade["root"], cascade["size"], cascade["breadth"]) == (first["visit"], 2, 1)
    assert lines(await get(server, "answers", headers)) == []


@BOTH_BACKENDS
async def test_nothing_in_it_tells_people_apart(server: Server, headers: dict[str, str]) -> None:
    await live(server)
    for table in TABLES:
        for column in TABLES[table].columns:
            assert not re.search("visitor|nonce|check|address|agent|event_key|page_id", column.name)
    ((visitor, nonce_check),) = await server.store.look("SELECT visitor, nonce_check FROM visits WHERE depth = 1")
    text = (await get(server, "visits", headers)).text
    assert str(visitor) not in text
    assert str(nonce_check) not in text


async def test_csv_for_spreadsheets(server: Server, headers: dict[str, str]) -> None:
    first, _ = await live(server)
    response = await get(server, "visits", headers, format="csv")
    assert response.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    assert response.content.startswith(b"\xef\xbb\xbfvisit,")
    text = response.content.decode("utf-8-sig")
    found = {line["visit"]: line for line in csv.DictReader(io.StringIO(text, newline=""))}
    assert found[first["visit"]]["title"] == "'=cmd|' /C calc'!A1"
    assert found[first["visit"]]["self"] == "false"
    assert found[first["visit"]]["parent"] == ""
    ndjson = {line["visit"]: line for line in lines(await get(server, "visits", headers))}
    assert ndjson[first["visit"]]["title"] == "=cmd|' /C calc'!A1"
    for bom, content in (("off", text.encode()), ("on", response.content)):
        assert (await get(server, "visits", headers, format="csv", bom=bom)).content == content
    empty = await get(server, "answers", headers, format="csv")
    assert empty.content == b"\xef\xbb\xbfvisit,at,text,contact,verdict,id,class,class_by,channel,by\r\n"
    assert not (await get(server, "visits", headers, bom="on")).content.startswith(b"\xef")
    refused = await get(server, "visits", headers, format="csv", bom="no")
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "bom")


async def test_parquet(server: Server, headers: dict[str, str]) -> None:
    await live(server)
    for table in TABLES:
        response = await get(server, table, headers, format="parquet")
        assert response.headers["content-type"] == "application/vnd.apache.parquet"
        assert response.headers["content-disposition"] == f'attachment; filename="grapevine-site-a-{table}.parquet"'
        found = pq.read_table(io.BytesIO(response.content))
        assert found.num_rows == len(lines(await get(server, table, headers)))


async def test_days_are_inclusive(server: Server, headers: dict[str, str]) -> None:
    await live(server)
    for params, there in (
        ({"from": TODAY, "to": TODAY}, True),
        ({"from": TODAY}, True),
        ({"to": TODAY}, True),
        ({"to": YESTERDAY}, False),
        ({"from": "2026-11-06"}, False),
        ({"from": "2020-01-01", "to": YESTERDAY}, False),
    ):
        for table in ("visits", "shares", "unfurls", "conversions", "cascades"):
            assert bool(lines(await get(server, table, headers, **params))) is there, (table, params)


async def test_its_name_says_what_it_is(server: Server, headers: dict[str, str]) -> None:
    response = await get(server, "shares", headers, **{"from": YESTERDAY, "to": TODAY, "format": "csv"})
    assert response.headers["content-disposition"] == (
        f'attachment; filename="grapevine-site-a-shares-{YESTERDAY}-{TODAY}.csv"'
    )
    assert response.headers["cache-control"] == "no-store"
    head = await server.http.head("/v1/export/shares", headers=headers)
    assert (head.status_code, head.content) == (200, b"")
    assert "content-length" not in head.headers
    assert head.headers["content-type"] == FORMATS["ndjson"].media_type
    assert head.headers["content-disposition"] == 'attachment; filename="grapevine-site-a-shares.ndjson"'


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"format": "xlsx"}, "format"),
        ({"format": ""}, "format"),
        ({"from": "yesterday"}, "from"),
        ({"to": "2026-02-30"}, "to"),
        ({"from": TODAY, "to": YESTERDAY}, "from"),
        ({"to": "9999-01-01"}, "to"),
        ({"page": ORIGIN}, "page"),
    ],
)
async def test_what_it_does_not_take(
    server: Server, headers: dict[str, str], params: dict[str, str], field: str
) -> None:
    response = await get(server, "visits", headers, **params)
    assert (response.status_code, response.json()["code"]) == (422, "invalid")
    assert field in {error["field"] for error in response.json()["errors"]}


async def test_only_the_tables_of_the_contract(server: Server, headers: dict[str, str]) -> None:
    for table in ("guards", "api_keys", "Visits"):
        response = await get(server, table, headers)
        assert (response.status_code, response.json()["code"]) == (404, "not-found")
        assert "visits, shares, unfurls, conversions, answers, cascades" in response.json()["detail"]


async def test_whose_key_reaches_what(server: Server, headers: dict[str, str]) -> None:
    await live(server)
    await server.add_site("site-b", "https://b.example")
    assert (await get(server, "visits", {})).status_code == 401
    assert (await get(server, "visits", {"Authorization": "Bearer nobody"})).status_code == 401
    assert (await get(server, "visits", headers, site="site-b")).status_code == 403
    every = {"Authorization": "Bearer all"}
    assert (await get(server, "visits", every)).status_code == 422
    assert len(lines(await get(server, "visits", every, site="site-a"))) == 2
    assert lines(await get(server, "visits", every, site="site-b")) == []
    assert lines(await get(server, "visits", {"Authorization": "Bearer other"})) == []


async def test_a_store_that_is_away_is_no_empty_export(
    server: Server, headers: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object, **__: object) -> list[tuple[Any, ...]]:
        raise StoreError("gone")

    monkeypatch.setattr(server.store.exports, "_run", away)
    for format_name in FORMATS:
        response = await get(server, "visits", headers, format=format_name)
        assert (response.status_code, response.json()["code"]) == (503, "busy")


def test_every_column_is_documented(project_root: Path) -> None:
    text = (project_root / "docs/exports.md").read_text("utf-8")
    for table in TABLES:
        said = re.search(rf"^\*\*{table}\*\*.*?(?=^\*\*|^Every return)", text, re.MULTILINE | re.DOTALL)
        assert said, table
        for column in TABLES[table].columns:
            assert f"`{column.name}`" in said[0], (table, column.name)
