"""One collect call from body to answer: decode, check, classify, write, mint. Knows nothing of HTTP but its facts.

A call is taken without waiting for anything; what it stores is answered when the writer says what became of it.
``Intake.call`` waits for that, ``Intake.start`` has it told to the caller.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import msgspec

from grapevine.collect import schemas
from grapevine.collect.conversion_input import Goal, read_goal
from grapevine.collect.rate_limit import RateLimit
from grapevine.collect.sources import source_of
from grapevine.collect.user_agents import Agent, read_agent
from grapevine.collect.visitor_hash import VisitorSalts, network_of, visitor_hash
from grapevine.domain import ids
from grapevine.domain.channels import SESSION
from grapevine.domain.enums import DROP_REASONS, TOKEN_REASON_NAMES, TOKEN_REASONS, VERDICTS
from grapevine.domain.events import (
    Answer,
    Conversion,
    Event,
    OptedOutVisit,
    Outcome,
    ShareReport,
    Stored,
    Unfurl,
    View,
    VisitEvent,
    VisitNotFound,
    VisitOutcome,
)
from grapevine.domain.json_input import decode
from grapevine.domain.periods import Clock
from grapevine.domain.tokens import Token, TokenError, next_n
from grapevine.domain.urls import Page, UrlError, page_of
from grapevine.errors import BadOrigin, FieldError, Invalid, Problem, RateLimited, UnknownSite
from grapevine.sites.cache import Site, SiteCache
from grapevine.writer.counts import Drops
from grapevine.writer.writer import Writer

_REFERRER_KEPT: Final = 2048
_UNKNOWN_SITE_TOKEN: Final = TOKEN_REASONS["unknown-site-token"]
_SESSION_TOKEN: Final = TOKEN_REASONS["session"]
_DRIVEN: Final = VERDICTS["driven"]


class ClientInfo(NamedTuple):
    """Who calls: network address, user agent, preferred language, the page's origin, and a wish not to be followed."""

    address: str
    user_agent: str
    language: str
    origin: str
    opted_out: bool


class CollectResponse(NamedTuple):
    """What to answer: 200, or 202 when ``dropped`` names why nothing was stored. A repeat is a 200 with ``dropped``."""

    status: int
    body: msgspec.Struct
    dropped: str | None = None


class PendingEvent(NamedTuple):
    """A call whose event is to be stored; ``reply`` makes the answer of what became of it."""

    event: Event
    size: int
    reply: Callable[[Outcome], CollectResponse]


