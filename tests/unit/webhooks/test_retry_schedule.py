"""The delays between the attempts of a delivery: the specification's, with jitter and Retry-After."""

from __future__ import annotations

from grapevine.webhooks.retry_schedule import LONGEST_RETRY_AFTER_MS, RETRY_DELAYS_MS, retry_delay

HOUR = 3_600_000


def test_the_schedule_is_the_specifications_and_ends_after_three_days() -> None:
    assert [retry_delay(attempt, 0.0) for attempt in range(1, 11)] == [*RETRY_DELAYS_MS, None]
    assert sum(RETRY_DELAYS_MS) == 75 * HOUR + 35 * 60_000 + 5_000


def test_jitter_adds_up_to_a_fifth() -> None:
    assert retry_delay(4, 0.0) == 2 * HOUR
    assert retry_delay(4, 1.0) == 2.4 * HOUR


def test_an_endpoint_is_left_alone_as_long_as_it_asks_up_to_a_day() -> None:
    assert retry_delay(1, 0.0, 60_000) == 60_000
    assert retry_delay(4, 0.0, 60_000) == 2 * HOUR
    assert retry_delay(1, 0.0, 10**12) == LONGEST_RETRY_AFTER_MS
    assert retry_delay(10, 0.0, 60_000) is None
