"""What visitors invent, on a real store: goals, apps, answers and pages beyond their bounds, and very deep chains."""

from __future__ import annotations

from collections import Counter

import pytest

from grapevine.analytics.breakdown import breakdown_by
from grapevine.analytics.goals import conversions_by_goal
from grapevine.analytics.summary import period_summary
from grapevine.analytics.token_resolution import resolve_many_tokens, resolve_token
from grapevine.domain import ids
from grapevine.domain.events import BoundExceeded, ShareReport, Stored
from grapevine.domain.tokens import Token
from grapevine.domain.urls import OTHER_PAGE, page_id
from grapevine.store.base import Store
from grapevine.writer import name_bounds
from grapevine.writer.name_bounds import ANSWER, APP, BOUNDS, CLICK_ID, GOAL, MOST_SHARE_URLS, PAGE, SHARE_URL, Bound
from grapevine.writer.nonces import Nonces
from grapevine.writer.recorder import EventRecorder
from tests.store.writer.stored_rows import assert_recounted
from tests.store.writer.test_answers import answer
from tests.store.writer.test_batch import COPY, NOON, SITE, WHATSAPP, BatchScene, page
from tests.store.writer.test_conversions import DAY, OWNER, goal

pytestmark = pytest.mark.anyio

FLOOD, HONEST = 1 << 24 | 7, 2 << 24 | 7
"""Networks in two wide networks."""
SMALL = {**BOUNDS, PAGE: Bound(4), GOAL: Bound(4), APP: Bound(4), ANSWER: Bound(4), SHARE_URL: Bound(None, 3)}


@pytest.fixture
def world(store: Store) -> BatchScene:
    return scene(store)


def scene(store: Store) -> BatchScene:
    """A process of its own with small bounds."""
    return BatchScene(store, EventRecorder(store, Nonces(b"n" * 32), bounds=SMALL))


async def hits(world: BatchScene) -> dict[str, int]:
    """The events beyond a bound, as the owner sees them; everything else is what it counts to be."""
    await assert_recounted(world.store)
    return (await period_summary(world.store.reads, OWNER, DAY)).bound_hits


def numbered(kind: str, count: int) -> list[str]:
    return [f"{kind}{number}" for number in range(count)]


async def goals_of(world: BatchScene) -> Counter[str]:
    return Counter(dict(await world.table("SELECT goal, count(*) FROM conversions GROUP BY 1")))


@pytest.mark.parametrize("together", [True, False])
async def test_new_goals_are_divided_by_network(world: BatchScene, together: bool) -> None:
    visit = (await world.land(world.arrival())).visit_id
    flood = [goal(visit, name, goal=name, network=FLOOD) for name in numbered("flood", 9)]
    for events in [flood] if together else [[event] for event in flood]:
        assert await world.play(*events) == [Stored()] * len(events)
    await world.play(goal(visit, "honest", goal="honest", network=HONEST))
    assert await goals_of(world) == Counter({"(other)": 7, "flood0": 1, "flood1": 1, "honest": 1})
    assert await hits(world) == {"goals": 7}
    found = await conversions_by_goal(world.store.reads, OWNER, DAY)
    assert [row.goal for row in found.goals] == ["flood0", "flood1", "honest"]
    assert found.others is not None
    assert (found.others.goal, found.others.conversions, found.number) == ("(other)", 7, 4)


async def test_a_known_goal_needs_no_room_in_any_process_on_any_day(world: BatchScene) -> None:
    visit = (await world.land(world.arrival())).visit_id
    names = numbered("goal", 2)
    await world.play(*(goal(visit, name, goal=name, network=FLOOD) for name in names))
    later = scene(world.store)
    await later.play(
        *(goal(visit, f"{name} again", goal=name, network=FLOOD) for name in names),
        *(goal(visit, f"{name} later", NOON + ids.DAY_MS, goal=name, network=FLOOD) for name in names),
    )
    assert await goals_of(world) == Counter(dict.fromkeys(names, 3))
    assert await hits(world) == {}


async def test_the_owners_goals_have_no_bound_and_take_no_room(world: BatchScene) -> None:
    visit = (await world.land(world.arrival())).visit_id
    names = numbered("own", 9)
    await world.play(*(goal(visit, name, goal=name) for name in names))
    await world.play(goal(visit, "a", goal="honest", network=HONEST), goal(visit, "b", goal="own8", network=HONEST))
    await world.play(*(goal(visit, name, goal=name, network=FLOOD) for name in numbered("flood", 9)))
    found = await goals_of(world)
    assert found == Counter(dict.fromkeys(names, 1) | {"own8": 2, "honest": 1, "flood0": 1, "flood1": 1, "(other)": 7})
    await world.play(goal(visit, "kept", goal="flood8"))  # what the owner names counts as itself from now on
    await world.play(goal(visit, "visitor's", goal="flood8", network=FLOOD))
    assert (await goals_of(world))["flood8"] == 2


