"""One collect call from body to response: decode, admit, classify, check, submit. Knows facts of HTTP, but no HTTP."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Final

from grapevine.background.future import resolver
from grapevine.collect.conversion_input import Goal
from grapevine.collect.fields import session_token
from grapevine.collect.rate_limit import RateLimit
from grapevine.collect.recent_refusals import RecentRefusals
from grapevine.collect.refusals import RefusalLog, foreign_page, refuse_excess_reports, unknown_site
from grapevine.collect.requests import (
    CallContext,
    CallSpec,
    ClientInfo,
    CollectResponse,
    PendingEvent,
    dropped,
    pending_answer,
    pending_conversion,
)
from grapevine.collect.scan_signs import ScannerNetworks
from grapevine.collect.schemas import ForgetRequest
from grapevine.collect.user_agents import read_agent
from grapevine.collect.visitor_hash import VisitorSalts
from grapevine.domain import ids
from grapevine.domain.enums import DROP_REASONS
from grapevine.domain.events import (
    Answer,
    Click,
    Conversion,
    Event,
    OptedOutVisit,
    Outcome,
    ShareReport,
    Stored,
    Unfurl,
    View,
    VisitEvent,
)
from grapevine.domain.json_input import decode
from grapevine.domain.periods import Clock
from grapevine.domain.tokens import Token
from grapevine.errors import Busy, CutOff, FieldError, Invalid, Problem, StoreError
from grapevine.sites.cache import Site, SiteCache
from grapevine.store.rows import SiteRow
from grapevine.writer.counts import Drops
from grapevine.writer.writer import Writer

EVENT_CALLS: Final[Mapping[type[Event], str]] = {
    VisitEvent: "visits",
    OptedOutVisit: "visits",
    View: "views",
    ShareReport: "shares",
    Conversion: "conversions",
    Answer: "answers",
    Unfurl: "unfurls",
    Click: "clicks",
}
"""The name under which each kind of event is counted: that of its call, or what it is."""

OnResult = Callable[[CollectResponse | Exception], None]
"""Called once with the response to a call, or with the error that it failed with; must not raise."""


class CollectApi:
    """The collect API. Counts every refusal with its reason; calls ``on_report`` with each token whose
    report changes its share, and ``on_old_build`` with the site and day of each visit that names no build.
    ``scanner_networks`` are those that programs which check mails open links from."""

    def __init__(
        self,
        sites: SiteCache,
        writer: Writer,
        drops: Drops,
        salts: VisitorSalts,
        limit: RateLimit,
        clock: Clock,
        on_report: Callable[[str], None],
        on_old_build: Callable[[SiteRow, int], None],
        scanner_networks: ScannerNetworks,
    ) -> None:
        self._sites = sites
        self._writer = writer
        self._drops = drops
        self._salts = salts
        self._limit = limit
        self._clock = clock
        self._on_report = on_report
        self._refusals = RefusalLog()
        self.recent_refusals = RecentRefusals()
        self._on_old_build = on_old_build
        self._scanner_networks = scanner_networks
        self.drops = drops
        self.accepted = dict.fromkeys(EVENT_CALLS.values(), 0)
        """Stored events by the name of their call, since the process started."""
        self.store_errors = 0

    def submit(self, call: CallSpec, body: bytes, client: ClientInfo, on_result: OnResult) -> bool:
        """Takes a call without waiting for anything; ``on_result`` gets its response when its event is durable.

        Returns False, and does nothing, when the sites or the day's salts must be read first: then await ``prepare``
        and submit again, or await ``submit_prepared``, which does both.
        """
        at = self._clock()
        if not (self._sites.is_fresh(at) and self._salts.at_hand(ids.day_at(at))):
            return False
        try:
            result = self._accept(call, body, client, at)
            if isinstance(result, PendingEvent):
                self._writer.submit(result.event, partial(self._finish, result, at, on_result), len(body))
                return True
        except Exception as error:
            on_result(
                error
            )  # in this block: a variable that outlives it would make a cycle with its traceback's frames
            return True
        on_result(result)
        return True

    async def prepare(self) -> None:
        """Reads the sites and the day's salts, unless they are at hand. Raises StoreError."""
        try:
            await self._sites.refresh()
            await self._salts.fetch(ids.day_at(self._clock()))
        except StoreError:
            self.store_errors += 1
            raise

    async def submit_prepared(self, call: CallSpec, body: bytes, client: ClientInfo, on_result: OnResult) -> None:
        """Prepares as often as needed, then submits. Raises StoreError."""
        while not self.submit(call, body, client, on_result):
            await self.prepare()

    async def unfurl(self, site: Site, token: Token, app: str) -> None:
        """Records that the preview robot of ``app`` fetched a link."""
        await self._outcome_of(Unfurl(site_id=site.site_id, token=token, at=self._clock(), app=app))
        self.accepted["unfurls"] += 1

    async def record_unfurls(self, unfurls: Sequence[Unfurl]) -> list[Outcome]:
        """Records what a site's own server saw of preview robots and assistants; returns the outcomes in their order.

        Raises Busy, or StoreError, where some could not be stored; they may all be sent again.
        """
        found = await asyncio.gather(*map(self._outcome_of, unfurls), return_exceptions=True)
        outcomes = list[Outcome]()
        for outcome in found:
            if isinstance(outcome, BaseException):
                raise outcome
            outcomes.append(outcome)
        self.accepted["unfurls"] += sum(isinstance(outcome, Stored) for outcome in outcomes)
        return outcomes

    def click(self, site: Site, token: Token) -> None:
        """Counts that a person followed a minted link, without waiting for the store.

        One that cannot be stored is lost, and counted as refused: a click is never sent again.
        """
        at = self._clock()
        with suppress(Busy):  # the writer counts it
            event = Click(site_id=site.site_id, token=token, nonce=secrets.token_hex(8), at=at)
            self._writer.submit(event, partial(self._clicked, site.site_id, at))

    async def convert(self, site: Site, visit_id: int, goal: Goal, at: int, field: str) -> CollectResponse:
        """Stores a conversion that a server with an API key reports.

        Raises Invalid of ``field`` where that names a visit that is not stored.
        """
        pending = pending_conversion(site, visit_id, goal, at, field, "key")
        return self._respond(pending, self._clock(), await self._outcome_of(pending.event))

    async def answer(
        self, site: Site, visit_id: int, nonce: str, text: str, contact: str | None, at: int, field: str
    ) -> CollectResponse:
        """Stores an answer that a server with an API key reports.

        Raises Invalid of ``field`` where that names a visit that is not stored, RateLimited where the site takes no
        more answers of that day.
        """
        pending = pending_answer(site, visit_id, nonce, text, contact, at, field, "key")
        return self._respond(pending, self._clock(), await self._outcome_of(pending.event))

    async def read_forget(self, body: bytes, client: ClientInfo) -> tuple[Site, int]:
        """Returns the site and the visit that a call of ``POST /v1/forget`` wants erased.

        It is admitted as other calls are; somebody who asks not to be followed may be forgotten, too. Raises a Problem
        for a call that is refused, and StoreError.
        """
        await self._sites.refresh()
        at = self._clock()
        site = None
        try:
            refuse_excess_reports(self._limit.network_call(client.address, at))
            request = decode(body, ForgetRequest)
            site = self._site(request.site, client, at)
            self._admit(site, client, at)
            errors: list[FieldError] = []
            session = session_token(site, request.session, errors)
            if errors:
                raise Invalid.of_all(errors)
        except Problem as problem:
            self.count_refusal(problem, site)
            raise
        return site, session.visit_id

    def count_refusal(self, problem: Problem, site: Site | None = None) -> None:
        """Counts a refusal whose code is a drop reason; logs it unless its client left. ``site`` is the one meant."""
        if problem.code in DROP_REASONS and problem.code != "busy":  # the writer counts those
            at = self._clock()
            self._drops.add(site.site_id if site else 0, problem.code, at)
            if not isinstance(problem, CutOff):
                self._refusals.note(problem, site.key if site else None, at)

    def _accept(self, call: CallSpec, body: bytes, client: ClientInfo, at: int) -> PendingEvent | CollectResponse:
        """Admit the network, decode, find the site, admit there, classify, make the event.

        Raises a Problem for a call that is refused.
        """
        site = None
        try:
            refuse_excess_reports(self._limit.network_call(client.address, at))
            request = decode(body, call.request)
            site = self._site(request.site, client, at)
            self._admit(site, client, at)
            agent = read_agent(client.user_agent)
            if agent.robot:
                result: PendingEvent | CollectResponse = dropped("robot", call.nothing)
            else:
                context = CallContext(
                    site,
                    client,
                    agent,
                    at,
                    self._sites,
                    self._salts,
                    self._on_report,
                    self._on_old_build,
                    self._scanner_networks,
                )
                result = call.to_event(request, context)
        except Problem as problem:
            self.count_refusal(problem, site)
            raise
        if isinstance(result, CollectResponse) and result.dropped:
            self._drops.add(site.site_id, result.dropped, at)
        return result

    def _site(self, key: str, client: ClientInfo, at: int) -> Site:
        site = self._sites.known(key)
        if site is None:
            self.recent_refusals.note_unknown(key, client.origin, at)
            raise unknown_site(key)
        return site

    def _admit(self, site: Site, client: ClientInfo, at: int) -> None:
        """The checks that every call of a site has to pass: origin and rate."""
        if client.origin not in site.origins:
            self.recent_refusals.note_foreign(site.site_id, client.origin, at)
            raise foreign_page(client.origin, site.key)
        refuse_excess_reports(self._limit.site_call(site.site_id, client.address, at))

    async def _outcome_of(self, event: Event) -> Outcome:
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        on_outcome = resolver(future)
        self._writer.submit(event, on_outcome)
        try:
            return await future
        finally:
            del future  # a cycle with the frame in its exception's traceback

    def _clicked(self, site_id: int, at: int, outcome: Outcome | Exception) -> None:
        """Called by the writer when a click is durable, or cannot be stored."""
        if isinstance(outcome, Stored):
            self.accepted["clicks"] += 1
        elif isinstance(outcome, Busy):
            self._drops.add(site_id, "busy", at)

    def _finish(self, pending: PendingEvent, at: int, on_result: OnResult, outcome: Outcome | Exception) -> None:
        """Called by the writer when the event of a call is durable, or cannot be stored."""
        try:
            result = outcome if isinstance(outcome, Exception) else self._respond(pending, at, outcome)
        except Exception as error:
            on_result(error)  # in this block, as in `submit`
            return
        on_result(result)

    def _respond(self, pending: PendingEvent, at: int, outcome: Outcome) -> CollectResponse:
        """Returns the response to a call that came ``at`` and whose event has this outcome.

        Raises a Problem where the call names a visit that is not stored.
        """
        try:
            response = pending.respond(outcome)
        except Problem as problem:
            self.count_refusal(problem, self._sites.numbered(pending.event.site_id))
            raise
        if response.dropped:
            self._drops.add(pending.event.site_id, response.dropped, at)
        else:
            self.accepted[EVENT_CALLS[type(pending.event)]] += 1
        return response
