"""The application state: everything that request handlers work with, made once when the application starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request

from grapevine.background.site_deletions import SiteDeletions
from grapevine.collect.api import CollectApi
from grapevine.collect.rate_limit import RateLimit
from grapevine.collect.requests import CallSpec
from grapevine.config.settings import Settings
from grapevine.domain.periods import Clock
from grapevine.domain.redaction import redacted_repr
from grapevine.keyring.keyring import KeyRing
from grapevine.links.bounds import LinkBound
from grapevine.links.refused_words import RefusedWords
from grapevine.live.feed import LiveFeed
from grapevine.mentions.checking import WebmentionReader
from grapevine.mentions.receiving import WebmentionReceiver
from grapevine.receipts.issuing import Receipts
from grapevine.sites.cache import SiteCache
from grapevine.store.base import Store
from grapevine.telemetry.process import Telemetry
from grapevine.telemetry.request_tallies import RouteTally
from grapevine.telemetry.rows import Rows
from grapevine.web.agent_readings import AgentReadings
from grapevine.web.caches import CountsCache, RedirectCache
from grapevine.web.campaign_summaries import CampaignSummaries
from grapevine.web.followed_links import FollowedLinks
from grapevine.web.kept_answer_limit import KeptAnswerLimit
from grapevine.web.key_usage import KeyUsage
from grapevine.web.mail_rewrites import MailRewrites
from grapevine.web.page_checks import PageChecks
from grapevine.web.payout_readings import PayoutReadings
from grapevine.web.proxies import Proxies
from grapevine.web.public.kept_files import KeptFiles
from grapevine.web.public.widget_files import WidgetFiles
from grapevine.web.readiness import Readiness
from grapevine.web.steps_cache import StepsCache
from grapevine.webhooks.delivery import Sender
from grapevine.webhooks.subscriptions import Subscriptions
from grapevine.writer.eraser import Eraser
from grapevine.writer.nonces import Nonces
from grapevine.writer.writer import Writer


@dataclass(frozen=True)
class ResponseCaches:
    """Responses that are kept in memory for seconds."""

    counts: CountsCache
    redirects: RedirectCache
    first_steps: StepsCache


@dataclass(frozen=True)
class FastPathUrls:
    """The paths that the fast path past ASGI takes: collect calls by their whole path, and prefixes of the token of a
    short link. With them the tallies of these requests."""

    collect_calls: Mapping[bytes, CallSpec]
    link_prefixes: frozenset[bytes]
    tallies: Mapping[bytes, RouteTally]
    links: RouteTally


@dataclass(frozen=True)
class AppState:
    """The parts of the running server. ``keyring`` also signs the dashboard's session cookies."""

    settings: Settings
    clock: Clock
    store: Store
    sites: SiteCache
    writer: Writer
    collect_api: CollectApi
    eraser: Eraser
    rate_limit: RateLimit
    readiness: Readiness
    widget: WidgetFiles
    kept_files: KeptFiles
    proxies: Proxies
    caches: ResponseCaches
    fast_path: FastPathUrls
    key_usage: KeyUsage
    kept_answer_limit: KeptAnswerLimit
    keyring: KeyRing
    receipts: Receipts
    nonces: Nonces
    link_bound: LinkBound
    refused_words: RefusedWords
    followed_links: FollowedLinks
    page_checks: PageChecks
    mail_rewrites: MailRewrites
    agent_readings: AgentReadings
    campaign_summaries: CampaignSummaries
    payout_readings: PayoutReadings
    sender: Sender
    subscriptions: Subscriptions
    webmentions: WebmentionReceiver
    webmention_reader: WebmentionReader
    telemetry: Telemetry
    rows: Rows
    live: LiveFeed
    site_deletions: SiteDeletions

    def __repr__(self) -> str:
        return redacted_repr(self)


def app_state(request: Request) -> AppState:
    """Returns the state of the application that handles this request."""
    found: AppState = request.app.state.app_state
    return found
