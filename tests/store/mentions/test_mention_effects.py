"""What followed a mention, from the counts of a real store."""

from __future__ import annotations

import msgspec
import pytest

from grapevine.analytics.mention_effects import MOST_JUDGED, effects
from grapevine.analytics.models.mention_effect import DAYS
from grapevine.domain import ids
from grapevine.domain.urls import page_id
from grapevine.store.repositories.mentions import FEED, MentionRow, mention_row
from grapevine.store.rows import Counts
from tests.store.mentions.mentioned_site import PAGE, SITE, MentionedSite
from tests.support.backends import Backend

pytestmark = pytest.mark.anyio

DAY = 2_500 + DAYS
QUIET = "https://a.example/quiet"


def mention(url: str, day: int, published: int | None = None) -> MentionRow:
    return mention_row(
        SITE, page_id(SITE, url), FEED, "https://b.example/", ids.day_start(day) + 1, published_at=published
    )


async def test_a_rise_is_said_after_the_mention_that_it_follows(store: Backend) -> None:
    site = MentionedSite(store)
    await site.begin(PAGE, QUIET)
    rows = [(day, 40 if day in (DAY + 1, DAY + 2) else 8 + day % 3) for day in range(2_500, DAY + 10)]
    counted = [
        (SITE, day, page_id(SITE, PAGE), day % 2, *msgspec.structs.astuple(Counts(shares=shares)))
        for day, shares in rows
    ]
    async with store.feeds._transaction() as change:  # noqa: SLF001
        await change.run("raise_counts_page", counted)
    known = await site.sites.by_id(SITE)
    assert known is not None
    now = ids.day_start(DAY + 20)
    asked = [
        mention(PAGE, DAY),
        mention(PAGE, DAY + 9, ids.day_start(DAY) + 5),
        mention(PAGE, DAY - 10),
        mention(QUIET, DAY),
        mention(PAGE, 2_510),
        mention(PAGE, DAY + 18),
        mention("https://a.example/unknown", DAY),
    ]
    rose, published, calm, *silent = await effects(store, known, asked, now)
    assert rose is not None
    assert (rose.says, rose.shares, rose) == ("rose", 80, published)
    assert 3.5 < rose.ratio < 5
    assert rose.low < rose.ratio < rose.high
    assert calm is not None
    assert calm.says == "no clear change"
    assert silent == [None] * 4
    assert await effects(store, known, asked[:1] * (MOST_JUDGED + 1), now) == [None] * (MOST_JUDGED + 1)
    assert await effects(store, known, asked[:1], ids.day_start(DAY + 3) - 1) == [None]
