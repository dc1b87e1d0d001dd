"""The demo's past: simulated visits go through the collect API and the writer with a clock that is set back.

The rows are those of a server that ran on those days: tokens, the visitors' salts, and each job at its time. It runs on
the event loop of the server that is shown, in short steps, and shares its recorder (docs/decisions/0058).
"""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

import msgspec

from grapevine.analytics.models.spike_detection import FEWEST_RETURNS
from grapevine.analytics.spike_watch import LOOK_MS, SpikeWatch
from grapevine.background.cleanup import tidy
from grapevine.background.future import resolver
from grapevine.background.leases import Leases
from grapevine.background.periodic import repeated
from grapevine.collect.api import CollectApi
from grapevine.collect.rate_limit import RateLimit
from grapevine.collect.requests import CALLS, ClientInfo, CollectResponse
from grapevine.collect.scan_signs import ScannerNetworks
from grapevine.collect.user_agents import read_agent
from grapevine.collect.visitor_hash import VisitorSalts
from grapevine.demo.links import DemoLink, DemoWorld
from grapevine.domain import ids
from grapevine.domain.channels import CODES
from grapevine.errors import GrapevineError
from grapevine.links.minting import mint
from grapevine.links.new_links import check_links
from grapevine.links.schemas import NewLink
from grapevine.simulate.link_readers import MadeLink
from grapevine.simulate.people import Person
from grapevine.simulate.player import CollectAnswer, Target, WorldPlayer
from grapevine.simulate.requests import SimulatedClick, SimulatedRequest, SimulatedVisit
from grapevine.simulate.truth import Link
from grapevine.sites.cache import SiteCache
from grapevine.web.state import AppState
from grapevine.writer.counts import Drops
from grapevine.writer.verdict_job import VerdictJob
from grapevine.writer.writer import Writer

CONCURRENCY: Final = 64
"""Requests in flight: they share a commit, and the event loop is busy with so many at most before others' turn."""

JOBS_MS: Final = ids.HOUR_MS
_LEASES: Final = ("verdicts", "spikes", "housekeeping")
_RENEW_SECONDS: Final = 20.0


class HistoryClock:
    """The time in the past that is being filled in, in UTC milliseconds."""

    def __init__(self, now: int) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now


class _UnchangingSites(SiteCache):
    """The sites as they were read first: in the past that is filled in none changes."""

    def is_fresh(self, at: int) -> bool:  # noqa: ARG002
        return self.version >= 0


