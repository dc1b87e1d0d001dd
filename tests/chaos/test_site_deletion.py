"""A site is deleted beside a running server: the server follows at once, others lose nothing, a kill is no end."""

from __future__ import annotations

import asyncio
import http.client
import json
import random
import secrets
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from typing import Any, Final
from urllib.parse import urlencode

import pytest

from grapevine.store.copy.schema import all_tables
from grapevine.store.sqlite.files import database_files
from tests.chaos.audit import counts_agree, holds_in
from tests.chaos.old_world import fill
from tests.chaos.widget_load import WidgetLoad
from tests.support.raw_connection import ORIGIN, Connection, RawResponse, connected
from tests.support.server_process import PATIENCE_SECONDS, Installation, PostgresInstallation, ServerProcess

pytestmark = pytest.mark.anyio

NAME: Final = "Chaos"
EVENTS: Final = 100
VISITS: Final = 500
PAUSE_SECONDS: Final = 0.01
SLOWLY: Final = (
    "import sys; import grapevine.store.repositories.site_deletion as deletion; deletion.AT_ONCE = 10; "
    "from grapevine.cli import main; sys.exit(main(sys.argv[1:]))"
)
"""A command whose transactions are small, so that there are many between which it can be killed."""
FORM: Final = {"content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "same-origin"}


async def test_a_running_server_forgets_the_site_under_traffic(installation: Installation) -> None:
    await forgotten_under_traffic(installation)


@pytest.mark.slow
async def test_a_running_server_forgets_the_site_under_traffic_in_postgres(
    postgres_installation: PostgresInstallation,
) -> None:
    await forgotten_under_traffic(postgres_installation)


async def forgotten_under_traffic(installation: Installation) -> None:
    """Deletes one of two sites that are both visited; all that was reachable through it is gone, and nothing else."""
    other = json.loads(installation.run("site", "add", "Other", "--origin", ORIGIN, "--json").out)["site"]
    load = WidgetLoad(other, "beside")
    with installation.serving() as server:
        async with visited(installation, server) as answers, load.on(server.port):
            await load.reached(acknowledged=EVENTS)
            async with connected(server.port) as ours:
                token = (await visit(installation, ours)).json()["tokens"]["copy"]
            cookie = await asyncio.to_thread(sign_in, server.port, installation.key)
            assert await asked(installation, server.port, token, cookie) == [302, 302, 200, 200, 200]
            done = await asyncio.to_thread(
                installation.run, "site", "delete", installation.site, "--yes", NAME, "--json"
            )
            assert (done.status, done.err) == (0, ""), done
            assert await asked(installation, server.port, token, cookie) == [404, 404, 401, 303, 404]
            seen = answers[404]
            async with connected(server.port) as ours:
                refused = await visit(installation, ours)
            assert (refused.status, refused.json()["code"]) == (404, "unknown-site")
            assert seen
            await load.reached(acknowledged=EVENTS)
        assert answers.keys() <= {200, 404}
        assert answers[200]
        await load.settle(server.port)
        assert server.end().status == 0
    assert json.loads(done.out)["deleted"]["visits"] >= answers[200]
    assert await left(installation) == {"deleted_sites": 1}
    await holds_in(installation, load)
    await counts_agree(installation)


@pytest.mark.parametrize("kills", [2, pytest.param(8, marks=pytest.mark.slow)])
async def test_a_killed_deletion_goes_on(installation: Installation, kills: int) -> None:
    await killed_while_it_deletes(installation, kills)
    files = [file.read_bytes() for file in database_files(installation.database) if file.exists()]
    assert not any(b"example.org/vines" in file for file in files)


@pytest.mark.slow
async def test_a_killed_deletion_goes_on_in_postgres(postgres_installation: PostgresInstallation) -> None:
    await killed_while_it_deletes(postgres_installation, 5)


async def killed_while_it_deletes(installation: Installation, kills: int) -> None:
    """Kills one command after the other in the middle of its work, while a server runs; the last one ends it."""
    await fill(installation, VISITS * kills)
    moments, rows = random.Random(kills), [await number(installation)]  # noqa: S311
    command = ("site", "delete", installation.site, "--yes", NAME)
    with installation.serving() as server:
        for _ in range(kills):
            goal = rows[-1] - moments.randrange(1, VISITS // 2)
            with installation.starting(("-c", SLOWLY, *command)) as process:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    while await number(installation) > goal and process.poll() is None:  # noqa: ASYNC110
                        await asyncio.sleep(0.001)
                process.kill()
            rows.append(await number(installation))
            await until_refused(installation, server.port)
            assert await installation.rows("SELECT count(*) FROM sites") == [(1,)]
        done = installation.run(*command)
        assert (done.status, done.err) == (0, ""), done
        assert server.end().status == 0
    assert rows == sorted(rows, reverse=True)
    assert 0 < rows[-1] < rows[0], f"no kill came in the middle: {rows}"
    assert await left(installation) == {"deleted_sites": 1}


@asynccontextmanager
async def visited(installation: Installation, server: ServerProcess) -> AsyncIterator[Counter[int]]:
    """Visits the site over and over while the block runs; yields how often each status was the answer."""
    answers = Counter[int]()
    stopping = asyncio.Event()

    async def browse() -> None:
        async with connected(server.port) as connection:
            while not stopping.is_set():
                answer = await visit(installation, connection)
                answers[answer.status] += 1
                assert answer.status == 200 or answer.json()["code"] == "unknown-site", answer
                await asyncio.sleep(PAUSE_SECONDS)

    async with asyncio.TaskGroup() as group:
        for _ in range(4):
            group.create_task(browse())
        try:
            yield answers
        finally:
            stopping.set()


async def visit(installation: Installation, connection: Connection) -> RawResponse:
    """One visit to the site that is deleted."""
    body = {"site": installation.site, "url": f"{ORIGIN}/", "nonce": secrets.token_hex(12), "channels": ["copy"]}
    return await connection.ask("POST", "/v1/visits", body)


async def until_refused(installation: Installation, port: int) -> None:
    """Returns when the server knows that the site is gone."""
    async with asyncio.timeout(PATIENCE_SECONDS), connected(port) as connection:
        while (await visit(installation, connection)).status != 404:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


def sign_in(port: int, key: str) -> str:
    """Signs in to the dashboard. Returns the cookie."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)) as connection:
        connection.request("POST", "/sign-in", urlencode({"key": key}), FORM)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 303, answer.status
        return str(answer.headers["set-cookie"]).partition(";")[0]


async def asked(installation: Installation, port: int, token: str, cookie: str) -> list[int]:
    """The statuses of what is reached through the site: a short link, the same again from the cache, its numbers by
    key, the dashboard, and the counts of a page."""
    async with connected(port) as connection:
        answers = [
            await connection.ask("GET", f"/s/{token}"),
            await connection.ask("GET", f"/s/{token}"),
            await connection.ask("GET", "/v1/stats/summary", authorization=f"Bearer {installation.key}"),
            await connection.ask("GET", "/", cookie=cookie),
            await connection.ask("GET", f"/v1/counts?{urlencode({'site': installation.site, 'url': f'{ORIGIN}/'})}"),
        ]
    return [answer.status for answer in answers]


async def number(installation: Installation) -> int:
    """How many visits there are."""
    ((count,),) = await installation.rows("SELECT count(*) FROM visits")
    return int(count)


async def left(installation: Installation) -> dict[str, int]:
    """How many rows name the first site, by table."""
    found: dict[str, Any] = {}
    for table in all_tables():
        if "site_id" in table.names:
            ((found[table.name],),) = await installation.rows(f"SELECT count(*) FROM {table.name} WHERE site_id = 1")
    return {name: count for name, count in found.items() if count}