async def test_a_goal_that_is_refused_is_a_repeat_all_the_same(world: BatchScene) -> None:
    visit = (await world.land(world.arrival())).visit_id
    flood = [goal(visit, name, goal=name, network=FLOOD) for name in numbered("flood", 5)]
    await world.play(*flood)
    assert await world.play(*flood) == [Stored(duplicate=True)] * 5
    assert sum((await goals_of(world)).values()) == 5


async def test_apps_beyond_the_bound_count_as_other_where_visitors_named_them(world: BatchScene) -> None:
    for name in numbered("org.flood.a", 5):
        await world.land(world.arrival(app=name, app_listed=False, network=FLOOD))
    await world.land(world.arrival(app="org.honest", app_listed=False, network=HONEST))
    await world.land(world.arrival(app="com.known", app_listed=True, network=FLOOD))
    expected = Counter({"(other)": 3, "org.flood.a0": 1, "org.flood.a1": 1, "org.honest": 1, "com.known": 1})
    assert Counter([app for (app,) in await world.table("SELECT app FROM visits")]) == expected
    assert {row.key: row.visits for row in await breakdown_by(world.store.reads, OWNER, "app", DAY)} == expected
    assert await hits(world) == {"apps": 3}


async def test_answers_beyond_the_bound_are_refused_until_tomorrow(world: BatchScene) -> None:
    said = [answer(nonce=f"flood{number:011}", network=FLOOD) for number in range(4)]
    refused = BoundExceeded(seconds=12 * 3600)
    assert await world.play(*said) == [Stored(), Stored(), refused, refused]
    assert await world.play(*said) == [Stored(duplicate=True), Stored(duplicate=True), refused, refused]
    assert await scene(world.store).play(answer(nonce="h" * 16, network=HONEST)) == [Stored()]
    tomorrow = answer(nonce="t" * 16, network=FLOOD, at=NOON + ids.DAY_MS)
    assert await world.play(tomorrow) == [Stored()]
    assert await world.table("SELECT count(*) FROM answers") == [(4,)]
    assert await hits(world) == {"answers": 4}


async def fill_pages(world: BatchScene) -> None:
    """Uses up the bound of pages."""
    for number in range(9):
        url = f"https://a.example/flood/{number}"
        await world.land(world.arrival(page=page(url), title=None, network=(number + 10) << 24))


def reported(token: Token, url: str, network: int = HONEST) -> ShareReport:
    return ShareReport(site_id=SITE, token=token, at=NOON, page=page(url), title=None, by_session=True, network=network)


async def test_a_share_keeps_its_own_url_beyond_the_bound_of_pages(world: BatchScene) -> None:
    await fill_pages(world)
    url = "https://a.example/brand-new-article"
    visit = (await world.land(world.arrival(page=page(url), network=HONEST))).visit_id
    token = Token(visit, COPY, 0)
    assert await world.play(reported(token, url)) == [Stored()]
    assert await world.play(reported(token, "https://a.example/later")) == [Stored(duplicate=True)]
    shares = world.store.reads.shares
    assert (await shares.followed_link(SITE, visit, COPY, 0)).url == url
    (text,) = OWNER.tokens.mint(visit, (COPY,))
    found = await resolve_token(world.store.reads, OWNER, text)
    assert (found.share.url, found.chain[-1].url) == (url, OTHER_PAGE)
    assert await shares.shares_of_page(SITE, page_id(SITE, OTHER_PAGE)) == {COPY: 1}
    assert url not in {found for (found,) in await world.table("SELECT url FROM pages")}
    assert (await hits(world))["pages"] == 5 + 3
    # A return proves it, and takes nothing away.
    await world.land(world.arrival(token, page=page(url), network=FLOOD))
    assert (await shares.followed_link(SITE, visit, COPY, 0)).url == url
    assert (await hits(world))["pages"] == 5 + 4