class History(WorldPlayer):
    """Plays ``world`` on the running server ``state``, each request at its own time.

    ``on_time`` is called with the time (UTC ms) that has been reached, about once an hour of the past. While it plays,
    it holds the leases of the jobs that would take the past for the present, and runs them in its own time.
    """

    def __init__(self, state: AppState, target: Target, world: DemoWorld, on_time: Callable[[int], None]) -> None:
        self._now = HistoryClock(world.start)
        super().__init__(target, world, self._now, concurrency=CONCURRENCY)
        store = state.store
        self._store = store
        self._nonces = state.nonces
        self._links = world.links
        self._made = {each.made.visit for each in world.links}
        self._on_time = on_time
        self._sites = _UnchangingSites(store.sites, state.keyring.keys, self._now)
        drops = Drops()
        self._writer = Writer(state.writer.recorder, drops, self._now)
        self._collect = CollectApi(
            self._sites,
            self._writer,
            drops,
            VisitorSalts(store.salts),
            RateLimit(0),
            self._now,
            on_report=lambda _token: None,
            on_old_build=lambda _site, _day: None,
            scanner_networks=ScannerNetworks(()),
        )
        self._leases = Leases(store.leases, state.clock, "history")
        self._verdicts = VerdictJob(store, state.writer.recorder)
        self._spikes = SpikeWatch(
            store, self._sites, self._now, self._leases, secrets.token_bytes, on_event=lambda: None
        )
        self._next_jobs = world.start + JOBS_MS
        self._next_look = world.start
        self._returns: deque[int] = deque()

    async def play(self) -> None:
        """Plays everything. Raises GrapevineError for an unexpected response, StoreError when the store is away."""
        await self._collect.prepare()
        async with self._holding(), self._writer:
            for link in self._links:
                await self._make_link(*link)
            await super().play()
            await self._run_jobs(self._now.now)
        await tidy(self._store, self._now.now)

    @asynccontextmanager
    async def _holding(self) -> AsyncIterator[None]:
        """Holds the leases of the jobs while the block runs."""

        async def acquire() -> None:
            for name in _LEASES:
                await self._leases.acquire(name)

        await acquire()
        try:
            async with repeated("history leases", _RENEW_SECONDS, acquire):
                yield
        finally:
            for name in _LEASES:
                await self._leases.release(name)

    async def _make_link(self, link: DemoLink, made: MadeLink) -> None:
        """Makes a link as the API does, at its own time. Raises GrapevineError."""
        await self._sites.refresh()
        site = self._sites.known(self._target.site)
        if site is None:
            raise GrapevineError("the demo's site is gone")
        wanted = NewLink(
            url=self._url(made.path),
            channel=link.channel,
            label=link.label,
            external_id=link.external_id,
            campaign=link.campaign,
            word=link.word,
            places=[*link.places],
        )
        checked = await check_links(site, [wanted], made.at, is_list=False)
        (row,) = await mint(self._store, self._nonces, site, checked, made.at, f"demo {made.visit}")
        for channel, n in {(readers.channel, readers.n) for readers in made.readers}:
            self._tokens[Link(made.visit, channel, n)] = site.tokens.mint_one(row.visit_id, CODES[channel], n)

    # The time of each request, and the jobs between them.

    async def _prepare(self, action: SimulatedRequest) -> list[asyncio.Task[None]]:
        """Runs the jobs that are due before this request. It waits for what it carries itself, so that the other
        requests of the hour go on and share its commit."""
        while self._next_jobs <= action.at:
            await self._all_stored()
            await self._run_jobs(self._next_jobs)
            self._next_jobs += JOBS_MS
        await self._look_for_spikes(action)
        return self._unfinished(action)

    def _begin(self, action: SimulatedRequest) -> None:
        self._now.now = action.at

    async def _all_stored(self) -> None:
        while self._running:
            await asyncio.wait(self._running.values())

    async def _run_jobs(self, at: int) -> None:
        """Runs the hourly jobs at that time, and makes the next hour's salts ready."""
        self._now.now = at
        await self._verdicts.run(at)
        if at % ids.DAY_MS == 0:
            await tidy(self._store, at)
        await self._collect.prepare()
        self._on_time(at)

    async def _look_for_spikes(self, action: SimulatedRequest) -> None:
        """Looks for spikes every five minutes while there are as many returns in an hour as the smallest has."""
        if isinstance(action, SimulatedVisit) and action.link is not None:
            self._returns.append(action.at)
        while self._returns and self._returns[0] <= action.at - ids.HOUR_MS:
            self._returns.popleft()
        if len(self._returns) >= FEWEST_RETURNS and action.at >= self._next_look:
            await self._all_stored()
            self._now.now = action.at - action.at % LOOK_MS
            await self._spikes.look()
            self._next_look = self._now.now + LOOK_MS

    # The way to the server.

    async def _post(self, call: str, who: Person, body: dict[str, Any], expected: tuple[int, ...]) -> CollectAnswer:
        encoded = msgspec.json.encode({"site": self._target.site, **body})
        client = ClientInfo(who.address, who.agent.text, who.language, self._target.origin, who.opted_out)
        response: asyncio.Future[CollectResponse] = asyncio.get_running_loop().create_future()
        await self._collect.submit_prepared(CALLS[call], encoded, client, resolver(response))
        answer = await response
        if answer.status not in expected:
            raise GrapevineError(f"POST /v1/{call} was answered {answer.status}")
        return CollectAnswer(msgspec.to_builtins(answer.body), answer.dropped)

    async def _follow(self, action: SimulatedClick) -> None:
        """A preview robot's is an unfurl, a person's counts where the site made the link itself."""
        agent = read_agent(action.who.agent.text)
        owner = self._sites.signer(self._tokens[action.link])
        if owner is None:
            return
        if agent.preview is not None:
            await self._collect.unfurl(*owner, agent.preview)
        elif action.link.visit in self._made and not (agent.robot or action.who.opted_out):
            self._collect.click(*owner)
