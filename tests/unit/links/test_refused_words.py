"""How many words a site may try within an hour."""

from __future__ import annotations

from contextlib import suppress

import pytest

from grapevine.errors import RateLimited
from grapevine.links.refused_words import MOST_AN_HOUR, RefusedWords
from grapevine.links.taken_words import WordsRefused

HOUR_MS = 3_600_000


def test_words_of_refused_calls_are_bounded_by_site_and_hour() -> None:
    now = 5 * HOUR_MS
    words = RefusedWords(lambda: now)

    def ask(site_id: int, number: int, *, taken: bool) -> None:
        with suppress(WordsRefused), words.asking(site_id, number):
            if taken:
                raise WordsRefused({0: "is taken"})

    for _ in range(3 * MOST_AN_HOUR // 1_000):
        ask(1, 1_000, taken=False)  # made: it is in the bound of words that a site has
    with suppress(OSError), words.asking(1, MOST_AN_HOUR):
        raise OSError  # tells nothing
    with words.asking(1, MOST_AN_HOUR), pytest.raises(RateLimited):
        ask(1, 1, taken=False)  # concurrent calls do not pass together
    ask(1, MOST_AN_HOUR - 1, taken=True)
    ask(1, 1_000, taken=True)
    now += HOUR_MS - 90_000
    with pytest.raises(RateLimited) as refusal:
        ask(1, 1, taken=False)
    assert refusal.value.retry_after == 90
    assert "2,999 words" in refusal.value.detail
    ask(1, 0, taken=False)  # links without words
    ask(2, 1, taken=True)
    now += 90_000
    ask(1, 1, taken=False)
