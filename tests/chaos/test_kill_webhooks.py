"""``kill -9`` amid everything that webhooks tell of: what is stored is told, under one id, and says what is stored.

A real receiver counts the ids, and fails, hangs, redirects and dies half-way meanwhile. One kill in the usual run; 20
more, and 10 on PostgreSQL, are marked slow.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import Any, Final

import pytest

from grapevine.config.secret_keys import with_secret_keys
from grapevine.config.settings import Settings
from grapevine.domain import ids
from grapevine.domain.enums import SOURCES
from grapevine.domain.events import VisitEvent
from grapevine.domain.urls import Page, page_id
from grapevine.serving.app import system_clock
from grapevine.sites.management import add_site
from grapevine.store.factory import make_store
from grapevine.webhooks.signing import EVENTS
from grapevine.writer.nonces import load_nonces
from grapevine.writer.recorder import EventRecorder
from tests.chaos.audit import counts_agree
from tests.chaos.outcome_load import FRIENDS, OutcomeLoad, page_of
from tests.chaos.serve_with_clock import OffsetFile
from tests.chaos.told_events import called_for, received_of
from tests.store.webhooks.outbox import signed
from tests.support.server_process import PATIENCE_SECONDS, Installation, PostgresInstallation
from tests.support.source_server import SourceServer, serving_sources
from tests.support.webhook_receiver import HALF, Receiver, Says, receiving

pytestmark = pytest.mark.anyio

_LATER_MS: Final = 20 * 60_000
"""Longer than any claim, and than the pause of a feed whose last version was read when the next one was put there."""
_ROUND_MS: Final = 20 * ids.HOUR_MS
_QUIET_MS: Final = 8 * ids.HOUR_MS
"""So long before the time of its round a site has its last visit."""
_LEARNT_MS: Final = 8 * ids.DAY_MS
"""So long before the first round the sites have visits: what is usual is known."""
_MOST_SILENT: Final = 6
"""So many rounds have a site of their own that falls silent."""
_ENTRIES: Final = 8
"""New entries of the feed in each round."""
_LATEST: Final = 3 * FRIENDS
_LONGEST_DELAY_SECONDS: Final = 0.03


@pytest.mark.parametrize("kills", [1, pytest.param(20, marks=pytest.mark.slow)])
async def test_killed_amid_what_webhooks_tell_of(installation: Installation, kills: int) -> None:
    await _killed_again_and_again(installation, kills)


@pytest.mark.slow
async def test_killed_amid_what_webhooks_tell_of_on_postgres(postgres_installation: PostgresInstallation) -> None:
    await _killed_again_and_again(postgres_installation, 10)


async def _killed_again_and_again(installation: Installation, kills: int) -> None:
    installation.more_settings |= {
        "GRAPEVINE_MENTION_NETWORKS": "127.0.0.0/8",
        "GRAPEVINE_WEBHOOK_NETWORKS": "127.0.0.0/8",
        "GRAPEVINE_TRUSTED_PROXIES": "127.0.0.1",
        "GRAPEVINE_RETENTION_DAYS": "0",
    }
    await installation.change("UPDATE sites SET webmention = 'on'")
    silent = min(kills, _MOST_SILENT)
    now = system_clock()
    start = now - now % ids.HOUR_MS + 30 * 60_000  # so that some minutes more are in the same hour
    keys = [installation.key, *await _remember(installation, start, kills + 1, silent)]
    chance, load = random.Random(kills), OutcomeLoad(installation)  # noqa: S311
    offset = OffsetFile(installation.logs / "offset")
    command = ("-m", "tests.chaos.serve_watching_often", str(offset.path))

    def turn(number: int, more: int = 0) -> None:
        offset.set(start - now + number * _ROUND_MS + more)

    async with AsyncExitStack() as stack:
        receiver, elsewhere = [await stack.enter_async_context(receiving()) for _ in range(2)]
        hosts = [f"127.9.{number}.1" for number in range(kills + 1)]
        sources = await stack.enter_async_context(serving_sources(*hosts))
        troubles: list[Says] = [(503, {}), HALF, (307, {"location": elsewhere.url})]
        playing: asyncio.Task[None] | None = None
        secrets: dict[str, str] = {}
        _put_in_place(sources, -1)
        turn(0)
        for number in range(kills + 1):
            is_last = number == kills
            with installation.serving(command) as server:
                load.open(server.port)
                if playing is None:
                    secrets = await _prepare(load, keys, sources.url("/feed"), receiver)
                else:
                    await playing  # what the kill cut is reported again
                    turn(number, _LATER_MS)
                    await _stored(installation, number)
                    turn(number, 7 * ids.HOUR_MS)
                    await _until(installation, f"SELECT count(*) = {min(number, silent)} FROM silences")
                said = [chance.choice(troubles) if chance.random() < 0.15 else (204, {}) for _ in range(_LATEST)]
                if not is_last:
                    said.insert(chance.randrange(_LATEST), None)
                receiver.says = said
                _put_in_place(sources, number)
                turn(number + 1)
                playing = asyncio.create_task(_play(load, number, sources.url(f"/post-{number}", hosts[number])))
                if is_last:
                    await playing
                    turn(number + 1, later := _LATER_MS)
                    await _stored(installation, number + 1)
                    async with asyncio.timeout(PATIENCE_SECONDS):
                        while (await installation.rows(_WAITING))[0][0]:
                            later += 600_000
                            turn(number + 1, later)
                            await asyncio.sleep(0.1)
                    assert server.end().status == 0
                else:
                    reached = asyncio.create_task(load.reached(chance.randrange(_LATEST)))
                    await asyncio.wait([reached, playing], return_when=asyncio.FIRST_COMPLETED)
                    if playing.done():
                        await playing
                    await reached
                    await asyncio.sleep(chance.uniform(0, _LONGEST_DELAY_SECONDS))
                    load.close()
                    server.kill()
    assert elsewhere.received == []
    assert await installation.rows("SELECT count(*) FROM deliveries WHERE failed_at IS NOT NULL") == [(0,)]
    assert all(signed(each, secrets[each.line.split(" ")[1]]) for each in receiver.received)
    wanted, got = await called_for(installation), received_of(receiver.received)
    assert Counter(name for name, *_ in wanted).keys() == set(EVENTS)
    assert got.keys() == wanted.keys()
    for told, facts in wanted.items():
        assert len(got[told]) == 1, (told, got[told])
        (said_of_it,) = got[told].values()
        assert {field: said_of_it[field] for field in facts} == facts
    await counts_agree(installation)


_WAITING: Final = "SELECT count(*) FROM deliveries WHERE next_at IS NOT NULL"


async def _stored(installation: Installation, rounds: int) -> None:
    """Returns when the jobs have found what so many rounds hold."""
    await _until(installation, f"SELECT count(*) = {rounds} FROM spikes")
    await _until(installation, f"SELECT count(*) = {rounds * (_ENTRIES + 1)} FROM mentions")


async def _until(installation: Installation, query: str) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not (await installation.rows(query))[0][0]:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def _play(load: OutcomeLoad, number: int, source: str) -> None:
    """Plays a round, and sends a webmention of its page."""
    async with asyncio.TaskGroup() as group:
        group.create_task(load.play(number))
        group.create_task(load.mention(number, source))


async def _prepare(load: OutcomeLoad, keys: list[str], feed: str, receiver: Receiver) -> dict[str, str]:
    """Names a feed of the first key's site, and an endpoint of each site. Returns their secrets, by path."""
    secrets = {}
    heads = [{"authorization": f"Bearer {key}", "content-type": "application/json"} for key in keys]
    for number, head in enumerate(heads):
        hook = {"url": f"{receiver.url}/{number}", "events": [*EVENTS]}
        secrets[f"/hook/{number}"] = (await load.ask("/v1/webhooks", hook, head, 201))["secret"]
    await load.ask("/v1/feeds", {"url": feed}, heads[0], 201)
    return secrets


