"""Collect requests → events: one function per call. Each checks the request's fields and says how to respond.

They decide as far as a request can be decided without reading the store, and change nothing themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import msgspec

from grapevine.collect import schemas
from grapevine.collect.arrival_evidence import arrival_evidence
from grapevine.collect.click_ids import arriving_click, click_id_of
from grapevine.collect.conversion_input import Goal, read_goal, refund_error
from grapevine.collect.fields import bounded_text, day_of_id, page_of_url, session_token, share_token, title_of
from grapevine.collect.scan_signs import ScannerNetworks, signs_of
from grapevine.collect.sources import source_of
from grapevine.collect.user_agents import Agent
from grapevine.collect.visitor_hash import VisitorSalts, network_hash, visitor_hash
from grapevine.domain import ids
from grapevine.domain.channels import CODES, NAMES, PASTED, SESSION
from grapevine.domain.enums import CONVERSION_REPORTERS, SOURCE_NAMES, TOKEN_REASON_NAMES, TOKEN_REASONS, VERDICTS
from grapevine.domain.events import (
    Answer,
    BoundExceeded,
    Conversion,
    Event,
    OptedOutVisit,
    Outcome,
    RefundRefused,
    ShareReport,
    Stored,
    View,
    VisitBoundExceeded,
    VisitEvent,
    VisitNotFound,
    VisitOutcome,
)
from grapevine.domain.networks import network_of
from grapevine.domain.redaction import redacted_repr
from grapevine.domain.tokens import Token, TokenError, next_n
from grapevine.domain.urls import query_names
from grapevine.errors import FieldError, Invalid, RateLimited
from grapevine.sites.cache import Site, SiteCache
from grapevine.store.rows import SiteRow

_REFERRER_KEPT: Final = 2048
_UNKNOWN_SITE_TOKEN: Final = TOKEN_REASONS["unknown-site-token"]
_SESSION_TOKEN: Final = TOKEN_REASONS["session"]
_VISIT_ENDS_SECONDS: Final = 1_800
_DRIVEN: Final = VERDICTS["driven"]


class ClientInfo(NamedTuple):
    """The client of a call: network address, user agent, preferred language, the page's origin, and whether it asks
    not to be followed."""

    address: str
    user_agent: str
    language: str
    origin: str
    opted_out: bool


class CollectResponse(NamedTuple):
    """The response to a call: 200, or 202 when ``dropped`` names why nothing was stored. A repeat is a 200 with
    ``dropped``."""

    status: int
    body: msgspec.Struct
    dropped: str | None = None


class PendingEvent(NamedTuple):
    """An event to be stored; ``respond`` makes the call's response from its outcome."""

    event: Event
    respond: Callable[[Outcome], CollectResponse]


class CallContext(NamedTuple):
    """An admitted call: its site, client, user agent and time, and the tools to read its request."""

    site: Site
    client: ClientInfo
    agent: Agent
    at: int
    sites: SiteCache
    salts: VisitorSalts
    on_report: Callable[[str], None]
    on_old_build: Callable[[SiteRow, int], None]
    scanner_networks: ScannerNetworks

    def __repr__(self) -> str:
        return redacted_repr(self)


class CallSpec(NamedTuple):
    """One of the collect API's calls: its request, the function that makes an event of it, and the body
    of a response that stores nothing."""

    request: type[
        schemas.VisitRequest
        | schemas.ViewRequest
        | schemas.ShareRequest
        | schemas.ConversionRequest
        | schemas.AnswerRequest
    ]
    to_event: Callable[[Any, CallContext], PendingEvent | CollectResponse]
    nothing: msgspec.Struct


