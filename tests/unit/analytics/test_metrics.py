"""Ratios, money, periods and intervals at their edges."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grapevine.analytics.metrics import Filters, share_numbers, summarize
from grapevine.domain import channels, ids
from grapevine.domain.money import amounts, decimal
from grapevine.domain.periods import EARLIEST, LATEST, Period, interval_start, interval_starts, rfc3339
from grapevine.errors import Invalid
from grapevine.store.rows import Counts

COPY, X = channels.CODES["copy"], channels.CODES["x"]
NONE = share_numbers({})


@pytest.mark.parametrize(
    ("counts", "return_share", "k_factor", "amplification"),
    [
        (Counts(), None, None, None),
        (Counts(visits=10), 0.0, 0.0, 1.0),
        (Counts(visits=10, returns=4, self_returns=2), 0.4, 0.5, 2.0),
        (Counts(visits=6, returns=4, self_returns=2, unlinked=4), 0.4, 0.5, 2.0),
        (Counts(visits=3, returns=3), 1.0, 1.0, None),
        (Counts(visits=3, self_returns=3), 0.0, None, None),
    ],
)
def test_ratios(
    counts: Counts, return_share: float | None, k_factor: float | None, amplification: float | None
) -> None:
    answer = summarize(counts, NONE, {}, 0, {}, {}, {}, {}, {})
    assert (answer.return_share, answer.k_factor, answer.amplification) == (return_share, k_factor, amplification)
    assert answer.dark_share is None


def test_shares_are_dark_or_public_by_their_channel() -> None:
    numbers = share_numbers(
        {-1: Counts(visits=9), COPY: Counts(shares=3, reported=2, proven=1), X: Counts(shares=1, proven=1)}
    )
    assert (numbers.total, numbers.reported, numbers.proven, numbers.dark, numbers.public) == (4, 2, 2, 3, 1)
    assert summarize(Counts(), numbers, {}, 0, {}, {}, {}, {}, {}).dark_share == 0.75


@pytest.mark.parametrize(
    ("millionths", "text"),
    [
        (49_000_000, "49.00"),
        (0, "0.00"),
        (1, "0.000001"),
        (1_234_500, "1.2345"),
        (1_200_000, "1.20"),
        (-500_000, "-0.50"),
        (10**18, "1000000000000.00"),
    ],
)
def test_money(millionths: int, text: str) -> None:
    assert decimal(millionths) == text


@given(st.integers(-(2**62), 2**62))
def test_money_is_exact(millionths: int) -> None:
    assert Decimal(decimal(millionths)) == Decimal(millionths) / 1_000_000


def test_amounts_leave_out_what_has_no_value() -> None:
    assert amounts([("USD", 1_500_000), (None, None), ("EUR", None), ("CHF", 0)]) == {"CHF": "0.00", "USD": "1.50"}


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1_790_000_000_123, "2026-09-21T14:13:20.123Z"),
        (1_790_000_000_999, "2026-09-21T14:13:20.999Z"),
    ],
)
def test_times(at: int, text: str) -> None:
    assert rfc3339(at) == text


@pytest.mark.parametrize(
    ("first", "last", "field"),
    [
        (date(2026, 1, 2), date(2026, 1, 1), "from"),
        (date(2016, 1, 1), date(2026, 1, 2), "from"),
        (date(1999, 12, 31), date(2000, 1, 1), "from"),
        (date(2198, 12, 31), date(2199, 1, 1), "to"),
        (date.min, date.min, "from"),
        (date.max, date.max, "from"),
    ],
)
def test_periods_that_cannot_be(first: date, last: date, field: str) -> None:
    with pytest.raises(Invalid) as caught:
        Period(first, last)
    assert caught.value.errors[0].field == field


def test_a_period_includes_both_its_days() -> None:
    period = Period(date(2026, 2, 28), date(2026, 3, 1))
    assert (len(period.days), len(period.hours)) == (2, 48)
    assert (rfc3339(period.start), rfc3339(period.end)) == ("2026-02-28T00:00:00.000Z", "2026-03-02T00:00:00.000Z")
    assert Period.ending(period.end - 1, 2) == period


@pytest.mark.parametrize(
    ("interval", "starts"),
    [
        ("day", [date(2026, 3, 30) + timedelta(days=n) for n in range(4)]),
        ("week", [date(2026, 3, 30)]),
        ("month", [date(2026, 3, 1), date(2026, 4, 1)]),
    ],
)
def test_intervals_begin_where_the_calendar_says(interval: str, starts: list[date]) -> None:
    period = Period(date(2026, 3, 30), date(2026, 4, 2))
    assert interval_starts(period, interval) == [ids.day_start(ids.day_number(day)) for day in starts]


def test_weeks_begin_on_monday() -> None:
    sunday = ids.day_start(ids.day_number(date(2026, 11, 22))) + 1
    assert rfc3339(interval_start(sunday, "week")) == "2026-11-16T00:00:00.000Z"


@given(
    st.dates(EARLIEST, LATEST - timedelta(days=400)),
    st.integers(0, 400),
    st.sampled_from(["hour", "day", "week", "month"]),
)
def test_every_moment_of_a_period_has_its_interval(first: date, days: int, interval: str) -> None:
    period = Period(first, first + timedelta(days=days))
    starts = interval_starts(period, interval)
    assert starts == sorted(set(starts))
    for at in (period.start, (period.start + period.end) // 2, period.end - 1):
        assert interval_start(at, interval) in starts


@pytest.mark.parametrize("field", ["channel", "source", "device"])
def test_filters_know_the_closed_sets(field: str) -> None:
    with pytest.raises(Invalid) as caught:
        Filters(**{field: "moon"})
    assert [error.field for error in caught.value.errors] == [field]
