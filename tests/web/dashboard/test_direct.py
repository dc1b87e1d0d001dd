"""The page about direct traffic: every number in the column of its kind; what is missing where there is no estimate."""

from __future__ import annotations

from datetime import date

import pytest
from msgspec.structs import replace

from grapevine.analytics.direct import (
    Arrivals,
    Direct,
    Estimate,
    Evidence,
    Measured,
    Missing,
    PageEstimate,
    PrivateShares,
)
from grapevine.domain.periods import Period
from grapevine.web.dashboard import labels
from grapevine.web.dashboard.direct import bars, no_estimate
from tests.support.in_process_server import ORIGIN, Server
from tests.web.api.test_direct import IN_APP
from tests.web.dashboard.dashboard_browser import page, signed_in
from tests.web.page_markup import Page

pytestmark = pytest.mark.anyio

MONTH = Period(date(2026, 11, 1), date(2026, 11, 30))
KNOWN = Direct(
    Measured(visits=5_000, home=300, deep=1_000, private_returns=700, public_returns=90),
    Evidence(
        in_app=40, app_referrer=2, apps={"slack": 40, "org.example.reader": 2}, arrivals=Arrivals(60, 31, 29, 21, 17)
    ),
    PrivateShares(reported=80, proven=60, both=40, estimated=120, reports_lost=1 / 3),
    Estimate(value=400, low=300, high=500, level=0.9, method="evidence-2", of=980, reason=None),
    [
        PageEstimate(f"{ORIGIN}/read", deep=900, private_returns=650, value=380, low=290, high=470),
        PageEstimate(f"{ORIGIN}/quiet", deep=80, private_returns=0, value=None, low=None, high=None),
    ],
)
UNKNOWN = Estimate(
    value=None,
    low=None,
    high=None,
    level=0.9,
    method="evidence-2",
    of=980,
    reason="",
    missing=Missing(days=0, deep_visits=0, private_returns=0, points=7.2),
    expected=date(2026, 12, 11),
)


async def shown(server: Server, monkeypatch: pytest.MonkeyPatch, found: Direct, url: str = "/direct") -> Page:
    """The page as it shows an answer."""

    async def answer(*_: object) -> Direct:
        return found

    monkeypatch.setattr("grapevine.web.dashboard.direct.direct_summary", answer)
    monkeypatch.setattr("grapevine.web.api.analytics.direct_summary", answer)
    return await page(await signed_in(server), url)


async def test_it_says_what_the_api_says(server: Server) -> None:
    await server.visit(url=f"{ORIGIN}/")
    deep = await server.visit(url=f"{ORIGIN}/deep/page")
    await server.share(deep["tokens"]["copy"], url=f"{ORIGIN}/deep/page")
    await server.visit(server.browser("192.0.2.2"), token=deep["tokens"]["copy"])
    await server.visit(server.browser("192.0.2.3", IN_APP))
    client = await signed_in(server)
    found = await page(client, "/direct")
    rows = found.tables["Direct traffic by kind of number"]
    assert [row[1:] for row in rows[1:]] == [
        ["1", "", "", ""],
        ["1", "", "", ""],
        ["1", "", "", ""],
        ["", "1", "", ""],
        ["", "0", "", ""],
        ["", "0", "", ""],
        ["", "0", "", ""],
        ["", "", "not enough data", ""],
        ["0", "", "", ""],
        ["4", "", "", ""],
    ]
    assert "Not enough data for an estimate" in found.text
    assert "There was 1 direct visit to inner pages; at least 20 are needed" in found.text
    assert [row[:3] for row in found.tables["Direct visits to inner pages"]] == [
        ["Page", "Direct", "Private returns"],
        ["/deep/page", "1", "1"],
    ]
    assert "Instagram 1" in found.text
    assert found.tables["Private shares, measured and estimated"][1:] == [
        ["Reported by the page", "1", ""],
        ["Proven by a return", "1", ""],
        ["Both", "1", ""],
        ["In allestimated by capture and recapture, without an interval", "", "1"],
        ["Reports lost on the way", "", "0\u202f%"],
    ]
    today = await page(client, "/direct?days=1")
    assert "The period has 1 day; at least 7 are needed" in today.text
    assert "/direct?days=90" in today.values("a", "href")