async def test_a_listed_page_has_no_url_of_its_own(world: BatchScene) -> None:
    visit = (await world.land(world.arrival(network=HONEST))).visit_id
    await world.play(reported(Token(visit, COPY, 0), "https://a.example/deep"))
    assert await world.table("SELECT url FROM shares") == [(None,)]


@pytest.mark.parametrize("together", [True, False])
async def test_a_visit_keeps_only_so_many_urls(store: Store, together: bool) -> None:
    bounds = SMALL | {SHARE_URL: Bound(None, 1_000)}
    world = BatchScene(store, EventRecorder(store, Nonces(b"n" * 32), bounds=bounds))
    await fill_pages(world)
    visit = (await world.land(world.arrival(page=page("https://a.example/x"), network=HONEST))).visit_id
    tokens = [Token(visit, channel, n) for channel in range(COPY, COPY + 4) for n in range(7)]
    events = [reported(token, f"https://a.example/x/{index}") for index, token in enumerate(tokens)]
    for some in [events] if together else [[event] for event in events]:
        await world.play(*some)
    await world.play(reported(Token(visit, COPY + 5, 0), "https://a.example/x/3"))  # one that it has already
    kept = Counter(url for (url,) in await world.table("SELECT url FROM shares"))
    assert (len(kept) - 1, kept[None]) == (MOST_SHARE_URLS, len(tokens) - MOST_SHARE_URLS)
    assert kept["https://a.example/x/3"] == 2
    nameless = await world.table("SELECT count(*) FROM shares WHERE page_id IS NULL AND reported_at IS NOT NULL")
    assert nameless == [(len(tokens) - MOST_SHARE_URLS,)]
    assert (await hits(world))["shares"] == len(tokens) - MOST_SHARE_URLS


async def test_a_network_keeps_only_so_many_urls_a_day(world: BatchScene) -> None:
    await fill_pages(world)
    for number, network in enumerate([FLOOD] * 5 + [FLOOD + 1, HONEST]):
        url = f"https://a.example/x/{number}"
        visit = (await world.land(world.arrival(page=page(url), network=network))).visit_id
        await world.play(reported(Token(visit, WHATSAPP, 0), url, network))
    kept = [url for (url,) in await world.table("SELECT url FROM shares") if url]
    assert sorted(kept) == [f"https://a.example/x/{number}" for number in (0, 1, 2, 6)]


async def test_pages_that_are_stored_take_no_room_after_a_restart(world: BatchScene) -> None:
    await world.land(world.arrival(page=page("https://a.example/1"), network=FLOOD))
    await world.land(world.arrival(page=page("https://a.example/2"), network=FLOOD))
    later = scene(world.store)
    for number in (1, 2, 1, 2):
        at = NOON + ids.DAY_MS
        await later.land(later.arrival(page=page(f"https://a.example/{number}"), network=FLOOD, at=at))
    await later.land(later.arrival(page=page("https://a.example/3"), network=FLOOD, at=NOON + ids.DAY_MS))
    assert await hits(world) == {}


async def test_very_deep_chains_have_few_counts_and_a_bounded_resolution(store: Store) -> None:
    world = BatchScene(store)
    chain = [(await world.land(world.arrival())).visit_id]
    for _ in range(250):
        chain.append((await world.land(world.arrival(Token(chain[-1], COPY, 0)))).visit_id)
    await world.play(goal(chain[-1], "id 1"))
    await assert_recounted(store)
    assert await world.table("SELECT max(depth), count(DISTINCT depth) FROM counts_hour") == [(63, 64)]
    rows = {row.key: row for row in await breakdown_by(store.reads, OWNER, "depth", DAY)}
    assert list(rows) == ["63+", *range(63)]
    assert (rows["63+"].visits, rows["63+"].conversions, rows[62].visits) == (251 - 63, 1, 1)
    for last, omitted in ((250, 51), (200, 1), (199, 0), (0, 0)):
        (text,) = OWNER.tokens.mint(chain[last], (COPY,))
        found = await resolve_token(store.reads, OWNER, text)
        shown = chain[: last + 1] if not omitted else [chain[0], *chain[last - 198 : last + 1]]
        assert [node.visit for node in found.chain] == [ids.visit_text(visit) for visit in shown]
        assert (found.omitted, found.truncated, found.share.depth) == (omitted, False, last)
        assert await resolve_many_tokens(store.reads, OWNER, [text]) == [found]


def test_the_kinds_are_those_that_the_owner_sees() -> None:
    assert {PAGE, GOAL, APP, ANSWER, SHARE_URL, CLICK_ID} == set(name_bounds.BOUNDS)
