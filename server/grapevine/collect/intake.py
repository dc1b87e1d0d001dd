"""One collect call from body to answer: decode, check, classify, write, mint. Knows nothing of HTTP but its facts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Final, NamedTuple

import msgspec

from grapevine import ids
from grapevine.collect import wire
from grapevine.collect.agents import Agent, read_agent
from grapevine.collect.limits import RateLimit
from grapevine.collect.sources import source_of
from grapevine.collect.tally import Drops
from grapevine.collect.visitor import VisitorSalts, network_of, visitor_hash
from grapevine.collect.writer import Writer
from grapevine.decode import decode
from grapevine.errors import BadOrigin, FieldError, Invalid, Problem, RateLimited, UnknownSite
from grapevine.events import Arrival, Landed, Missing, Outcome, Report, Stored, Unfurl, Unlinked, View
from grapevine.sets import DROP_REASONS, TOKEN_REASON_NAMES, TOKEN_REASONS
from grapevine.sites import Clock, Site, Sites
from grapevine.tokens import Token, TokenError, next_n
from grapevine.urls import Page, UrlError, page_of

_REFERRER_KEPT: Final = 2048
_UNKNOWN_SITE_TOKEN: Final = TOKEN_REASONS["unknown-site-token"]
_SESSION: Final = TOKEN_REASONS["session"]


class Caller(NamedTuple):
    """Who calls: network address, user agent, preferred language, the page's origin, and a wish not to be followed."""

    address: str
    user_agent: str
    language: str
    origin: str
    opted_out: bool


class Reply(NamedTuple):
    """What to answer: 200, or 202 when ``dropped`` names why nothing was stored. A repeat is a 200 with ``dropped``."""

    status: int
    body: msgspec.Struct
    dropped: str | None = None


class _Call(NamedTuple):
    """A call that passed every check on its way in."""

    site: Site
    caller: Caller
    agent: Agent
    at: int


class Intake:
    """The collect API. Every refusal is counted with its reason."""

    def __init__(
        self, sites: Sites, writer: Writer, drops: Drops, salts: VisitorSalts, limit: RateLimit, clock: Clock
    ) -> None:
        self._sites = sites
        self._writer = writer
        self._drops = drops
        self._salts = salts
        self._limit = limit
        self._clock = clock

    async def visit(self, body: bytes, caller: Caller) -> Reply:
        """``POST /v1/visits``. Raises a Problem for what cannot be taken."""
        return await self._counted(self._visit, body, caller)

    async def view(self, body: bytes, caller: Caller) -> Reply:
        """``POST /v1/views``."""
        return await self._counted(self._view, body, caller)

    async def share(self, body: bytes, caller: Caller) -> Reply:
        """``POST /v1/shares``."""
        return await self._counted(self._share, body, caller)

    async def unfurl(self, site: Site, token: Token, app: str) -> None:
        """Records that the preview robot of ``app`` fetched a link."""
        await self._writer.submit(Unfurl(site_id=site.site_id, token=token, at=self._clock(), app=app))

    def refuse(self, problem: Problem, site_id: int = 0) -> None:
        """Counts a refusal whose code is a drop reason."""
        if problem.code in DROP_REASONS and problem.code != "busy":  # the writer counts those
            self._drops.add(site_id, problem.code, self._clock())

    async def _counted(
        self, answer: Callable[[bytes, Caller, list[Site]], Awaitable[Reply]], body: bytes, caller: Caller
    ) -> Reply:
        found: list[Site] = []
        try:
            reply = await answer(body, caller, found)
        except Problem as problem:
            self.refuse(problem, found[0].site_id if found else 0)
            raise
        if reply.dropped:
            self._drops.add(found[0].site_id, reply.dropped, self._clock())
        return reply

    async def _visit(self, body: bytes, caller: Caller, found: list[Site]) -> Reply:
        request = decode(body, wire.VisitRequest)
        call = await self._admit(request.site, caller, found)
        if call.agent.robot:
            return _dropped("robot", _nothing())
        page, errors = _page(call.site, request.url)
        day, day_errors = wire.check_day(request.day)
        codes, channel_errors = wire.check_channels(request.channels)
        _raise_all([*errors, *wire.check_nonce(request.nonce), *day_errors, *channel_errors])
        title = _title(request.title)
        source, app = source_of(
            page, request.url, (request.referrer or "")[:_REFERRER_KEPT], call.agent.app, call.site.origins
        )
        if caller.opted_out or request.opted_out:
            unlinked = Unlinked(
                site_id=call.site.site_id, nonce=request.nonce, at=call.at, page=page, title=title, source=source,
                device=call.agent.device,
            )  # fmt: skip
            await self._writer.submit(unlinked)
            return _dropped("opted-out", _nothing())
        token, reason = self._read_token(call.site, request.token)
        today, yesterday = ids.day_at(call.at), ids.day_at(call.at) - 1
        arrival = Arrival(
            site_id=call.site.site_id, nonce=request.nonce, day=_id_day(day, today), at=call.at, page=page, title=title,
            source=source, device=call.agent.device, app=app,
            visitor=await self._visitor(call, today), visitor_before=await self._visitor(call, yesterday),
            token=token, reason=reason, own=request.own,
        )  # fmt: skip
        landed = await self._writer.submit(arrival)
        if not isinstance(landed, Landed):
            raise TypeError(f"an arrival ended as {landed}")
        minted = call.site.tokens.mint(landed.visit_id, codes)
        answer = wire.VisitAnswer(
            visit=ids.visit_text(landed.visit_id),
            session=call.site.tokens.session(landed.visit_id),
            tokens=dict(zip(request.channels, minted, strict=True)),
            returned=_returned(landed),
        )
        return Reply(200, answer, "duplicate" if landed.duplicate else None)

    async def _view(self, body: bytes, caller: Caller, found: list[Site]) -> Reply:
        request = decode(body, wire.ViewRequest)
        call = await self._admit(request.site, caller, found)
        if call.agent.robot or caller.opted_out:
            return _dropped("robot" if call.agent.robot else "opted-out", wire.Empty())
        _, errors = _page(call.site, request.url)
        session, session_errors = _session(call.site, request.session)
        _raise_all([*errors, *wire.check_nonce(request.nonce), *session_errors])
        view = View(site_id=call.site.site_id, visit_id=session, nonce=request.nonce, at=call.at)
        return _stored(await self._writer.submit(view), wire.Empty(), "session")

    async def _share(self, body: bytes, caller: Caller, found: list[Site]) -> Reply:
        request = decode(body, wire.ShareRequest)
        call = await self._admit(request.site, caller, found)
        if call.agent.robot or caller.opted_out:
            return _dropped("robot" if call.agent.robot else "opted-out", wire.Empty())
        page, errors = _page(call.site, request.url)
        token, token_errors = _share_token(call.site, request.token)
        _raise_all([*errors, *token_errors])
        report = Report(site_id=call.site.site_id, token=token, at=call.at, page=page, title=_title(request.title))
        (following,) = call.site.tokens.mint(token.visit_id, [token.channel], next_n(token.n))
        return _stored(await self._writer.submit(report), wire.ShareAnswer(following), "token")

    async def _admit(self, key: str, caller: Caller, found: list[Site]) -> _Call:
        """The checks that every call has to pass: site, origin, rate."""
        site = await self._sites.by_key(key)
        if site is None:
            raise UnknownSite(f"No site of this server has the key {key[:40]!r}; see `grapevine site list`.")
        found.append(site)
        if caller.origin not in site.origins:
            shown = caller.origin[:100] or "missing"
            own = ", ".join(sorted(site.origins))
            raise BadOrigin(f"The Origin header is {shown}, which is not an origin of this site ({own}).")
        at = self._clock()
        wait = self._limit.refuse(site.site_id, network_of(caller.address), caller.user_agent, at)
        if wait:
            raise RateLimited(f"Too many calls from one browser in a minute; go on in {wait} s.", retry_after=wait)
        return _Call(site, caller, read_agent(caller.user_agent), at)

    def _read_token(self, site: Site, text: str | None) -> tuple[Token | None, int | None]:
        """A returning token, or the code of the reason why it is no good. A bad token never costs a visit."""
        if text is None:
            return None, None
        try:
            token = site.tokens.read(text)
        except TokenError as error:
            foreign = error.reason == "bad-signature" and self._sites.signer(text) is not None
            return None, _UNKNOWN_SITE_TOKEN if foreign else TOKEN_REASONS[error.reason]
        return (None, _SESSION) if token.is_session else (token, None)

    async def _visitor(self, call: _Call, day: int) -> int:
        salt = await self._salts.of_day(day)
        caller = call.caller
        return visitor_hash(salt, call.site.site_id, network_of(caller.address), caller.user_agent, caller.language)


