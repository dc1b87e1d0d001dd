"""The dashboard's pure parts: pasted tokens, number formats, the contrast of colours with their background."""

from __future__ import annotations

import re
from importlib.resources import files
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grapevine.analytics.models.attribution import MODELS
from grapevine.analytics.series import Point
from grapevine.domain import channels
from grapevine.domain.enums import DROP_REASONS, SOURCES, VERDICTS
from grapevine.domain.periods import Period
from grapevine.domain.token_urls import find_token
from grapevine.web.dashboard import assets, formats, labels
from grapevine.web.dashboard.chart import ceiling, chart, interval_for
from grapevine.web.dashboard.security import local_path
from tests.web.dashboard.test_tidy_tree import unhurried

TOKEN = "8M8zH0OCQtFQh6C5tNQwDkz"
CSS = files("grapevine.web.dashboard").joinpath("static", "dashboard.css").read_text("utf-8")


@pytest.mark.parametrize(
    "pasted",
    [
        TOKEN,
        f"  {TOKEN}\n",
        f"https://a.example/page#gv={TOKEN}",
        f"https://a.example/page?x=1&gv={TOKEN}#part",
        f"https://a.example/app#/route?gv={TOKEN}&tab=2",
        f"https://a.example/page#part&gv={TOKEN}",
        f"https://share.example/s/{TOKEN}",
        f"https://share.example/s/{TOKEN}/qr.svg",
        f"https://share.example/about/{TOKEN}",
        f"Look at this: https://a.example/page#gv={TOKEN}.",
        f"https://chat.example/redirect?to=https%3A%2F%2Fa.example%2F%3Fgv%3D{TOKEN}",
    ],
)
def test_a_token_is_found_in_what_people_paste(pasted: str) -> None:
    assert find_token(pasted, "gv") == TOKEN


@pytest.mark.parametrize(
    "pasted", ["", "hello", f"https://a.example/?other={TOKEN}", f"https://a.example/?gv={TOKEN}x"]
)
def test_what_holds_no_token_stays_as_it_is(pasted: str) -> None:
    assert find_token(pasted, "gv") == pasted


def test_the_sites_own_parameter_counts() -> None:
    assert find_token(f"https://a.example/?ref.x={TOKEN}", "ref.x") == TOKEN
    assert find_token(f"https://a.example/?ref_x={TOKEN}", "ref.x") != TOKEN


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("/", "/"),
        ("/cascades/abc?site=x", "/cascades/abc?site=x"),
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
        ("/\\evil.example/", "/"),
        ("javascript:alert(1)", "/"),
        ("/a\r\nSet-Cookie: x", "/"),
        ("", "/"),
    ],
)
def test_no_redirect_leads_to_another_site(text: str, target: str) -> None:
    assert local_path(text) == target


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (formats.number(None), "–"),
        (formats.number(1234567), "1 234 567"),
        (formats.percent(None), "–"),
        (formats.percent(0.0), "0 %"),
        (formats.percent(0.8742), "87.4 %"),
        (formats.percent(0.00001), "<0.1 %"),
        (formats.percent(0.99999), ">99.9 %"),
        (formats.ratio(None), "–"),
        (formats.ratio(0.0123), "0.012"),
        (formats.ratio(1.2345), "1.23"),
        (formats.money({}), "–"),
        (formats.money({"EUR": "49.00", "USD": "1.50"}), "49.00 EUR, 1.50 USD"),
        (formats.money({"EUR": "1234567.123456"}), "1 234 567.123456 EUR"),
        (formats.credit("2"), "2"),
        (formats.credit("1234.333334"), "1 234.33"),
        (formats.credit("0.000001"), "<0.01"),
        (formats.credit("0"), "0"),
        (formats.amount(None), "–"),
        (formats.amount("1234.565"), "1 234.57"),
        (formats.amount("49.00"), "49.00"),
        (formats.moment("2026-11-21T14:03:09.120Z"), "21 Nov 2026, 14:03"),
        (formats.moment(None), "–"),
        (formats.elapsed("2026-11-21T14:03:09.120Z", "2026-11-21T16:08:10.000Z"), "2 h 5 min"),
        (formats.elapsed("2026-11-21T14:03:09.120Z", "2026-11-21T14:03:09.220Z"), "0 s"),
        (formats.elapsed("2026-11-21T00:00:00.000Z", "2026-11-24T00:00:30.000Z"), "3 d"),
        (formats.page("https://a.example/x?y=1", ("https://a.example",)), "/x?y=1"),
        (formats.page("https://a.example", ("https://a.example", "https://b.example")), "/"),
        (formats.page("https://b.example/x", ("https://a.example", "https://b.example")), "https://b.example/x"),
        (formats.page("https://a.example:8080/x", ("https://a.example",)), "https://a.example:8080/x"),
        (formats.page("https://xn--bcher-kva.example/x", ("https://xn--bcher-kva.example",)), "/x"),
        (
            formats.page("https://a.example/" + "x" * 200, ("https://a.example",)),
            "/" + "x" * 39 + "…" + "x" * 39,
        ),
        (labels.nth(0), "1st"),
        (labels.nth(7), "8th or later"),
    ],
)
def test_how_things_read(shown: str, expected: str) -> None:
    assert shown.replace(formats.THIN, " ") == expected