class CollectApi:
    """The collect API. Every refusal is counted with its reason; ``reported`` is told tokens reported just now."""

    def __init__(
        self,
        sites: SiteCache,
        writer: Writer,
        drops: Drops,
        salts: VisitorSalts,
        limit: RateLimit,
        clock: Clock,
        reported: Callable[[str], None],
    ) -> None:
        self._sites = sites
        self._writer = writer
        self._drops = drops
        self._salts = salts
        self._limit = limit
        self._clock = clock
        self._reported = reported

    async def call(self, call: CallSpec, body: bytes, caller: ClientInfo) -> CollectResponse:
        """One call from body to answer. Raises a Problem for what cannot be taken."""
        at = self._clock()
        await self._sites.refresh()
        await self._salts.fetch(ids.day_at(at))
        taken = self._take(call, body, caller, at)
        if isinstance(taken, CollectResponse):
            return taken
        return self.answer(taken, await self._writer.submit(taken.event, taken.size))

    def start(
        self, call: CallSpec, body: bytes, caller: ClientInfo, settle: Callable[[CollectResponse | Exception], None]
    ) -> bool:
        """As ``call``, for callers that cannot wait: ``settle`` is told the answer, or the Problem.

        False when the call has to be made with ``call``, since something must be looked up first.
        """
        at = self._clock()
        if not (self._sites.fresh(at) and self._salts.at_hand(ids.day_at(at))):
            return False
        try:
            taken = self._take(call, body, caller, at)
            if isinstance(taken, CollectResponse):
                settle(taken)
            else:
                self._writer.put(taken.event, _Settled(self, taken, settle), taken.size)
        except Problem as problem:
            settle(problem)
        return True

    async def unfurl(self, site: Site, token: Token, app: str) -> None:
        """Records that the preview robot of ``app`` fetched a link."""
        await self._writer.submit(Unfurl(site_id=site.site_id, token=token, at=self._clock(), app=app))

    async def convert(self, site: Site, visit_id: int, goal: Goal, at: int, field: str) -> CollectResponse:
        """Stores a conversion that somebody with an API key reports. Raises Invalid of ``field`` where it names a visit
        that is not here."""
        taken = _converted(site, visit_id, goal, at, 0, field)
        return self.answer(taken, await self._writer.submit(taken.event), self._clock())

    def refuse(self, problem: Problem, site_id: int = 0) -> None:
        """Counts a refusal whose code is a drop reason."""
        if problem.code in DROP_REASONS and problem.code != "busy":  # the writer counts those
            self._drops.add(site_id, problem.code, self._clock())

    def _take(self, call: CallSpec, body: bytes, caller: ClientInfo, at: int) -> PendingEvent | CollectResponse:
        site_id = 0
        try:
            request = decode(body, call.kind)
            site = self._sites.known(request.site)
            if site is None:
                raise UnknownSite(
                    f"No site of this server has the key {request.site[:40]!r}; see `grapevine site list`."
                )
            site_id = site.site_id
            agent = self._admit(site, caller, at)
            if agent.robot:
                taken: PendingEvent | CollectResponse = _dropped("robot", call.nothing)
            else:
                taken = call.take(self, request, len(body), CallContext(site, caller, agent, at))
        except Problem as problem:
            self.refuse(problem, site_id)
            raise
        if isinstance(taken, CollectResponse) and taken.dropped:
            self._drops.add(site_id, taken.dropped, at)
        return taken

    def answer(self, taken: PendingEvent, outcome: Outcome, called_at: int | None = None) -> CollectResponse:
        """The answer to a call whose event became that. Raises a Problem where it names what is not there.

        A drop counts when the call came: ``called_at``, where the event itself may be of days ago.
        """
        try:
            reply = taken.reply(outcome)
        except Problem as problem:
            self.refuse(problem, taken.event.site_id)
            raise
        if reply.dropped:
            self._drops.add(taken.event.site_id, reply.dropped, taken.event.at if called_at is None else called_at)
        return reply

    def _admit(self, site: Site, caller: ClientInfo, at: int) -> Agent:
        """The checks that every call of a site has to pass: origin and rate."""
        if caller.origin not in site.origins:
            shown = caller.origin[:100] or "missing"
            own = ", ".join(sorted(site.origins))
            raise BadOrigin(f"The Origin header is {shown}, which is not an origin of this site ({own}).")
        wait = self._limit.refuse(site.site_id, caller.address, caller.user_agent, at)
        if wait:
            raise RateLimited(f"Too many calls from one browser in a minute; go on in {wait} s.", retry_after=wait)
        return read_agent(caller.user_agent)

    def visit(self, request: schemas.VisitRequest, size: int, visitor: CallContext) -> PendingEvent | CollectResponse:
        """``POST /v1/visits``."""
        site, caller, agent, at = visitor
        errors: list[FieldError] = []
        page = _page(site, request.url, errors)
        errors += schemas.check_nonce(request.nonce)
        today = ids.day_at(at)
        day = today if request.day is None else schemas.day_of(request.day)
        codes = schemas.codes_of(request.channels)
        if errors or isinstance(day, FieldError) or isinstance(codes, FieldError):
            raise Invalid.of_all([*errors, *(error for error in (day, codes) if isinstance(error, FieldError))])
        title = _title(request.title)
        origin = source_of(page, request.url, (request.referrer or "")[:_REFERRER_KEPT], agent.app, site.origins)
        if caller.opted_out or request.opted_out:
            unlinked = OptedOutVisit(
                site_id=site.site_id, nonce=request.nonce, at=at, page=page, title=title, source=origin.source,
                device=agent.device,
            )  # fmt: skip
            return PendingEvent(unlinked, size, lambda _: _dropped("opted-out", _NO_VISIT))
        token, reason = (None, None) if request.token is None else self._read_token(site, request.token)
        arrival = VisitEvent(
            site_id=site.site_id, nonce=request.nonce, day=_id_day(day, today), at=at, page=page, title=title,
            source=origin.source, device=agent.device, app=origin.app, visitor=self._hash(visitor, today),
            visitor_before=None if token is None else self._hash(visitor, today - 1),
            token=token, reason=reason, own=request.own, verdict=_DRIVEN if agent.suspect else None,
        )  # fmt: skip

        def reply(landed: Outcome) -> CollectResponse:
            if not isinstance(landed, VisitOutcome):
                raise TypeError(f"an arrival ended as {landed}")
            session, *tokens = site.tokens.mint(landed.visit_id, (SESSION, *codes.values()))
            answer = schemas.VisitAnswer(
                ids.visit_text(landed.visit_id),
                session,
                dict(zip(codes, tokens, strict=True)),
                _returned(landed) if landed.returned else None,
            )
            return CollectResponse(200, answer, "duplicate" if landed.duplicate else None)

        return PendingEvent(arrival, size, reply)

    def view(self, request: schemas.ViewRequest, size: int, visitor: CallContext) -> PendingEvent | CollectResponse:
        """``POST /v1/views``."""
        site, caller, _, at = visitor
        if caller.opted_out:
            return _dropped("opted-out", schemas.EMPTY)
        errors: list[FieldError] = []
        _page(site, request.url, errors)
        errors += schemas.check_nonce(request.nonce)
        session = _session(site, request.session, errors)
        if errors:
            raise Invalid.of_all(errors)
        view = View(site_id=site.site_id, visit_id=session.visit_id, nonce=request.nonce, at=at)
        return PendingEvent(view, size, lambda outcome: _stored(outcome, schemas.EMPTY, "session"))

    def share(self, request: schemas.ShareRequest, size: int, visitor: CallContext) -> PendingEvent | CollectResponse:
        """``POST /v1/shares``."""
        site, caller, _, at = visitor
        if caller.opted_out:
            return _dropped("opted-out", schemas.EMPTY)
        errors: list[FieldError] = []
        page = _page(site, request.url, errors)
        token = _share_token(site, request.token, errors)
        if errors:
            raise Invalid.of_all(errors)
        report = ShareReport(site_id=site.site_id, token=token, at=at, page=page, title=_title(request.title))

        def reply(outcome: Outcome) -> CollectResponse:
            self._reported(request.token)
            (following,) = site.tokens.mint(token.visit_id, (token.channel,), next_n(token.n))
            return _stored(outcome, schemas.ShareAnswer(following), "token")

        return PendingEvent(report, size, reply)

    def conversion(
        self, request: schemas.ConversionRequest, size: int, visitor: CallContext
    ) -> PendingEvent | CollectResponse:
        """``POST /v1/conversions`` from a page."""
        site, caller, _, at = visitor
        if caller.opted_out:
            return _dropped("opted-out", schemas.EMPTY)
        errors: list[FieldError] = []
        goal = read_goal(request, errors)
        session = _session(site, request.session, errors)
        if errors:
            raise Invalid.of_all(errors)
        return _converted(site, session.visit_id, goal, at, size, "session")

    def answered(
        self, request: schemas.AnswerRequest, size: int, visitor: CallContext
    ) -> PendingEvent | CollectResponse:
        """``POST /v1/answers``."""
        site, caller, _, at = visitor
        if caller.opted_out:
            return _dropped("opted-out", schemas.EMPTY)
        errors: list[FieldError] = []
        text = _trimmed(request.text, "text", schemas.MAX_ANSWER, errors)
        if not text:
            errors.append(FieldError("text", "is empty"))
        contact = _trimmed(request.contact or "", "contact", schemas.MAX_CONTACT, errors) or None
        errors += schemas.check_nonce(request.nonce)
        visit_id = 0 if request.session is None else _session(site, request.session, errors).visit_id
        if errors:
            raise Invalid.of_all(errors)
        event = Answer(
            site_id=site.site_id, visit_id=visit_id, nonce=request.nonce, at=at, text=text, contact=contact
        )  # fmt: skip
        return PendingEvent(event, size, lambda outcome: _stored(outcome, schemas.EMPTY, "session"))

    def _read_token(self, site: Site, text: str) -> tuple[Token | None, int | None]:
        """A returning token, or the code of the reason why it is no good. A bad token never costs a visit."""
        try:
            token = site.tokens.read(text)
        except TokenError as error:
            foreign = error.reason == "bad-signature" and self._sites.signer(text) is not None
            return None, _UNKNOWN_SITE_TOKEN if foreign else TOKEN_REASONS[error.reason]
        return (None, _SESSION_TOKEN) if token.is_session else (token, None)

    def _hash(self, visitor: CallContext, day: int) -> int:
        site, caller, _, _ = visitor
        network = network_of(caller.address)
        return visitor_hash(self._salts.of_day(day), site.site_id, network, caller.user_agent, caller.language)


