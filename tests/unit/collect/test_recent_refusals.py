"""The newest refusals that an owner sees: few, young, and none that no page can have sent."""

from __future__ import annotations

import pytest

from grapevine.collect.recent_refusals import (
    FRESH_MS,
    LONGEST,
    MOST_SITES,
    MOST_UNKNOWN,
    OPAQUE,
    PER_SITE,
    RecentRefusal,
    RecentRefusals,
)
from grapevine.sites.cache import Site
from grapevine.store.rows import SiteRow

NOW = 1_800_000_000_000
OWN = "https://a.example"


def site(number: int = 1, origin: str = OWN) -> Site:
    row = SiteRow(
        site_id=number, key=f"KEY{number}", name="Lees", salt="00", param="gv", place="auto", query="*", created_at=NOW,
        origins=(origin,),
    )  # fmt: skip
    return Site(row, [b"k" * 32])


def test_the_newest_come_first_and_each_origin_once() -> None:
    recent = RecentRefusals()
    for step, origin in enumerate(["https://b.example", "https://c.example", "https://b.example", OPAQUE]):
        recent.note_foreign(1, origin, NOW + step)
    recent.note_unknown("TYPO", OWN, NOW + 9)
    assert recent.of_site(site(), NOW + 10) == [
        RecentRefusal(OWN, NOW + 9, "TYPO"),
        RecentRefusal(OPAQUE, NOW + 3),
        RecentRefusal("https://b.example", NOW + 2),
    ]
    assert recent.of_site(site(2), NOW + 10) == [RecentRefusal(OWN, NOW + 9, "TYPO")]


def test_a_stranger_fills_nothing() -> None:
    recent = RecentRefusals()
    origins = [f"https://{number}.example" for number in range(2_000)]
    for number, origin in enumerate(origins):
        recent.note_foreign(number, "https://b.example", NOW)
        recent.note_foreign(0, origin, NOW + number)
        recent.note_unknown(f"KEY{number}", origin, NOW)
    assert [one.origin for one in recent.of_site(site(0), NOW + 2_000)] == origins[: -PER_SITE - 1 : -1]
    assert sum(bool(recent.of_site(site(number), NOW)) for number in range(2_000)) == MOST_SITES
    of_none = [recent.of_site(site(9_999, origin), NOW) for origin in origins]
    assert sum(map(bool, of_none)) == MOST_UNKNOWN


@pytest.mark.parametrize(
    "origin",
    [
        "",
        "https://" + "x" * LONGEST,
        "<script>",
        "https://a.example/path",
        "javascript:alert(1)",
        "https://b.example\n",
    ],
)
def test_what_is_no_origin_of_a_page_is_not_shown(origin: str) -> None:
    recent = RecentRefusals()
    recent.note_foreign(1, origin, NOW)
    assert recent.of_site(site(), NOW) == []


def test_a_long_key_is_not_remembered() -> None:
    recent = RecentRefusals()
    recent.note_unknown("K" * (LONGEST + 1), OWN, NOW)
    assert recent.of_site(site(), NOW) == []


def test_an_hour_later_they_are_forgotten() -> None:
    recent = RecentRefusals()
    recent.note_foreign(1, "https://b.example", NOW)
    assert recent.of_site(site(), NOW + FRESH_MS - 1)
    assert not recent.of_site(site(), NOW + FRESH_MS)


def test_an_origin_that_was_added_since_is_no_longer_foreign() -> None:
    recent = RecentRefusals()
    recent.note_foreign(1, OWN, NOW)
    assert recent.of_site(site(), NOW) == []
