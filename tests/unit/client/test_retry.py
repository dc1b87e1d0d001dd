"""When a call is tried again: pure functions."""

from __future__ import annotations

from typing import Any

import pytest

from grapevine.client.errors import ClientError
from grapevine.client.retry import Failure, Retries, seconds_of

WORD = ClientError("no")


def pause(
    retries: Retries,
    *,
    temporary: bool = True,
    unsent: bool = False,
    after: float | None = None,
    is_repeatable: bool = True,
    tried: int = 1,
    left: float = 60.0,
) -> float | None:
    failure = Failure(WORD, is_temporary=temporary, is_unsent=unsent, retry_after=after)
    return retries.pause(failure, is_repeatable=is_repeatable, tried=tried, left=left, random=lambda: 0.5)


def test_pauses_double_up_to_a_bound() -> None:
    retries = Retries(attempts=99)
    assert [pause(retries, tried=tried) for tried in (1, 2, 3, 4, 5, 6, 98)] == [0.25, 0.5, 1, 2, 4, 4, 4]
    assert [Retries().backoff(3, iter([at]).__next__) for at in (0.0, 0.999)] == [0.0, 1.998]


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ({"temporary": False}, None),
        ({"is_repeatable": False}, None),
        ({"is_repeatable": False, "unsent": True}, 0.25),
        ({"temporary": False, "unsent": True}, None),
        ({"tried": 4}, None),
        ({"after": 30.0}, 30.25),
        ({"after": 30.5}, None),
        ({"after": 10.0, "left": 10.0}, None),
        ({"left": 0.25}, None),
        ({"left": 0.26}, 0.25),
    ],
)
def test_when_a_call_is_tried_again(how: dict[str, Any], expected: float | None) -> None:
    assert pause(Retries(), **how) == expected


@pytest.mark.parametrize(
    ("retry_after", "date", "seconds"),
    [
        (None, None, None),
        ("7", None, 7),
        (" 0 ", None, 0),
        ("-1", None, None),
        ("1.5", None, None),
        ("٣", None, None),
        ("9" * 400, None, 999_999_999),
        ("Mon, 30 Nov 2026 10:00:20 GMT", "Mon, 30 Nov 2026 10:00:00 GMT", 20),
        ("Mon, 30 Nov 2026 09:00:00 GMT", "Mon, 30 Nov 2026 10:00:00 GMT", 0),
        ("Mon, 30 Nov 2026 10:00:20 GMT", None, None),
        ("Mon, 30 Nov 2026 10:00:20", "Mon, 30 Nov 2026 10:00:00 GMT", None),
        ("soon", "Mon, 30 Nov 2026 10:00:00 GMT", None),
    ],
)
def test_retry_after(retry_after: str | None, date: str | None, seconds: float | None) -> None:
    assert seconds_of(retry_after, date) == seconds