class CallSpec(NamedTuple):
    """One of the collect API's calls: what its request is, and its answer to who is not to be stored."""

    kind: type[
        schemas.VisitRequest
        | schemas.ViewRequest
        | schemas.ShareRequest
        | schemas.ConversionRequest
        | schemas.AnswerRequest
    ]
    take: Callable[[CollectApi, Any, int, CallContext], PendingEvent | CollectResponse]
    nothing: msgspec.Struct


class CallContext(NamedTuple):
    """Who calls, as far as it is known when the call was admitted, and when."""

    site: Site
    caller: ClientInfo
    agent: Agent
    at: int


class _Settled:
    """What the writer tells, handed on as an answer."""

    def __init__(
        self, api: CollectApi, taken: PendingEvent, settle: Callable[[CollectResponse | Exception], None]
    ) -> None:
        self._intake = api
        self._taken = taken
        self._settle = settle

    def __call__(self, outcome: Outcome | Exception) -> None:
        if isinstance(outcome, Exception):
            self._settle(outcome)
            return
        try:
            reply: CollectResponse | Exception = self._intake.answer(self._taken, outcome)
        except Exception as error:
            reply = error
        self._settle(reply)


def _page(site: Site, url: str, errors: list[FieldError]) -> Page:
    try:
        return page_of(site.site_id, url, site.origins, site.row.param, site.kept_query)
    except UrlError as error:
        errors.append(FieldError("url", str(error)))
        return _NO_PAGE