def visit(request: schemas.VisitRequest, context: CallContext) -> PendingEvent | CollectResponse:
    """``POST /v1/visits``: returns the event of an arrival, or the response to one that is not stored."""
    site, at, agent = context.site, context.at, context.agent
    errors: list[FieldError] = []
    page = page_of_url(site, request.url, errors)
    errors += schemas.check_nonce(request.nonce)
    today = ids.day_at(at)
    day = today if request.day is None else schemas.day_of(request.day)
    codes = schemas.codes_of(request.channels)
    if errors or isinstance(day, FieldError) or isinstance(codes, FieldError):
        raise Invalid.of_all([*errors, *(error for error in (day, codes) if isinstance(error, FieldError))])
    title = title_of(request.title)
    origin = source_of(page, request.url, (request.referrer or "")[:_REFERRER_KEPT], agent.app, site.origins)
    if request.build is None or site.row.old_build_day < 0:
        context.on_old_build(site.row, today)
    if context.client.opted_out or request.opted_out:
        opted_out = OptedOutVisit(
            site_id=site.site_id,
            nonce=request.nonce,
            at=at,
            page=page,
            title=title,
            source=origin.source,
            device=agent.device,
            network=_network(context),
        )
        return PendingEvent(opted_out, lambda _: dropped("opted-out", _NO_VISIT))
    token, reason = (None, None) if request.token is None else _read_token(context, request.token)
    click = click_id_of(request.url, query_names(request.url)) if "?" in request.url else None
    visitor = _hash(context, today)
    visitor_before = None if token is None and click is None else _hash(context, today - 1)
    event = VisitEvent(
        site_id=site.site_id,
        nonce=request.nonce,
        day=day_of_id(day, today),
        at=at,
        page=page,
        title=title,
        source=origin.source,
        device=agent.device,
        app=origin.app,
        app_listed=origin.listed,
        visitor=visitor,
        visitor_before=None if token is None else visitor_before,
        token=token,
        reason=reason,
        own=request.own,
        network=_network(context),
        verdict=_DRIVEN if agent.suspect else None,
        spread=site.spread,
        signs=_signs(context) if token is not None and token.channel in PASTED else 0,
        evidence=arrival_evidence(origin.decided_by, click, request.url, highlight=request.highlight),
        click=None
        if click is None or visitor_before is None or agent.suspect
        else arriving_click(click, context.salts, today, site.site_id, visitor, visitor_before),
    )

    def respond(outcome: Outcome) -> CollectResponse:
        if isinstance(outcome, VisitNotFound):  # it was erased, and this is a late retry
            return CollectResponse(200, _NO_VISIT, "duplicate")
        if not isinstance(outcome, VisitOutcome):
            raise TypeError(f"a visit ended as {outcome}")
        session, *tokens = site.tokens.mint(outcome.visit_id, (SESSION, *codes.values()))
        body = schemas.VisitResponse(
            visit=ids.visit_text(outcome.visit_id),
            session=session,
            tokens=dict(zip(codes, tokens, strict=True)),
            returned=_returned(outcome) if outcome.returned else None,
            joint=site.row.joint(today),
            source=SOURCE_NAMES.get(outcome.source, msgspec.UNSET),
        )
        return CollectResponse(200, body, "duplicate" if outcome.duplicate else None)

    return PendingEvent(event, respond)


def view(request: schemas.ViewRequest, context: CallContext) -> PendingEvent | CollectResponse:
    """``POST /v1/views``: returns the event of a page view, or the response to one that is not stored."""
    if context.client.opted_out:
        return dropped("opted-out", schemas.EMPTY)
    site = context.site
    errors: list[FieldError] = []
    page_of_url(site, request.url, errors)
    errors += schemas.check_nonce(request.nonce)
    session = session_token(site, request.session, errors)
    if errors:
        raise Invalid.of_all(errors)
    event = View(site_id=site.site_id, visit_id=session.visit_id, nonce=request.nonce, at=context.at)
    return PendingEvent(event, lambda outcome: _stored(outcome, schemas.EMPTY, "session"))


def share(request: schemas.ShareRequest, context: CallContext) -> PendingEvent | CollectResponse:
    """``POST /v1/shares``: returns the event of a reported share, or the response to one that is not stored."""
    if context.client.opted_out:
        return dropped("opted-out", schemas.EMPTY)
    site, on_report = context.site, context.on_report
    errors: list[FieldError] = []
    page = page_of_url(site, request.url, errors)
    token = share_token(site, request.token, errors)
    by_session = request.session is not None
    if request.session is not None and not site.tokens.is_session_of(request.session, token.visit_id):
        session = session_token(site, request.session, errors)
        if not errors and session.visit_id != token.visit_id:
            errors.append(FieldError("session", "is that of another visit than the token's"))
    if errors:
        raise Invalid.of_all(errors)
    event = ShareReport(
        site_id=site.site_id,
        token=token,
        at=context.at,
        page=page,
        title=title_of(request.title),
        by_session=by_session,
        network=_network(context),
    )

    def respond(outcome: Outcome) -> CollectResponse:
        # A repeat changes nothing about where the short link leads.
        if isinstance(outcome, Stored) and not outcome.duplicate:
            on_report(request.token)
        following = None
        if by_session:  # else anybody who holds a link would get the visit's next tokens, one after the other
            following = site.tokens.mint_one(token.visit_id, token.channel, next_n(token.n))
        return _stored(outcome, schemas.ShareResponse(following), "token")

    return PendingEvent(event, respond)


def conversion(request: schemas.ConversionRequest, context: CallContext) -> PendingEvent | CollectResponse:
    """``POST /v1/conversions`` from a page."""
    if context.client.opted_out:
        return dropped("opted-out", schemas.EMPTY)
    errors: list[FieldError] = []
    goal = read_goal(request, errors)
    session = session_token(context.site, request.session, errors)
    if errors:
        raise Invalid.of_all(errors)
    return pending_conversion(context.site, session.visit_id, goal, context.at, "session", "page", _network(context))


def answer(request: schemas.AnswerRequest, context: CallContext) -> PendingEvent | CollectResponse:
    """``POST /v1/answers``: returns the event of an answer, or the response to one that is not stored."""
    if context.client.opted_out:
        return dropped("opted-out", schemas.EMPTY)
    site = context.site
    errors: list[FieldError] = []
    text = bounded_text(request.text, "text", schemas.MAX_ANSWER, errors)
    if not text:
        errors.append(FieldError("text", "is empty"))
    contact = bounded_text(request.contact or "", "contact", schemas.MAX_CONTACT, errors) or None
    errors += schemas.check_nonce(request.nonce)
    visit_id = 0 if request.session is None else session_token(site, request.session, errors).visit_id
    if errors:
        raise Invalid.of_all(errors)
    return pending_answer(
        site, visit_id, request.nonce, text, contact, context.at, "session", "page", _network(context)
    )


