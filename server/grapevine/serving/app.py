"""Puts the parts together: settings → store → sites, writer, collect API → web."""

from __future__ import annotations

import secrets
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.types import ASGIApp

from grapevine.analytics.spike_watch import SpikeWatch
from grapevine.background.cleanup import housekeeping
from grapevine.background.leases import Leases
from grapevine.background.periodic import log_failures, periodic
from grapevine.background.site_deletions import SiteDeletions
from grapevine.background.task import background_task
from grapevine.background.version_watch import watch_versions
from grapevine.collect.api import CollectApi
from grapevine.collect.old_builds import OldBuilds
from grapevine.collect.rate_limit import Memory, RateLimit
from grapevine.collect.visitor_hash import VisitorSalts
from grapevine.config.settings import Settings
from grapevine.domain import ids
from grapevine.domain.periods import Clock
from grapevine.egress.policy import EgressPolicy
from grapevine.keyring.watch import KeyWatch
from grapevine.live.feed import LiveFeed
from grapevine.live.watches import Watches
from grapevine.serving.rate_share import dividing, holder
from grapevine.serving.runtime import tune_interpreter
from grapevine.sites.cache import SiteCache
from grapevine.store.base import Store
from grapevine.telemetry.process import Telemetry
from grapevine.telemetry.rows import Rows
from grapevine.web.application import web_application
from grapevine.web.caches import CountsCache, RedirectCache
from grapevine.web.dashboard.sign_in_link import SignInLink
from grapevine.web.followed_links import FollowedLinks
from grapevine.web.kept_answer_limit import KeptAnswerLimit
from grapevine.web.key_usage import KeyUsage
from grapevine.web.page_checks import PageChecks
from grapevine.web.proxies import Proxies
from grapevine.web.public.collect import PATHS
from grapevine.web.public.kept_files import KeptFiles
from grapevine.web.public.widget_files import WidgetFiles
from grapevine.web.readiness import Readiness
from grapevine.web.server_metrics.figures import Figures, new_rows
from grapevine.web.state import AppState, FastPathUrls, ResponseCaches
from grapevine.web.steps_cache import StepsCache
from grapevine.webhooks.delivery import Sender
from grapevine.webhooks.sealed_secrets import seal_all
from grapevine.writer.announcer import Announcer
from grapevine.writer.counts import Drops
from grapevine.writer.eraser import Eraser
from grapevine.writer.nonces import Nonces
from grapevine.writer.page_join_job import page_joins
from grapevine.writer.recorder import EventRecorder
from grapevine.writer.retention_job import retention
from grapevine.writer.verdict_job import VERDICT_SECONDS, VerdictJob
from grapevine.writer.writer import Writer


def system_clock() -> int:
    """Returns the time in UTC milliseconds."""
    return time.time_ns() // 1_000_000