def _session(site: Site, text: str, errors: list[FieldError]) -> Token:
    try:
        token = site.tokens.read(text)
    except TokenError as error:
        errors.append(FieldError("session", f"is not a session of this site: {error}"))
        return _NO_TOKEN
    if not token.is_session:
        errors.append(FieldError("session", "is a share token; a visit is spoken for by its session alone"))
    return token


def _share_token(site: Site, text: str, errors: list[FieldError]) -> Token:
    try:
        token = site.tokens.read(text)
    except TokenError as error:
        errors.append(FieldError("token", f"is not a share token of this site: {error}"))
        return _NO_TOKEN
    if token.is_session:
        errors.append(FieldError("token", "is a session, which is never shared"))
    return token


def _title(title: str | None) -> str | None:
    return (title or "").strip()[: schemas.MAX_TITLE] or None


def _trimmed(text: str, field: str, most: int, errors: list[FieldError]) -> str:
    trimmed = text.strip()
    if len(trimmed) > most:
        errors.append(FieldError(field, f"is {len(trimmed)} characters long; at most {most} are taken"))
    return trimmed


def _id_day(day: int, today: int) -> int:
    """The day of the nonce where it is believable, so that a retry after midnight finds its visit again."""
    return day if abs(day - today) <= 1 else today


def _returned(landed: VisitOutcome) -> schemas.Returned:
    reason = None if landed.reason is None else TOKEN_REASON_NAMES[landed.reason]
    return schemas.Returned(reason is None, landed.depth, landed.is_self, landed.same_network, reason)


def _dropped(reason: str, body: msgspec.Struct) -> CollectResponse:
    return CollectResponse(202, body, reason)


def _stored(outcome: Outcome, body: msgspec.Struct, field: str) -> CollectResponse:
    if isinstance(outcome, VisitNotFound):
        raise Invalid.of(field, "names a visit that is not here: erased, or past retention")
    duplicate = isinstance(outcome, Stored) and outcome.duplicate
    return CollectResponse(200, body, "duplicate" if duplicate else None)


def _converted(site: Site, visit_id: int, goal: Goal, at: int, size: int, field: str) -> PendingEvent:
    event = Conversion(
        site_id=site.site_id, visit_id=visit_id, goal=goal.name, once=goal.once, external_id=goal.external_id, at=at,
        value=goal.value, currency=goal.currency,
    )  # fmt: skip
    return PendingEvent(event, size, lambda outcome: _stored(outcome, schemas.EMPTY, field))


_NO_PAGE: Final = Page(0, "", is_home=False)
_NO_TOKEN: Final = Token(0, 0, 0)
_NO_VISIT: Final = schemas.VisitAnswer(visit=None, session=None, tokens={}, returned=None)

CALLS: Final = {
    "visits": CallSpec(schemas.VisitRequest, CollectApi.visit, _NO_VISIT),
    "views": CallSpec(schemas.ViewRequest, CollectApi.view, schemas.EMPTY),
    "shares": CallSpec(schemas.ShareRequest, CollectApi.share, schemas.EMPTY),
    "conversions": CallSpec(schemas.ConversionRequest, CollectApi.conversion, schemas.EMPTY),
    "answers": CallSpec(schemas.AnswerRequest, CollectApi.answered, schemas.EMPTY),
}
"""Every call by the last part of its path."""