def test_everything_of_the_closed_sets_has_words() -> None:
    assert set(labels.SOURCES) == set(SOURCES)
    assert set(labels.DROPS) == set(DROP_REASONS)
    assert tuple(labels.SUSPECTS) == tuple(VERDICTS)
    assert tuple(labels.MODELS) == MODELS
    assert {labels.family(name) for name in channels.CODES} == set(labels.FAMILIES)
    assert all(labels.is_public(name) == (name in channels.PUBLIC) for name in channels.CODES)


@unhurried
@given(st.integers(0, 10**12))
def test_the_upper_edge_is_close_above(value: int) -> None:
    assert max(value, 4) <= ceiling(value) <= max(2 * value, 4)


@unhurried
@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=120))
def test_columns_stand_side_by_side(values: list[int]) -> None:
    drawn = chart([Point("2026-11-21T00:00:00.000Z", value) for value in values], "day")
    assert [column.value for column in drawn.columns] == values
    assert all(left.x + left.width < right.x for left, right in pairwise(drawn.columns))
    assert all(0 <= column.height <= 100 for column in drawn.columns)
    assert drawn.total == sum(values)


@pytest.mark.parametrize(("days", "interval"), [(1, "hour"), (7, "day"), (90, "day"), (365, "week"), (3_653, "month")])
def test_the_interval_fits_the_period(days: int, interval: str) -> None:
    assert interval_for(Period.ending(1_790_000_000_000, days)) == interval


def _themes() -> list[dict[str, str]]:
    light, dark = (
        dict(re.findall(r"--([\w-]+): (#[0-9a-f]+)", block)) for block in re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)
    )
    return [light, light | dark]


def _luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    parts = [int(digits[index : index + 2], 16) / 255 for index in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio (WCAG 2.2)."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


KINDS = ["evidence", "estimated", "self-reported"]
DRAWN = "visits shares returns public dark link native chat team mail paper".split()


@pytest.mark.parametrize("theme", _themes(), ids=["light", "dark"])
def test_colours_can_be_read(theme: dict[str, str]) -> None:
    """4.5 : 1 for text on both grounds, 3 : 1 for what is drawn (WCAG 2.2, 1.4.3 and 1.4.11)."""
    for name in ("ink", "muted", "measured", "alert", *KINDS, *DRAWN):
        assert contrast(theme[name], theme["card"]) >= 4.5, name
    for name in ("ink", "muted", "measured"):
        assert contrast(theme[name], theme["ground"]) >= 4.5, name
    for name in ("d0", "d1", "d2", "d3"):
        assert contrast(theme[name], theme["card"]) >= 3, name
    assert contrast(theme["brand"], theme["on-brand"]) >= 4.5


def test_kinds_of_numbers_never_share_a_colour() -> None:
    for theme in _themes():
        assert len({theme[kind] for kind in labels.HONESTY}) == len(labels.HONESTY)
        assert not {theme[name] for name in DRAWN} & {theme[name] for name in KINDS}


def test_the_style_sheet_is_small() -> None:
    served = assets.asset(assets.url("dashboard.css").rpartition("/")[2])
    assert served is not None
    assert len(served.content) <= 16_500
    assert served.content.count(b"{") == CSS.count("{")