@asynccontextmanager
async def running(
    settings: Settings,
    store: Store,
    given: Clock = system_clock,
    buckets: Memory | None = None,
    rows: Rows | None = None,
) -> AsyncIterator[AppState]:
    """Runs the server's parts on an open store; every accepted event is stored before the block ends.

    ``buckets`` are those of the rate limit, and ``rows`` those of the metrics, where the processes of a server share
    them.
    """

    def clock() -> int:
        return ids.nameable(given())

    async def seal_webhook_secrets() -> None:
        await log_failures("webhook secrets", seal_all(store.webhooks, keyring))

    nonce_key = bytes.fromhex(await store.salts.salt("nonce", 0, secrets.token_hex(32)))
    drops, telemetry = Drops(), Telemetry()
    jobs = telemetry.jobs
    async with AsyncExitStack() as stack:
        limit = RateLimit(settings.rate_limit, buckets)
        process = holder(limit)
        watch = KeyWatch(settings, store.fingerprints, clock, process)
        keyring = await stack.enter_async_context(watch.entered())
        sites = SiteCache(store.sites, keyring.keys, clock)
        leases = Leases(store.leases, clock, process)
        announcer = Announcer(clock, store.max_concurrent_batches)
        recorder = EventRecorder(store, Nonces(nonce_key), announcer=announcer)
        writer = Writer(recorder, drops, clock, is_site=lambda site_id: sites.numbered(site_id) is not None)
        if store.shared:
            writer.on_partial_outage = await stack.enter_async_context(
                leases.slot(recorder.set_slot, recorder.max_concurrent_batches)
            )
            await stack.enter_async_context(dividing(limit, store.leases, clock))
        await stack.enter_async_context(writer)
        await stack.enter_async_context(housekeeping(store, clock, leases, jobs))
        verdicts = VerdictJob(store, recorder)
        judge = jobs.timed("verdicts", lambda: verdicts.run(clock()))
        await stack.enter_async_context(periodic("verdicts", VERDICT_SECONDS, judge, leases))
        await stack.enter_async_context(retention(store, settings.retention_days, leases, clock, jobs))
        await stack.enter_async_context(page_joins(store, leases, clock, jobs))
        await stack.enter_async_context(background_task(sites.watch(), "sites"))
        sender = Sender(
            store.webhooks, EgressPolicy(settings.webhook_networks), clock, secrets.SystemRandom().random, keyring
        )
        await seal_webhook_secrets()
        await stack.enter_async_context(watch.watching(sites.use_keys, seal_webhook_secrets))
        await stack.enter_async_context(sender.running(jobs))
        spikes = SpikeWatch(store, sites, clock, leases, secrets.token_bytes, sender.notify)
        await stack.enter_async_context(spikes.running(jobs))
        key_usage = KeyUsage(store.api_keys, clock)
        await stack.enter_async_context(key_usage.running(jobs))
        followed_links = FollowedLinks(store.retention)
        await stack.enter_async_context(followed_links.running(jobs))
        widget = WidgetFiles()
        kept_files = KeptFiles(store.widget_files, widget, clock)
        await stack.enter_async_context(kept_files.running(jobs))
        redirects = RedirectCache(clock, lambda: sites.version)
        watches = Watches(store.live, announcer, clock, process, is_shared=store.shared)
        await watches.look(await store.live.versions())
        live = LiveFeed(store, watches, sites.numbered, clock)
        announcer.on_announced = live.announced
        await stack.enter_async_context(live.running(jobs))

        def forget_erased() -> None:
            redirects.clear()
            live.erased()

        eraser = Eraser(store, recorder, clock, forget_erased)
        looking = watch_versions(store.live, [eraser.look, watches.look])
        await stack.enter_async_context(background_task(looking, "versions"))
        old_builds = OldBuilds(store.sites.saw_old_builds)
        await stack.enter_async_context(old_builds.running(jobs))
        site_deletions = SiteDeletions(store, leases, clock)
        await stack.enter_async_context(site_deletions.running(jobs))
        collect_api = CollectApi(
            sites, writer, drops, VisitorSalts(store.salts), limit, clock, redirects.invalidate, old_builds.note
        )
        state = AppState(
            settings=settings,
            clock=clock,
            store=store,
            sites=sites,
            writer=writer,
            collect_api=collect_api,
            eraser=eraser,
            rate_limit=limit,
            readiness=Readiness(store.writable, clock),
            widget=widget,
            kept_files=kept_files,
            proxies=Proxies(settings.trusted_proxies),
            caches=ResponseCaches(
                counts=CountsCache(clock), redirects=redirects, first_steps=StepsCache(store.reads, clock)
            ),
            fast_path=FastPathUrls(
                collect_calls={f"{settings.prefix}{path}".encode(): call for path, call in PATHS.items()},
                link_prefixes=frozenset({b"/s/", f"{settings.prefix}/s/".encode()}),
                tallies={
                    f"{settings.prefix}{path}".encode(): telemetry.requests[path.removeprefix("/v1/")] for path in PATHS
                },
                links=telemetry.requests["short-link"],
            ),
            key_usage=key_usage,
            kept_answer_limit=KeptAnswerLimit(store.kept_answers, clock),
            keyring=keyring,
            followed_links=followed_links,
            page_checks=PageChecks(limit, clock),
            sender=sender,
            telemetry=telemetry,
            rows=rows or new_rows(),
            live=live,
            site_deletions=site_deletions,
        )
        await stack.enter_async_context(Figures(state).publishing())
        yield state


async def _nothing(_state: AppState) -> None:
    pass


def create_app(
    settings: Settings,
    store: Store,
    clock: Clock = system_clock,
    buckets: Memory | None = None,
    rows: Rows | None = None,
    sign_in_link: SignInLink | None = None,
    companion: Callable[[AppState], Coroutine[Any, Any, None]] = _nothing,
) -> ASGIApp:
    """Returns the server as an ASGI application whose lifespan opens ``store``, and closes it after the last event.

    ``companion`` runs while the application does, with its parts, and is cancelled before they end.
    """

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[dict[str, AppState]]:
        await store.open()
        try:
            async with running(settings, store, clock, buckets, rows) as state:
                app.state.app_state = state
                tune_interpreter()
                async with background_task(companion(state), "companion"):
                    yield {"app_state": state}
        finally:
            await store.close()

    return web_application(settings, lifespan, sign_in_link)
