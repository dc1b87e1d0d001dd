"""Sites with an older build of the widget are stored once a day, whatever the number of their visits."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from grapevine.collect.old_builds import OldBuilds
from grapevine.store.rows import OLD_BUILD_DAYS, SiteRow
from grapevine.telemetry.job_runs import JobRuns

pytestmark = pytest.mark.anyio

DAY = 2500


def site(number: int, fragment: str = "auto", seen: int = 0) -> SiteRow:
    return SiteRow(
        site_id=number,
        key=f"site-{number}",
        name="a site",
        salt="",
        param="gv",
        place="auto",
        query="*",
        created_at=0,
        fragment=fragment,
        old_build_day=seen,
    )


async def test_a_day_is_stored_once_for_each_site() -> None:
    stored: list[tuple[Sequence[int], int]] = []

    async def store(sites: Sequence[int], day: int) -> None:
        stored.append((sites, day))

    builds = OldBuilds(store)
    async with builds.running(JobRuns()):
        for _ in range(3):
            builds.note(site(1), DAY)
            builds.note(site(2, "identifier", DAY - 1), DAY)
            builds.note(site(3, seen=DAY), DAY)
            builds.note(site(4, seen=DAY + 1), DAY)
        await builds.store()
        await builds.store()
        builds.note(site(1, seen=DAY), DAY)
        builds.note(site(1, seen=DAY), DAY + 1)
        builds.note(site(2), DAY)
    assert stored == [([1, 2], DAY), ([2], DAY), ([1], DAY + 1)]


@pytest.mark.parametrize(
    ("fragment", "days", "joint"),
    [
        ("auto", 0, "="),
        ("auto", OLD_BUILD_DAYS - 1, "="),
        ("auto", OLD_BUILD_DAYS, "-"),
        ("auto", -1, "="),
        ("identifier", 0, "-"),
        ("parameter", 1_000, "="),
    ],
)
def test_a_site_goes_over_when_no_older_build_was_seen_for_two_weeks(fragment: str, days: int, joint: str) -> None:
    assert site(1, fragment, DAY - days).joint(DAY) == joint


def test_a_site_of_which_it_is_not_known_yet_stays() -> None:
    assert [site(1, form, -1).joint(DAY) for form in ("auto", "identifier", "parameter")] == ["=", "-", "="]
    assert site(1, "auto", 0).joint(DAY) == "-"
