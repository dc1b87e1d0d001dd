"""``kill -9`` at any moment of an import of a log, and again: the rows are those of an import that nothing stopped."""

from __future__ import annotations

import asyncio
import random
import shutil
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest

from grapevine.config.secret_keys import with_secret_keys
from grapevine.config.settings import Settings
from grapevine.domain import ids
from grapevine.sites.cache import Site
from grapevine.store.copy.schema import copied_tables
from grapevine.store.factory import make_store
from tests.chaos.audit import counts_agree
from tests.chaos.old_world import SITE, fill
from tests.store.world import World
from tests.support.server_process import PATIENCE_SECONDS, Installation, PostgresInstallation
from tests.support.user_agents import CHROME

pytestmark = pytest.mark.anyio

LINES: Final = 2_600
LATEST_SECONDS: Final = 0.05
"""The first kill comes at the latest so long after the first batch is stored."""
FIRST_SECONDS: Final = 2.5
"""The others come at the latest so long after the start; the first line is read after a second or so."""
FIRST_PARTS: Final = 5
"""The first import is given so many parts of the log, which are some batches; each later one gets one part more."""
AGENTS: Final = (CHROME, CHROME, CHROME, "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", "")
LOGGED: Final = "SELECT count(*) FROM visits WHERE (flags & 8) <> 0"


@pytest.mark.parametrize("kills", [1, pytest.param(20, marks=pytest.mark.slow)])
async def test_killed_while_it_imports(installation: Installation, kills: int) -> None:
    log = await _prepared(installation, kills)
    undisturbed = Installation(
        Path(shutil.copytree(installation.folder, installation.logs / "undisturbed")), installation.logs, "", ""
    )
    undisturbed.more_settings = installation.more_settings
    assert undisturbed.run("import-log", installation.site, str(log)).status == 0
    await _killed_again_and_again(installation, log, kills)
    assert await _rows(installation) == await _rows(undisturbed)


@pytest.mark.slow
@pytest.mark.parametrize("kills", [2, 10])
async def test_killed_while_it_imports_into_postgres(postgres_installation: PostgresInstallation, kills: int) -> None:
    """The rows are those of a second import into an emptied database, which has the same nonce key."""
    log = await _prepared(postgres_installation, kills)
    await _killed_again_and_again(postgres_installation, log, kills)
    killed = await _rows(postgres_installation)
    names = [table.name for table in copied_tables() if table.name not in ("salts", "sites", "origins", "api_keys")]
    await postgres_installation.change(f"TRUNCATE {', '.join(names)}")
    await fill(postgres_installation, 150)
    assert postgres_installation.run("import-log", postgres_installation.site, str(log)).status == 0
    assert await _rows(postgres_installation) == killed


async def _prepared(installation: Installation, seed: int) -> Path:
    """Fills the database with a world, and writes a log of arrivals through its shares."""
    installation.more_settings["GRAPEVINE_RETENTION_DAYS"] = "0"
    world = await fill(installation, 150)
    settings = Settings(
        database=installation._settings()["GRAPEVINE_DATABASE"],  # noqa: SLF001
        secret_keys=(installation.keys.encode(),) if isinstance(installation, PostgresInstallation) else (),
    )
    settings = with_secret_keys(settings)
    store = make_store(settings)
    await store.open()
    (row,) = (row for row in await store.sites.sites() if row.site_id == SITE)
    await store.salts.salt("nonce", 0, "5a" * 32)
    await store.close()
    log = installation.logs / "access.log"
    log.write_text("".join(_lines(world, Site(row, settings.secret_keys), seed)))
    return log


def _lines(world: World, site: Site, seed: int) -> Sequence[str]:
    """Lines in the order of their times: at random times, and close to visits that are stored, which they join."""
    chance, timed = random.Random(seed), []  # noqa: S311
    sharers = [visit for visit in world.visits if visit.verdict is None]
    returned = [visit for visit in world.visits if visit.through is not None]
    for number in range(LINES):
        if number % 4:
            sharer = chance.choice(sharers)
            share = sharer.visit_id, chance.randrange(9), chance.randrange(8)
            at = sharer.at + chance.randrange(3 * ids.DAY_MS)
        else:
            visit = chance.choice(returned)
            assert visit.through is not None
            share = visit.through.key
            at = visit.at + chance.randrange(-20, 20) * 30_000
        token = site.tokens.mint_one(share[0], share[1], share[2])
        when = datetime.fromtimestamp(at / 1000, UTC).strftime("%d/%b/%Y:%H:%M:%S +0000")
        line = f'192.0.2.{number % 250} - - [{when}] "GET /p{chance.randrange(40)}?gv={token} HTTP/1.1" 200 1 "-" '
        timed.append((at, f'{line}"{chance.choice(AGENTS)}"\n'))
    return [line for _, line in sorted(timed)]


async def _killed_again_and_again(installation: Installation, log: Path, kills: int) -> None:
    """Kills one import after the other in its work, each a little further in the log; the last one ends it."""
    moments, content = random.Random(kills), log.read_bytes()  # noqa: ASYNC240, S311
    for kill in range(kills):
        # It waits for the rest of the log, so it cannot have ended before it is killed.
        given = content[: len(content) * (kill + FIRST_PARTS) // (kills + FIRST_PARTS - 1) - 10]
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "grapevine", "import-log", installation.site, "-",
            env=installation._environ, stdin=asyncio.subprocess.PIPE,  # noqa: SLF001
        )  # fmt: skip
        assert process.stdin is not None
        process.stdin.write(given)
        if kill == 0:
            await _some_rows(installation)
        await asyncio.sleep(moments.uniform(0, FIRST_SECONDS if kill else LATEST_SECONDS))
        process.kill()
        assert await process.wait() == -signal.SIGKILL
    assert installation.run("import-log", installation.site, str(log)).status == 0
    assert len((await _rows(installation))["log_joins"]) > 20
    assert (await installation.rows(LOGGED))[0][0] > 1_000
    await counts_agree(installation)


async def _some_rows(installation: Installation) -> None:
    """Returns when the first batch is stored."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (await installation.rows(LOGGED))[0][0] == 0:  # noqa: ASYNC110 (another process stores them)
            await asyncio.sleep(0.005)


async def _rows(installation: Installation) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, without salts, which are drawn at random. On PostgreSQL without counts: each process
    raises those of a slot of its own, and ``counts_agree`` has compared their sums with the rows."""
    found = {}
    for table in copied_tables():
        is_count = table.name.startswith("counts_") and isinstance(installation, PostgresInstallation)
        if table.name == "salts" or is_count:
            continue
        rows = await installation.rows(f"SELECT {', '.join(table.names)} FROM {table.name}")
        found[table.name] = sorted(rows, key=repr)
    return found
