"""A clock that jumps: no crash, no lost event, a repeat finds its visit, and the counts agree with the rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from grapevine.serving.app import system_clock
from tests.chaos.audit import settled
from tests.chaos.serve_with_clock import OffsetFile, launched
from tests.chaos.widget_load import WidgetLoad
from tests.support.server_process import Installation

pytestmark = pytest.mark.anyio

HOUR = 3_600_000
DAY = 24 * HOUR
YEAR = 365 * DAY


class Keeping(Installation):
    """An installation whose servers delete nothing: what a wrong clock dates years back would be past retention."""

    def _settings(self) -> dict[str, str]:
        return super()._settings() | {"GRAPEVINE_RETENTION_DAYS": "0"}


@pytest.fixture
def offset(tmp_path: Path) -> OffsetFile:
    return OffsetFile(tmp_path / "offset")


async def test_back_and_forth_under_load(installation: Installation, offset: OffsetFile) -> None:
    """By seconds and hours, never more than a day away from the browsers' clock: repeats find their visits."""
    load = WidgetLoad(installation.site, "clock")
    with installation.serving(launched(offset)) as server:
        async with load.on(server.port):
            for jump in (1_000, -1_000, HOUR, -HOUR, 23 * HOUR, -23 * HOUR, 0):
                await load.reached(acknowledged=30)
                offset.set(jump)
            await load.reached(acknowledged=30)
        await load.repeat(server.port)
        assert server.end().status == 0
    settled(installation.database, load)


async def test_by_days_and_years(installation: Installation, offset: OffsetFile) -> None:
    """A clock that is far off for a while, and right again."""
    await _far_off(installation, offset, [40 * DAY, -40 * DAY, 3 * YEAR, -3 * YEAR, 100 * YEAR])


async def test_to_where_no_visit_id_reaches(installation: Installation, offset: OffsetFile) -> None:
    """A machine without a battery starts in 1970, another one beyond the last day that an id can name (in 2199)."""
    now = system_clock()
    await _far_off(installation, offset, [HOUR - now, 49 * YEAR - now, 250 * YEAR - now])


async def _far_off(installation: Installation, offset: OffsetFile, jumps: list[int]) -> None:
    """Twice: on a server that was started with the right clock, and on one that was started with a wrong one."""
    load = WidgetLoad(installation.site, "clock")
    installation = Keeping(installation.folder, installation.logs, installation.site, installation.key)
    for start in (0, jumps[0]):
        offset.set(start)
        with installation.serving(launched(offset)) as server:
            for jump in (0, *jumps, 0):
                offset.set(jump)
                async with load.on(server.port, browsers=4):
                    await load.reached(acknowledged=20)
            assert server.end().status == 0
    settled(installation.database, load)