def pending_answer(
    site: Site, visit_id: int, nonce: str, text: str, contact: str | None, at: int, field: str, by: str,
    network: int = 0,
) -> PendingEvent:  # fmt: skip
    """The event of an answer with its class, reported ``by`` one of CONVERSION_REPORTERS.

    It is classified here, on the way of the request and outside of the writer's transaction. Its ``respond`` raises
    Invalid of ``field`` when the visit is not stored.
    """
    from grapevine.answers.classify import classify
    from grapevine.answers.rules import rule_book

    found = classify(text)
    event = Answer(
        site_id=site.site_id,
        visit_id=visit_id,
        nonce=nonce,
        at=at,
        text=text,
        contact=contact,
        network=network,
        class_=found.name,
        channel=None if found.channel is None else CODES[found.channel],
        rules=rule_book().version,
        reported_by=CONVERSION_REPORTERS[by],
    )
    return PendingEvent(event, lambda outcome: _stored(outcome, schemas.EMPTY, field))


def pending_conversion(
    site: Site, visit_id: int, goal: Goal, at: int, field: str, by: str, network: int = 0
) -> PendingEvent:
    """The event of a conversion, reported ``by`` one of CONVERSION_REPORTERS.

    Its ``respond`` raises Invalid of ``field`` when the visit is not stored.
    """
    event = Conversion(
        site_id=site.site_id,
        visit_id=visit_id,
        goal=goal.name,
        once=goal.once,
        external_id=goal.external_id,
        at=at,
        value=goal.value,
        currency=goal.currency,
        reported_by=CONVERSION_REPORTERS[by],
        network=network,
        refund_of=goal.refund_of,
        refunds=goal.refunds,
    )
    return PendingEvent(event, lambda outcome: _stored(outcome, schemas.EMPTY, field))


def dropped(reason: str, body: msgspec.Struct) -> CollectResponse:
    """The response to a call that stores nothing."""
    return CollectResponse(202, body, reason)


def _stored(outcome: Outcome, body: msgspec.Struct, field: str) -> CollectResponse:
    if isinstance(outcome, VisitNotFound):
        raise Invalid.of(field, "names a visit that is not here: erased, or past retention")
    if isinstance(outcome, BoundExceeded):
        raise RateLimited(
            "This site takes no more of these from one network today; send it again tomorrow (UTC).",
            retry_after=outcome.seconds,
        )
    if isinstance(outcome, VisitBoundExceeded):
        raise RateLimited("This visit has reported as many goals as one visit may.", retry_after=_VISIT_ENDS_SECONDS)
    if isinstance(outcome, RefundRefused):
        raise refund_error(outcome)
    duplicate = isinstance(outcome, Stored) and outcome.duplicate
    return CollectResponse(200, body, "duplicate" if duplicate else None)


def _read_token(context: CallContext, text: str) -> tuple[Token | None, int | None]:
    """A returning token, or the code of the reason why it is no good. A bad token never costs a visit."""
    try:
        token = context.site.tokens.read(text)
    except TokenError as error:
        foreign = error.reason == "bad-signature" and context.sites.signer(text) is not None
        return None, _UNKNOWN_SITE_TOKEN if foreign else TOKEN_REASONS[error.reason]
    return (None, _SESSION_TOKEN) if token.is_session else (token, None)


def _hash(context: CallContext, day: int) -> int:
    client = context.client
    network = network_of(client.address)
    salt = context.salts.of_day(day)
    return visitor_hash(salt, context.site.site_id, network, client.user_agent, client.language)


def _network(context: CallContext) -> int:
    return network_hash(context.salts.of_day(ids.day_at(context.at)), context.site.site_id, context.client.address)


def _signs(context: CallContext) -> int:
    client = context.client
    return signs_of(client.address, client.user_agent, client.language, context.at, context.scanner_networks)


def _returned(outcome: VisitOutcome) -> schemas.Returned:
    reason = None if outcome.reason is None else TOKEN_REASON_NAMES[outcome.reason]
    return schemas.Returned(
        valid=reason is None,
        depth=outcome.depth,
        self=outcome.is_self,
        same_network=outcome.same_network,
        reason=reason,
        channel=None if outcome.channel is None else NAMES.get(outcome.channel),
    )


_NO_VISIT: Final = schemas.VisitResponse(visit=None, session=None, tokens={}, returned=None)

CALLS: Final = {
    "visits": CallSpec(schemas.VisitRequest, visit, _NO_VISIT),
    "views": CallSpec(schemas.ViewRequest, view, schemas.EMPTY),
    "shares": CallSpec(schemas.ShareRequest, share, schemas.EMPTY),
    "conversions": CallSpec(schemas.ConversionRequest, conversion, schemas.EMPTY),
    "answers": CallSpec(schemas.AnswerRequest, answer, schemas.EMPTY),
}
"""Every call by the last part of its path."""
