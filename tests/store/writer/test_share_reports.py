"""Who may say what of a share: holders of its token that it happened, the session of its visit on which page."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from grapevine.domain.channels import CODES
from grapevine.domain.enums import SHARE_REPORTERS
from grapevine.domain.events import Stored
from grapevine.domain.tokens import Token
from grapevine.domain.urls import page_id
from grapevine.store.base import Store
from tests.store.writer.stored_rows import assert_recounted, change_rows
from tests.store.writer.test_batch import NOON, SITE, BatchScene, report

pytestmark = pytest.mark.anyio

COPY = CODES["copy"]
FIRST, OTHER = "https://a.example/deep", "https://a.example/other"
BY_TOKEN, BY_SESSION = SHARE_REPORTERS["token"], SHARE_REPORTERS["session"]


@pytest.fixture
def world(store: Store) -> BatchScene:
    return BatchScene(store)


def by_token(token: Token, url: str = OTHER) -> Any:
    return msgspec.structs.replace(report(token, url=url), by_session=False)


async def shares(world: BatchScene) -> list[tuple[Any, ...]]:
    return await world.table("SELECT page_id, reported_at, reported_by FROM shares")


async def shared(world: BatchScene) -> dict[int, int]:
    """The shares of each page, as the counts say."""
    found = await world.table("SELECT page_id, sum(shares) FROM counts_shared GROUP BY page_id HAVING sum(shares) <> 0")
    return {page: int(number) for page, number in found}


@pytest.mark.parametrize(("url", "page"), [(OTHER, None), (FIRST, page_id(SITE, FIRST))])
async def test_a_token_alone_names_no_page_but_the_first_of_its_visit(
    world: BatchScene, url: str, page: int | None
) -> None:
    token = Token((await world.land(world.arrival())).visit_id, COPY, 0)
    assert await world.play(by_token(token, url)) == [Stored()]
    assert await shares(world) == [(page, NOON, BY_TOKEN)]
    assert await shared(world) == {page_id(SITE, FIRST): 1}
    assert await world.table("SELECT url FROM pages") == [(FIRST,)]  # a stranger adds no page
    await assert_recounted(world.store)


@pytest.mark.parametrize("together", [False, True])
async def test_a_report_with_the_session_replaces_what_a_token_alone_said(world: BatchScene, *, together: bool) -> None:
    token = Token((await world.land(world.arrival())).visit_id, COPY, 0)
    said = [by_token(token, FIRST), report(token, NOON + 5, OTHER), by_token(token, FIRST), report(token, url=FIRST)]
    if together:
        outcomes = await world.play(*said)
        assert outcomes == [Stored(duplicate=True), Stored(), Stored(duplicate=True), Stored(duplicate=True)]
    else:
        outcomes = [(await world.play(event))[0] for event in said]
        assert outcomes == [Stored(), Stored(), Stored(duplicate=True), Stored(duplicate=True)]
    at = NOON + 5 if together else NOON
    assert await shares(world) == [(page_id(SITE, OTHER), at, BY_SESSION)]
    assert await shared(world) == {page_id(SITE, OTHER): 1}
    assert await world.table("SELECT sum(shares), sum(reported) FROM counts_hour") == [(1, 1)]
    await assert_recounted(world.store)


async def test_a_session_replaces_a_report_from_before_reporters_were_kept(world: BatchScene) -> None:
    token = Token((await world.land(world.arrival())).visit_id, COPY, 0)
    await world.play(report(token, url=OTHER))
    await change_rows(world.store, "UPDATE shares SET reported_by = NULL")
    assert await world.play(by_token(token, FIRST), report(token, url="https://a.example/third")) == [
        Stored(duplicate=True),
        Stored(),
    ]
    assert await shares(world) == [(page_id(SITE, "https://a.example/third"), NOON, BY_SESSION)]
    assert await shared(world) == {page_id(SITE, "https://a.example/third"): 1}
    await assert_recounted(world.store)


async def test_a_return_through_a_share_that_a_token_reported_proves_it(world: BatchScene) -> None:
    token = Token((await world.land(world.arrival())).visit_id, COPY, 0)
    await world.play(by_token(token))
    await world.play(world.arrival(token), report(token, url=OTHER))
    assert await world.table("SELECT returns, reported_by FROM shares") == [(1, BY_SESSION)]
    assert await shared(world) == {page_id(SITE, OTHER): 1}
    await assert_recounted(world.store)
