"""``grapevine doctor`` on a PostgreSQL server: healthy, damaged, empty, away, and refused."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import pytest

from grapevine.cli import main
from grapevine.store.rows import SiteRow
from tests.store.databases import Database, Plant, PostgresDatabases
from tests.store.world import SITE
from tests.support.postgres import Postgres

pytestmark = pytest.mark.anyio

COMPARED = {
    "counts by hour", "counts by day", "counts by page", "counts by week", "counts by device", "visitors", "views",
    "days", "shares", "shares by page", "cascades", "chains", "links",
    "joined lines of logs",
}  # fmt: skip


class Doctor:
    """Runs the command as it is typed."""

    def __init__(self, capture: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self._capture = capture
        self._monkeypatch = monkeypatch
        self.keys("k" * 32)

    def keys(self, keys: str) -> None:
        self._monkeypatch.setenv("GRAPEVINE_SECRET_KEYS", keys)

    async def says(self, setting: str, *arguments: str) -> tuple[int, str, str]:
        """Its exit status, output and complaints."""
        self._monkeypatch.setenv("GRAPEVINE_DATABASE", setting)
        status = await asyncio.to_thread(main, ["doctor", *arguments])
        return status, *self._capture.readouterr()

    async def finds(self, setting: str, *arguments: str) -> dict[str, dict[str, Any]]:
        """Its findings by check."""
        status, out, err = await self.says(setting, "--json", *arguments)
        assert err == ""
        printed = json.loads(out)
        assert printed["ok"] is all(one["ok"] for one in printed["checks"]) is (status == 0)
        for one in printed["checks"]:
            assert one["says"].endswith(".")
            assert not one["says"].endswith("..")
            assert ("fix" in one) is not one["ok"]
        return {one["check"]: one for one in printed["checks"]}

    async def finds_wrong(self, setting: str, *arguments: str) -> dict[str, dict[str, Any]]:
        """What is not right."""
        return {name: one for name, one in (await self.finds(setting, *arguments)).items() if not one["ok"]}


@pytest.fixture
def doctor(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Doctor:
    return Doctor(capsys, monkeypatch)


@pytest.fixture
async def database(postgres_databases: PostgresDatabases) -> AsyncIterator[Database]:
    """A world with its site."""
    async with postgres_databases.holding(Plant(1)) as made:
        store = made.store()
        await store.open()
        await store.sites.add_site(
            SiteRow(
                site_id=SITE,
                key="vines",
                name="Vines",
                salt="00" * 16,
                param="gv",
                place="auto",
                query="*",
                created_at=0,
                origins=("https://example.org",),
            )
        )
        await store.close()
        yield made


async def test_a_healthy_database(doctor: Doctor, database: Database) -> None:
    setting = database.settings.database
    found = await doctor.finds(setting)
    assert set(found) == {"base URL", "proxies", "schema", "secret keys", "sites"} | COMPARED
    assert all(one["ok"] for one in found.values())
    status, out, err = await doctor.says(setting, "--site", "vines")
    *lines, last = out.splitlines()
    assert (status, last, err) == (0, "All is well.", "")
    assert all(line.startswith("ok ") for line in lines)
    status, _, err = await doctor.says(setting, "--site", "nobody")
    assert status == 1
    assert "no site of this server has the key or name 'nobody'" in err


async def test_numbers_that_are_not_what_the_rows_say(doctor: Doctor, database: Database) -> None:
    ((page, url),) = await database.rows("SELECT page_id, url FROM pages ORDER BY url LIMIT 1")
    raised = await database.change("UPDATE counts_page SET visits = visits + 1 WHERE cell = 1 AND page_id = ?", page)
    await database.change("UPDATE cascades SET size = 999 WHERE root_id = (SELECT min(root_id) FROM cascades)")
    wrong = await doctor.finds_wrong(database.settings.database)
    assert set(wrong) == {"counts by page", "counts by week", "cascades"}
    assert wrong["counts by page"]["places"] == raised
    for one in wrong["counts by page"]["differences"]:
        assert (one["site"], one["page"], one["measure"], one["stored"] - one["counted"]) == ("vines", url, "visits", 1)
    (one,) = wrong["cascades"]["differences"]
    assert (one["site"], one["measure"], one["stored"]) == ("vines", "size", 999)
    status, out, _ = await doctor.says(database.settings.database)
    assert status == 1
    assert f"- site vines, root {one['root']}: size is 999, the rows say {one['counted']}\n" in out
    assert out.endswith("3 of 19 checks found something to fix.\n")


async def test_keys_that_were_not_given(doctor: Doctor, database: Database) -> None:
    doctor.keys("")
    wrong = await doctor.finds_wrong(database.settings.database)
    assert set(wrong) == {"secret keys"}
    assert "Set GRAPEVINE_SECRET_KEYS" in wrong["secret keys"]["fix"]


async def test_a_database_without_tables_is_left_as_it_is(doctor: Doctor, postgres_server: Postgres) -> None:
    name = postgres_server.create()
    for _ in range(2):
        wrong = await doctor.finds_wrong(postgres_server.url(name))
        assert (set(wrong), wrong["schema"]["says"]) == ({"schema"}, "The database has no tables yet.")
        assert wrong["schema"]["fix"] == "Start the server, or run: grapevine migrate"
    postgres_server.drop(name)


@pytest.mark.parametrize(("version", "fix"), [("0", "grapevine migrate"), ("999", "newer Grapevine")])
async def test_a_schema_of_another_version(doctor: Doctor, database: Database, version: str, fix: str) -> None:
    await database.change(f"UPDATE versions SET version = {version} WHERE name = 'schema'")
    wrong = await doctor.finds_wrong(database.settings.database)
    assert set(wrong) == {"schema"}
    assert fix in wrong["schema"]["fix"]


async def test_a_server_that_is_away(doctor: Doctor, free_tcp_port: int) -> None:
    wrong = await doctor.finds_wrong(f"postgresql://vines:grapes@127.0.0.1:{free_tcp_port}/lees")
    assert set(wrong) == {"schema"}
    shown = f"the database postgresql://127.0.0.1:{free_tcp_port}/lees cannot be reached"
    assert wrong["schema"]["says"].startswith(shown)
    assert "grapes" not in str(wrong)
    assert wrong["schema"]["fix"] == "Check GRAPEVINE_DATABASE and the database server."


async def test_a_database_that_the_server_does_not_have(doctor: Doctor, postgres_server: Postgres) -> None:
    wrong = await doctor.finds_wrong(postgres_server.url("lees"))
    assert set(wrong) == {"schema"}
    assert 'database "lees" does not exist' in wrong["schema"]["says"]


async def test_a_role_that_the_server_does_not_have(doctor: Doctor, postgres_server: Postgres) -> None:
    url = postgres_server.url().replace("//postgres@", f"//nobody:{quote('gra/pes', safe='')}@")
    wrong = await doctor.finds_wrong(url)
    assert 'role "nobody" does not exist' in wrong["schema"]["says"]
    assert "pes" not in str(wrong)


async def test_a_table_that_is_gone(doctor: Doctor, database: Database) -> None:
    await database.change("DROP TABLE counts_page")
    status, _, err = await doctor.says(database.settings.database)
    assert status == 1
    assert 'relation "counts_page" does not exist' in err
