"""The log's lines about refusals: one a minute for each site, bounded whatever strangers invent."""

from __future__ import annotations

import logging

import pytest

from grapevine.collect.refusals import RefusalLog, explained, foreign_page, unknown_site
from grapevine.errors import Invalid, TooLarge

MINUTE = 60_000
NOON = 1_800_000_000_000


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records]


def test_a_site_has_one_line_a_minute_which_counts_the_others(caplog: pytest.LogCaptureFixture) -> None:
    refusals = RefusalLog()
    for second in range(59):
        refusals.note(foreign_page("https://b.example", "abc"), "abc", NOON + second * 1000)
        refusals.note(Invalid.of("goal", "is empty"), "abc", NOON + second * 1000)
    refusals.note(foreign_page("https://c.example", "def"), "def", NOON)
    refusals.note(foreign_page("https://b.example", "abc"), "abc", NOON + MINUTE)
    first, other, later = lines(caplog)
    assert first.startswith(
        "a report for site abc was refused (bad-origin): Nothing is counted: 'https://b.example' is not"
    )
    assert "site def" in other
    assert later.endswith("Before, since the last such line: 58 bad-origin, 59 invalid.")
    assert all(record.levelno == logging.WARNING for record in caplog.records)


def test_keys_that_strangers_invent_share_a_line_and_are_cut(caplog: pytest.LogCaptureFixture) -> None:
    refusals = RefusalLog()
    for number in range(5_000):
        refusals.note(unknown_site(f"{number}\r\n" + "x" * 5_000), None, NOON + number)
    refusals.note(TooLarge("It has more than 8,192 bytes."), None, NOON)
    assert [len(line) < 300 for line in lines(caplog)] == [True, True]
    assert "\n" not in caplog.records[0].getMessage()


def test_a_clock_that_goes_back_does_not_silence_the_log(caplog: pytest.LogCaptureFixture) -> None:
    refusals = RefusalLog()
    for at in (NOON, NOON - 3_600_000):
        refusals.note(foreign_page("https://b.example", "abc"), "abc", at)
    assert len(caplog.records) == 2


@pytest.mark.parametrize("origin", ["https://b.example", "null", "", "https://" + "x" * 500])
def test_a_refusal_names_no_address_but_the_callers_own(origin: str) -> None:
    detail = explained(foreign_page(origin, "abc")).detail
    assert len(detail) < 400
    assert ("https://" in detail) == origin.startswith("https://")