def _page(site: Site, url: str) -> tuple[Page, list[FieldError]]:
    try:
        return page_of(site.site_id, url, site.origins, site.row.param, site.kept_query), []
    except UrlError as error:
        return Page(0, "", is_home=False), [FieldError("url", str(error))]


def _session(site: Site, text: str) -> tuple[int, list[FieldError]]:
    try:
        token = site.tokens.read(text)
    except TokenError as error:
        return 0, [FieldError("session", f"is not a session of this site: {error}")]
    if not token.is_session:
        return 0, [FieldError("session", "is a share token; a visit is spoken for by its session alone")]
    return token.visit_id, []


def _share_token(site: Site, text: str) -> tuple[Token, list[FieldError]]:
    nothing = Token(0, 0, 0)
    try:
        token = site.tokens.read(text)
    except TokenError as error:
        return nothing, [FieldError("token", f"is not a share token of this site: {error}")]
    if token.is_session:
        return nothing, [FieldError("token", "is a session, which is never shared")]
    return token, []


def _raise_all(errors: list[FieldError]) -> None:
    if errors:
        raise Invalid.of_all(errors)


def _title(title: str | None) -> str | None:
    return (title or "").strip()[: wire.MAX_TITLE] or None


def _id_day(drawn: date | None, today: int) -> int:
    """The day of the nonce where it is believable, so that a retry after midnight finds its visit again."""
    day = today if drawn is None else ids.day_number(drawn)
    return day if abs(day - today) <= 1 else today


def _returned(landed: Landed) -> wire.Returned | None:
    if not landed.returned:
        return None
    reason = None if landed.reason is None else TOKEN_REASON_NAMES[landed.reason]
    return wire.Returned(reason is None, landed.depth, landed.is_self, landed.same_network, reason)


def _nothing() -> wire.VisitAnswer:
    return wire.VisitAnswer(visit=None, session=None, tokens={}, returned=None)


def _dropped(reason: str, body: msgspec.Struct) -> Reply:
    return Reply(202, body, reason)


def _stored(outcome: Outcome, body: msgspec.Struct, field: str) -> Reply:
    if isinstance(outcome, Missing):
        raise Invalid.of(field, "names a visit that is not here: erased, or past retention")
    duplicate = isinstance(outcome, Stored) and outcome.duplicate
    return Reply(200, body, "duplicate" if duplicate else None)
