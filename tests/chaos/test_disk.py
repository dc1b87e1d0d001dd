"""A disk that is full or read-only: writes are refused until it recovers, reads go on, nothing is lost."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import pytest

from tests.chaos import broken_disks
from tests.chaos.audit import settled
from tests.chaos.broken_disks import DiskMaker
from tests.chaos.widget_load import WidgetLoad
from tests.support.raw_connection import connected
from tests.support.server_process import PATIENCE_SECONDS, SERVE, Installation, ServerProcess

pytestmark = pytest.mark.anyio

MOUNTS = broken_disks.can_mount()
DISKS = [
    broken_disks.limited,
    broken_disks.unwritable,
    *([broken_disks.full] if MOUNTS else []),
    *([broken_disks.immutable] if broken_disks.can_make_immutable() else []),
]
SLACKBOT = "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)"


@pytest.mark.parametrize("disk", DISKS)
async def test_spoiled_under_load(template: Installation, tmp_path: Path, disk: DiskMaker) -> None:
    load = WidgetLoad(template.site, "disk")
    with disk(template, tmp_path) as (installation, spoil, mend):
        with installation.serving() as server:
            async with load.on(server.port):
                await load.reached(acknowledged=50)
                spoil(server)
                await load.reached(refused=50)
                await _reads_go_on(server, load, installation.key)
                await _says_ready(server, 503)
                await load.reached(refused=50)
                mend(server)
                await load.reached(acknowledged=100)
            await load.settle(server.port)
            await _says_ready(server, 200)
            assert server.end().status == 0
        settled(installation.database, load)


@pytest.mark.parametrize("disk", [DISKS[0], *(pytest.param(disk, marks=pytest.mark.slow) for disk in DISKS[1:])])
async def test_spoiled_until_the_end(template: Installation, tmp_path: Path, disk: DiskMaker) -> None:
    """SIGTERM ends the server even while nothing can be written, and the next server has every acknowledged event."""
    load = WidgetLoad(template.site, "disk-to-the-end")
    with disk(template, tmp_path) as (installation, spoil, mend):
        with installation.serving() as server:
            async with load.on(server.port):
                await load.reached(acknowledged=50)
                spoil(server)
                await load.reached(refused=50)
            ended = server.end()
            assert (ended.status, ended.out) == (0, "")
            assert "Traceback" not in ended.err
            mend(server)
        with installation.serving() as server:
            await load.settle(server.port)
            server.end()
        settled(installation.database, load)


@pytest.mark.parametrize("way", ["file", "folder", *(["mount"] if MOUNTS else [])])
def test_started_on_a_read_only_disk(template: Installation, tmp_path: Path, way: str) -> None:
    """One clear line that names the file, and status 1."""
    if way == "mount":
        with broken_disks.full(template, tmp_path) as (installation, _, _), broken_disks.read_only(tmp_path / "disk"):
            ended = installation.run(*SERVE[2:])
    else:
        with broken_disks.limited(template, tmp_path) as (installation, _, _):
            installation.database.chmod(0o444)
            installation.folder.chmod(0o555 if way == "folder" else 0o755)
            # Root ignores permissions, so it gives that capability up.
            before = ["setpriv", "--bounding-set=-dac_override"] if os.access(installation.database, os.W_OK) else []
            ended = installation.run(*SERVE[2:], before=before)
            installation.folder.chmod(0o755)
    assert (ended.status, ended.out, ended.err.count("\n")) == (1, "", 1), ended.err
    assert ended.err.startswith("grapevine: ")
    assert str(installation.database) in ended.err


@pytest.mark.parametrize("disk", [broken_disks.limited, *([broken_disks.full] if MOUNTS else [])])
def test_started_without_room(template: Installation, tmp_path: Path, disk: DiskMaker) -> None:
    """Not a byte is free: one clear line that names the file, and status 1; with room again it starts."""
    with disk(template, tmp_path) as (installation, _, _):
        ballast = installation.folder / "ballast"
        if disk is broken_disks.full:
            broken_disks.fill(ballast)
        before = [] if disk is broken_disks.full else ["prlimit", "--fsize=0"]
        ended = installation.run(*SERVE[2:], before=before)
        assert (ended.status, ended.out, ended.err.count("\n")) == (1, "", 1), ended.err
        assert str(installation.database) in ended.err
        ballast.unlink(missing_ok=True)
        with installation.serving() as server:
            assert server.end().status == 0


async def _says_ready(server: ServerProcess, status: int) -> None:
    """Soon: an answer is up to a second old, and the last room may be too small for a batch of visits and large enough
    for one."""
    until = time.monotonic() + PATIENCE_SECONDS
    async with connected(server.port) as connection:
        while (await connection.ask("GET", "/readyz")).status != status:
            assert time.monotonic() < until
            await asyncio.sleep(0.1)


async def _reads_go_on(server: ServerProcess, load: WidgetLoad, key: str) -> None:
    authorization = {"authorization": f"Bearer {key}"}
    token, known = next(iter(load.reported)), len(load.visits)
    async with connected(server.port) as connection:
        summary = await connection.ask("GET", "/v1/stats/summary", **authorization)
        assert summary.status == 200
        assert summary.json()["visits"] >= known
        assert (await connection.ask("GET", f"/v1/tokens/{token}", **authorization)).status == 200
        assert (await connection.ask("GET", f"/s/{token}")).status == 302
        assert (await connection.ask("GET", f"/s/{token}", **{"user-agent": SLACKBOT})).status == 302
        assert (await connection.ask("GET", "/healthz")).status == 200
