"""Answers kept for an API key are counted now and then, and the limit holds all the same."""

from __future__ import annotations

import asyncio

import pytest

from grapevine.errors import RateLimited
from grapevine.store.repositories.kept_answers import KEPT_MS, KeptAmount, KeptAnswerRepository
from grapevine.web.kept_answer_limit import KeptAnswerLimit

pytestmark = pytest.mark.anyio

NOW = 1_800_000_000_000


class Answers(KeptAnswerRepository):
    """So many answers are kept for every key; the counts are counted."""

    def __init__(self, number: int = 0) -> None:
        self.number = number
        self.counts = 0
        self.now = NOW

    async def amount(self, key_id: str) -> KeptAmount:
        self.counts += 1
        number = self.number
        await asyncio.sleep(0)
        return KeptAmount(number, NOW - 60_000 if key_id else 0)

    async def keep_one(self, limit: KeptAnswerLimit, most: int) -> None:
        await limit.take("a", most)
        self.number += 1


async def passed(answers: Answers, limit: KeptAnswerLimit, most: int) -> int:
    """How many requests, one after the other, pass before one is refused."""
    for number in range(most + 1):
        try:
            await answers.keep_one(limit, most)
        except RateLimited:
            return number
    raise AssertionError("none was refused")


async def test_thousands_of_requests_take_some_counts() -> None:
    answers = Answers()
    assert await passed(answers, KeptAnswerLimit(answers, lambda: NOW), 10_000) == 10_000
    assert answers.counts == 41


async def test_refusals_count_once_a_second_and_end_when_answers_are_forgotten() -> None:
    answers = Answers(10_000)
    limit = KeptAnswerLimit(answers, lambda: answers.now)
    for _ in range(50):
        with pytest.raises(RateLimited) as refusal:
            await limit.take("a", 10_000)
        assert refusal.value.retry_after == (KEPT_MS - 60_000) // 1_000
    assert answers.counts == 1
    answers.number, answers.now = 9_997, NOW + 1_000
    assert await passed(answers, limit, 10_000) == 3


async def test_requests_that_count_at_the_same_time_take_from_one_count() -> None:
    answers = Answers(9_900)
    limit = KeptAnswerLimit(answers, lambda: NOW)
    await asyncio.gather(*(limit.take("a", 10_000) for _ in range(50)))
    answers.number = 10_000
    assert await passed(answers, limit, 10_000) == 50


async def test_keys_are_apart() -> None:
    answers = Answers(1)
    limit = KeptAnswerLimit(answers, lambda: NOW)
    for key_id in ("a", "b"):
        await limit.take(key_id, 2)
    assert answers.counts == 2
