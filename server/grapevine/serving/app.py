"""Puts the parts together: settings → store → sites, writer, collect API → web."""

from __future__ import annotations

import secrets
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.types import ASGIApp

from grapevine.analytics.silence_watch import SilenceWatch
from grapevine.analytics.spike_watch import SpikeWatch
from grapevine.answers.classify_job import answer_classes
from grapevine.background.cleanup import housekeeping
from grapevine.background.leases import Leases
from grapevine.background.periodic import log_failures, periodic
from grapevine.background.site_deletions import SiteDeletions
from grapevine.background.task import background_task
from grapevine.background.version_watch import watch_versions
from grapevine.collect.api import CollectApi
from grapevine.collect.old_builds import OldBuilds
from grapevine.collect.rate_limit import Memory, RateLimit
from grapevine.collect.scan_signs import ScannerNetworks
from grapevine.collect.visitor_hash import VisitorSalts
from grapevine.config.settings import Settings
from grapevine.domain import ids
from grapevine.domain.periods import Clock
from grapevine.domain.urls import origin_of
from grapevine.egress.policy import EgressPolicy
from grapevine.keyring.watch import KeyWatch
from grapevine.links.bounds import LinkBound
from grapevine.links.expiry_job import link_expiry
from grapevine.links.refused_words import RefusedWords
from grapevine.live.feed import LiveFeed
from grapevine.live.watches import Watches
from grapevine.mentions.checking import WebmentionReader
from grapevine.mentions.feeds.administration import feed_egress
from grapevine.mentions.feeds.polling import FeedPolling
from grapevine.mentions.receiving import WebmentionReceiver
from grapevine.receipts.issuing import Receipts
from grapevine.serving.rate_share import dividing, holder
from grapevine.serving.runtime import tune_interpreter
from grapevine.sites.cache import SiteCache
from grapevine.store.base import Store
from grapevine.telemetry.process import Telemetry
from grapevine.telemetry.rows import Rows
from grapevine.web.agent_readings import AgentReadings
from grapevine.web.application import web_application
from grapevine.web.caches import CountsCache, RedirectCache
from grapevine.web.campaign_summaries import CampaignSummaries
from grapevine.web.dashboard.sign_in_link import SignInLink
from grapevine.web.followed_links import FollowedLinks
from grapevine.web.kept_answer_limit import KeptAnswerLimit
from grapevine.web.key_usage import KeyUsage
from grapevine.web.mail_rewrites import MailRewrites
from grapevine.web.page_checks import PageChecks
from grapevine.web.payout_readings import PayoutReadings
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
from grapevine.webhooks.subscriptions import Subscriptions
from grapevine.writer.announcer import Announcer
from grapevine.writer.counts import Drops
from grapevine.writer.eraser import Eraser
from grapevine.writer.nonces import load_nonces
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

    nonces = await load_nonces(store.salts)
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
        sender = Sender(
            store.webhooks, EgressPolicy(settings.webhook_networks), clock, secrets.SystemRandom().random, keyring
        )
        subscriptions = Subscriptions(store.webhooks, sites.numbered, clock, secrets.token_bytes, sender.notify)
        await subscriptions.look(await store.live.versions())
        recorder = EventRecorder(store, nonces, announcer=announcer, subscriptions=subscriptions)
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
        await stack.enter_async_context(retention(store, settings.retention_days, leases, clock, nonces, jobs))
        await stack.enter_async_context(link_expiry(store, nonces, leases, clock, jobs))
        await stack.enter_async_context(answer_classes(store, leases, clock, jobs))
        await stack.enter_async_context(page_joins(store, leases, clock, jobs))
        await stack.enter_async_context(background_task(sites.watch(), "sites"))
        await seal_webhook_secrets()
        await stack.enter_async_context(watch.watching(sites.use_keys, seal_webhook_secrets))
        await stack.enter_async_context(sender.running(jobs))
        spikes = SpikeWatch(store, sites, clock, leases, secrets.token_bytes, sender.notify)
        await stack.enter_async_context(spikes.running(jobs))
        silences = SilenceWatch(store, sites, clock, leases, secrets.token_bytes, sender.notify)
        await stack.enter_async_context(silences.running(jobs))
        feeds = FeedPolling(
            store, sites, clock, leases, feed_egress(settings), secrets.token_bytes, secrets.SystemRandom().random,
            sender.notify,
        )  # fmt: skip
        await stack.enter_async_context(feeds.running(jobs))
        mention_egress = EgressPolicy(settings.mention_networks, plain_http=True)
        own_origins = (origin_of(settings.base_url),) if settings.base_url else ()
        webmention_reader = WebmentionReader(
            store, sites, mention_egress, clock, secrets.token_bytes, on_event=sender.notify, own_origins=own_origins
        )
        await stack.enter_async_context(webmention_reader.running(jobs))
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
        looking = watch_versions(store.live, [eraser.look, watches.look, subscriptions.look])
        await stack.enter_async_context(background_task(looking, "versions"))
        old_builds = OldBuilds(store.sites.saw_old_builds)
        await stack.enter_async_context(old_builds.running(jobs))
        site_deletions = SiteDeletions(store, leases, clock)
        await stack.enter_async_context(site_deletions.running(jobs))
        collect_api = CollectApi(
            sites,
            writer,
            drops,
            VisitorSalts(store.salts),
            limit,
            clock,
            redirects.invalidate,
            old_builds.note,
            ScannerNetworks(settings.scanner_networks),
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
            receipts=Receipts(store, keyring, clock),
            nonces=nonces,
            link_bound=LinkBound(store.links, clock),
            refused_words=RefusedWords(clock),
            followed_links=followed_links,
            page_checks=PageChecks(limit, clock),
            mail_rewrites=MailRewrites(),
            agent_readings=AgentReadings(),
            campaign_summaries=CampaignSummaries(store, nonces),
            payout_readings=PayoutReadings(store, clock),
            sender=sender,
            subscriptions=subscriptions,
            webmentions=WebmentionReceiver(store, sites, mention_egress, clock, own_origins),
            webmention_reader=webmention_reader,
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