async def test_an_estimate_stands_with_its_interval(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    found = await shown(server, monkeypatch, KNOWN)
    assert "40.8 % of the direct visits to inner pages were links that somebody sent: about 400 of 980" in found.text
    assert "The 90 % interval goes from 30.6 % (300) to 51 % (500)" in found.text
    assert "Not enough data" not in found.text
    rows = found.tables["Direct traffic by kind of number"]
    assert rows[0] == ["Visits", "Measured", "Evidence", "Estimated", "90 % interval"]
    assert [row[1:] for row in rows[1:9]] == [
        ["700", "", "", ""],
        ["1\u202f000", "", "", ""],
        ["300", "", "", ""],
        ["", "42", "", ""],
        ["", "31", "", ""],
        ["", "21", "", ""],
        ["", "17", "", ""],
        ["", "", "400", "300 – 500"],
    ]
    assert found.tables["Direct visits to inner pages"][1:] == [
        ["/read", "900", "", "380290 – 470", "650"],
        ["/quiet", "80", "", "–", "0"],
    ]
    whiskers = [value for value in found.values("path", "d") if "v12" in value]
    assert whiskers == [
        "M30.61 7H51.02m0 -6v12M30.61 1v12",
        "M30.0 7H50.0m0 -6v12M30.0 1v12",
        "M32.22 7H52.22m0 -6v12M32.22 1v12",
    ]
    assert f"/?page={ORIGIN}/read".replace(":", "%3A").replace("//", "%2F%2F") in {
        link.replace("%2Fread", "/read") for link in found.values("a", "href")
    }


async def test_kinds_have_bars_of_their_own(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    found = await shown(server, monkeypatch, KNOWN)
    lists = [value for value in found.values("ul", "class") if value.startswith("bars")]
    assert lists == ["bars measured", "bars evidence", "bars estimated"]
    tones: dict[str, set[str]] = {}
    for bar in bars(KNOWN):
        tones.setdefault(bar.kind, set()).add(bar.tone)
    assert set(tones) == {"measured", "evidence", "estimated"} < set(labels.HONESTY)
    assert not tones["measured"] & (tones["evidence"] | tones["estimated"])
    assert not tones["evidence"] & tones["estimated"]


async def test_pages_beyond_the_first_are_folded_away(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    pages = [replace(KNOWN.pages[0], url=f"{ORIGIN}/{number}") for number in range(20)]
    found = await shown(server, monkeypatch, replace(KNOWN, pages=pages))
    assert (len(found.tables["Direct visits to inner pages"]), len(found.tables["More pages"])) == (13, 9)


async def test_a_site_without_visits(server: Server) -> None:
    found = await page(await signed_in(server), "/direct")
    assert "Nothing in this period" in found.text
    assert not found.tables


@pytest.mark.parametrize(
    ("reason", "says"),
    [
        ("too-few-days", "The period has 30 days"),
        ("too-few-deep-visits", "There were 980 direct visits to inner pages; at least 20"),
        ("too-few-returns", "At least 10 private returns are needed; the pages below have 650."),
        ("too-uncertain", "would be 47 points of a hundred wide; at most 40 are shown"),
        ("a-new-one", "a-new-one"),
    ],
)
def test_what_is_missing_is_named(reason: str, says: str) -> None:
    missing = no_estimate(replace(KNOWN, estimate=replace(UNKNOWN, reason=reason)), MONTH)
    assert missing is not None
    assert says in missing.why
    assert "a period from 1 Nov 2026 to 11 Dec 2026 probably has an estimate" in missing.remedy


def test_nothing_is_missing_where_there_is_an_estimate() -> None:
    assert no_estimate(KNOWN, MONTH) is None
    assert [bar.kind for bar in bars(replace(KNOWN, estimate=UNKNOWN))] == ["measured"] * 3 + ["evidence"] * 4


def test_a_day_that_cannot_be_named_is_not() -> None:
    unknown = replace(UNKNOWN, reason="too-few-returns", expected=None)
    missing = no_estimate(replace(KNOWN, estimate=unknown), MONTH)
    assert missing is not None
    assert "If all goes on" not in missing.remedy