def _put_in_place(sources: SourceServer, number: int) -> None:
    """Puts the post and the feed of a round in place."""
    sources.page(f"/post-{number}", f"<title>Post {number}</title><a href='{page_of(number)}'>x</a>")
    items = "".join(
        f"<item><title>Entry</title><link>https://b.example/{each}/{entry}</link>"
        f"<description>{page_of(each)}</description></item>"
        for each in range(number + 1)
        for entry in range(_ENTRIES)
    )
    feed = f"<rss version='2.0'><channel><title>F</title>{items}</channel></rss>"
    sources.page("/feed", feed, content_type="application/rss+xml", etag=f'"{number}"')


async def _remember(installation: Installation, start: int, rounds: int, silent: int) -> list[str]:
    """Stores a visit to each page of the first site long ago, and the visits of new sites that fall silent one after
    the other. Returns the keys of these."""
    settings = with_secret_keys(
        Settings(
            database=installation._settings()["GRAPEVINE_DATABASE"],  # noqa: SLF001
            secret_keys=(installation.keys.encode(),) if isinstance(installation, PostgresInstallation) else (),
        )
    )
    store = make_store(settings)
    await store.open()
    sites = [await add_site(store, f"{number}", [f"https://{number}.example"], start) for number in range(silent)]
    recorder = EventRecorder(store, await load_nonces(store.salts))
    events = list(_visits(start, rounds, silent))
    for first in range(0, len(events), 500):
        await recorder.record(events[first : first + 500])
    await store.close()
    return [site.key.secret for site in sites]


def _visits(start: int, rounds: int, silent: int) -> Iterator[VisitEvent]:
    for number in range(rounds):
        yield _visit(1, page_of(number), start - _LEARNT_MS, number)
    for number in range(silent):
        for at in range(start - _LEARNT_MS, start + (number + 1) * _ROUND_MS - _QUIET_MS, 900_000):
            yield _visit(2 + number, f"https://{number}.example/", at, at)


def _visit(site_id: int, url: str, at: int, number: int) -> VisitEvent:
    fields: dict[str, Any] = {"token": None, "reason": None, "own": False, "title": None, "app": None}
    return VisitEvent(
        site_id=site_id,
        nonce=f"usual-{number:016}",
        day=ids.day_at(at),
        at=at,
        page=Page(page_id(site_id, url), url, is_home=False),
        source=SOURCES["search"],
        device=1,
        visitor=number + 1,
        visitor_before=-number - 1,
        **fields,
    )
