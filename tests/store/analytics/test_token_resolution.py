"""Token resolution, compared with a walk over every object of a random world, and in edge cases."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import msgspec
import pytest

from grapevine.analytics.token_resolution import Resolution, Unresolved, resolve_many_tokens, resolve_token
from grapevine.domain import channels, enums, ids
from grapevine.domain.periods import rfc3339
from grapevine.domain.tokens import BadSignature, NotAToken
from grapevine.errors import UnknownVisit
from grapevine.store.base import Store
from tests.store.analytics.expected_counts import Happening, worth
from tests.store.databases import Database
from tests.store.world import FIRST_DAY, PAGES, Share, Visit, World, grow, site_of

pytestmark = pytest.mark.anyio


@pytest.fixture
async def store(database: Database) -> AsyncIterator[Store]:
    opened = database.store()
    await opened.open()
    yield opened
    await opened.close()


def token_of(world: World, visit: Visit, channel: int, n: int) -> str:
    return site_of(world).tokens.mint(visit.visit_id, (channel,), n)[0]


def path_to(visit: Visit) -> list[Visit]:
    return [*(path_to(visit.parent) if visit.parent else []), visit]


def expected_reach(world: World, share: Share) -> dict[str, object]:
    below = world.below(share)
    inside = {visit.visit_id for visit in below}
    return {
        "visits": len(below),
        "shares": sum(other.first_at is not None and other.visit.visit_id in inside for other in world.shares.values()),
        "max_depth": max((visit.depth for visit in below), default=share.visit.depth),
        "conversions": sum(len(visit.conversions) for visit in below),
        "value": worth(
            Happening(visit, at, 0, {}, value=value, currency=currency)
            for visit in below
            for at, value, currency in visit.values
        ),
    }


@pytest.mark.parametrize("seed", [3, 4, 8])
async def test_every_share_of_a_world_resolves(database: Database, store: Store, seed: int) -> None:
    world = grow(seed)
    site = site_of(world)
    await database.fill(world)
    await database.fill(grow(seed, site_id=8))
    assert any(share.visit.own and share.returns for share in world.shares.values()), "no share of a self-return"
    assert any(share.visit.own and share.visit.sharer and share.visit.sharer.own for share in world.shares.values())
    for share in world.shares.values():
        token = token_of(world, *(share.visit, share.channel, share.n))
        answer = await resolve_token(store.reads, site, token)
        assert answer.token == token
        assert answer.share == msgspec.structs.replace(
            answer.share,
            visit=ids.visit_text(share.visit.visit_id),
            channel=channels.NAMES[share.channel],
            n=share.n,
            url=share.page if share.page and share.reported_at else share.visit.page,
            at=rfc3339(share.visit.at if share.first_at is None else share.first_at),
            depth=share.visit.depth,
            reported=share.reported_at is not None,
            reported_by=enums.share_reporter(share.reported_at, share.reporter),
            proven=share.proven_at is not None,
            returns=len(share.returns),
            self_returns=len(share.self_returns),
        )
        assert sum(answer.share.unfurls.values()) == len(share.unfurls)
        assert [node.visit for node in answer.chain] == [
            ids.visit_text(visit.visit_id) for visit in path_to(share.visit)
        ]
        for node, visit in zip(answer.chain, path_to(share.visit), strict=True):
            assert (node.depth, node.url, node.at) == (visit.depth, visit.page, rfc3339(visit.at))
            assert (node.source, node.is_self) == (enums.SOURCE_NAMES[visit.source], visit.own and not visit.verdict)
            assert node.verdict == (enums.VERDICT_NAMES[visit.verdict] if visit.verdict else None)
            via = visit.through
            assert (node.via and node.via.token) == (via and token_of(world, via.visit, via.channel, via.n))
        reach = expected_reach(world, share)
        assert {name: getattr(answer.reach, name) for name in reach} == reach
        assert not answer.truncated


async def test_the_answer_has_the_names_and_order_of_the_contract(database: Database, store: Store) -> None:
    world = World(7)
    root = Visit(ids.pack(FIRST_DAY, 5, 1), ids.day_start(FIRST_DAY), PAGES[0], enums.SOURCES["search"], 1, None, 1, 1)
    copied = world.share(root, channels.CODES["copy"], 0)
    friend = Visit(ids.pack(FIRST_DAY, 5, 2), root.at + 1_234, PAGES[1], enums.SOURCES["share"], 2, None, 2, 1, copied)
    copied.openings.append(friend)
    friend.conversions.append((friend.at, 49_000_000, "EUR"))
    sent = world.share(friend, channels.CODES["whatsapp"], 0)
    world.visits += [root, friend]
    await database.fill(world)
    first, last = (token_of(world, share.visit, share.channel, 0) for share in (copied, sent))
    answer = await resolve_token(store.reads, site_of(world), last)
    assert msgspec.json.encode(answer).decode() == (
        f'{{"token":"{last}",'
        f'"share":{{"visit":"{ids.visit_text(friend.visit_id)}",'
        '"channel":"whatsapp","n":0,"url":"https://example.org/vines",'
        '"at":"2026-09-21T00:00:01.234Z","depth":1,"reported":false,"proven":false,"returns":0,"self_returns":0,'
        '"networks":0,"unfurls":{},"reported_by":null},'
        f'"chain":[{{"visit":"{ids.visit_text(root.visit_id)}",'
        '"at":"2026-09-21T00:00:00.000Z","url":"https://example.org/",'
        '"source":"search","depth":0,"via":null},'
        f'{{"visit":"{ids.visit_text(friend.visit_id)}",'
        '"at":"2026-09-21T00:00:01.234Z","url":"https://example.org/vines","source":"share",'
        f'"depth":1,"via":{{"token":"{first}","channel":"copy","n":0}}}}],'
        '"reach":{"visits":0,"shares":0,"max_depth":1,"conversions":0,"value":{}}}'
    )
    reach = (await resolve_token(store.reads, site_of(world), first)).reach
    assert (reach.visits, reach.conversions, reach.value) == (1, 1, {"EUR": "49.00"})


async def test_bad_tokens_say_why(database: Database, store: Store) -> None:
    world, other = grow(6), grow(6, site_id=8)
    site = site_of(world)
    await database.fill(world)
    visit = world.visits[0]
    good = token_of(world, visit, 0, 0)
    strange = site.tokens.mint(ids.pack(1, 2, 3), (0,))[0]
    session = site.tokens.session(visit.visit_id)
    cases = {
        "": NotAToken,
        "short": NotAToken,
        good[:-1] + "-": NotAToken,
        good[:-1] + ("0" if good[-1] != "0" else "1"): BadSignature,
        "z" * 23: BadSignature,
        session: BadSignature,
        strange: UnknownVisit,
    }
    for text, error in cases.items():
        with pytest.raises(error):
            await resolve_token(store.reads, site, text)
    answers = await resolve_many_tokens(store.reads, site, [*cases, good, good])
    assert [answer.error for answer in answers if isinstance(answer, Unresolved)] == [
        "not-a-token", "not-a-token", "not-a-token", "bad-signature", "bad-signature", "bad-signature", "unknown-visit",
    ]  # fmt: skip
    assert [answer.token for answer in answers] == [*cases, good, good]
    assert all(isinstance(answer, Resolution) for answer in answers[-2:])
    assert other.visits[0].visit_id == visit.visit_id, "the same id at another site is another visit"
    with pytest.raises(UnknownVisit):
        await resolve_token(store.reads, site_of(other), token_of(other, visit, 0, 0))


async def test_erased_visits_keep_only_their_place(database: Database, store: Store) -> None:
    world = grow(9)
    site = site_of(world)
    await database.fill(world)
    last = max((visit for visit in world.visits if not visit.own), key=lambda visit: visit.depth)
    assert last.parent is not None
    await database.change("UPDATE visits SET flags = 4, at = 0, page_id = 0 WHERE visit_id = ?", last.parent.visit_id)
    answer = await resolve_token(store.reads, site, token_of(world, last, 0, 0))
    erased = answer.chain[-2]
    assert (erased.erased, erased.at, erased.url, erased.source, erased.depth) == (
        True,
        None,
        None,
        None,
        last.depth - 1,
    )
    with pytest.raises(UnknownVisit):
        await resolve_token(store.reads, site, token_of(world, last.parent, 0, 0))


async def test_a_chain_past_retention_is_truncated(database: Database, store: Store) -> None:
    world = grow(10)
    await database.fill(world)
    last = max((visit for visit in world.visits if not visit.own), key=lambda visit: visit.depth)
    await database.change("DELETE FROM visits WHERE visit_id = ?", last.root.visit_id)
    answer = await resolve_token(store.reads, site_of(world), token_of(world, last, 0, 0))
    assert answer.truncated
    assert b'"truncated":true' in msgspec.json.encode(answer)
    assert len(answer.chain) == len(path_to(last)) - 1


async def test_a_share_reaching_a_hundred_visits_is_resolved_quickly(database: Database, store: Store) -> None:
    world = World(7)
    root = Visit(ids.pack(FIRST_DAY, 5, 0), ids.day_start(FIRST_DAY), PAGES[0], 2, 1, None, 1, 1)
    share = world.share(root, 0, 0)
    world.visits.append(root)
    for number in range(1, 101):
        through = share if number < 10 else world.share(world.visits[number // 10], 0, 0)
        visit = Visit(ids.pack(FIRST_DAY, 5, number), root.at + number, PAGES[0], 0, 1, None, number, 1, through)
        through.openings.append(visit)
        world.visits.append(visit)
    await database.fill(world)
    for seed in range(5):
        await database.fill(grow(seed + 20, site_id=30 + seed, size=400))
    token, site = token_of(world, root, 0, 0), site_of(world)
    assert (await resolve_token(store.reads, site, token)).reach.visits == 100
    best = min([await _seconds(store, world, token) for _ in range(20)])
    assert best < 0.01


async def _seconds(store: Store, world: World, token: str) -> float:
    site, start = site_of(world), time.perf_counter()
    await resolve_token(store.reads, site, token)
    return time.perf_counter() - start
