"""The signs of a program that checks mails: its network, its engine's age, and the language that it does not name."""

from __future__ import annotations

from datetime import date

import pytest

from grapevine.collect.scan_signs import ScannerNetworks, is_old_engine, signs_of
from grapevine.domain import ids
from grapevine.domain.scan_signs import DATA_CENTRE, NO_LANGUAGE, OLD_ENGINE
from tests.support.user_agents import CHROME

START = date(2020, 1, 1)
LISTED = ScannerNetworks(("203.0.113.0/25", "203.0.113.64/26", "203.0.113.128/30", "2001:db8:5::/48", "192.0.2.7"))


def chrome(version: int) -> str:
    return CHROME.replace("Chrome/141", f"Chrome/{version}")


@pytest.mark.parametrize(
    ("address", "listed"),
    [
        ("203.0.113.0", True),
        ("203.0.113.131", True),
        ("203.0.113.132", False),
        ("203.0.112.255", False),
        ("192.0.2.7", True),
        ("192.0.2.8", False),
        ("2001:db8:5:ffff::1", True),
        ("2001:db8:6::1", False),
        ("::ffff:203.0.113.9", True),
        ("unknown", False),
        ("", False),
    ],
)
def test_an_address_in_a_named_network(address: str, listed: bool) -> None:
    assert (address in LISTED) is listed
    assert address not in ScannerNetworks(())


@pytest.mark.parametrize(
    ("agent", "day", "old"),
    [
        (chrome(141), date(2025, 9, 30), False),  # the day on which it became stable
        (chrome(141), date(2026, 12, 1), False),
        (chrome(109), date(2025, 9, 30), True),
        (chrome(124), date(2025, 9, 30), False),  # stable in April 2024
        (chrome(121), date(2025, 9, 30), True),  # stable in January 2024
        (chrome(99), date(2022, 3, 1), False),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:78.0) Gecko/20100101 Firefox/78.0", date(2026, 1, 1), False),
        ("", date(2026, 1, 1), False),
    ],
)
def test_an_engine_that_is_a_year_and_a_half_behind(agent: str, day: date, old: bool) -> None:
    assert is_old_engine(agent, (day - START).days) is old


def test_the_signs_add_up() -> None:
    at = ids.day_start((date(2026, 1, 5) - START).days)
    assert signs_of("198.51.100.1", chrome(141), "en", at, LISTED) == 0
    assert signs_of("203.0.113.1", chrome(141), "en", at, LISTED) == DATA_CENTRE
    assert signs_of("203.0.113.1", chrome(80), " ", at, LISTED) == DATA_CENTRE | OLD_ENGINE | NO_LANGUAGE
