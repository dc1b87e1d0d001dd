"""``POST /v1/answers``: an answer reported by a page, or by your own server with an API key of scope ``write``."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from grapevine.collect.fields import bounded_text, past_time
from grapevine.collect.requests import CALLS
from grapevine.collect.schemas import (
    MAX_ANSWER,
    MAX_BODY,
    MAX_CONTACT,
    AnswerRequest,
    Empty,
    KeyedAnswerRequest,
    check_nonce,
)
from grapevine.errors import Conflict, FieldError, Invalid, RateLimited
from grapevine.links.named_visits import NamedVisit, VisitFinder, check_begun
from grapevine.web.api.call import SiteCall, endpoint
from grapevine.web.api.once import HEADER
from grapevine.web.api.operation import Operation, RequestBody, ResponseSpec
from grapevine.web.public.collect import collected
from grapevine.web.public.collect_calls import TEXT_OR_JSON, report
from grapevine.web.public.keyed_reports import reported_once
from grapevine.web.responses import json_response


async def report_answer(request: Request) -> Response:
    """Somebody answered "How did you hear about us?", reported by a page, or by your own server with an API key.

    With a session the answer belongs to that visit, without one to none. It changes no other number. The same nonce of
    the same visit is the same answer, and the first one stays. More answers in a day than a site takes are refused with
    429 until the next UTC day.

    With a key of scope `write` neither origin nor session is needed.
    """
    if "authorization" in request.headers:
        return await _with_key(request)
    return await collected(CALLS["answers"], request)


async def answer_with_key(call: SiteCall, body: KeyedAnswerRequest) -> Response:
    """What somebody said, reported by your own server, such as a note of a seller's call.

    It belongs to the visit that `visit`, `token` or `external_id` names, or to none. With an `Idempotency-Key` no
    `nonce` is needed. The text stays as it is; its class is worked out by rules, and can be corrected.
    """
    return await reported_once(call, body, _answer)


async def _answer(call: SiteCall, asked: KeyedAnswerRequest) -> Response:
    """Stores an answer."""
    site, now = call.site, call.now
    errors: list[FieldError] = []
    text = bounded_text(asked.text, "text", MAX_ANSWER, errors)
    if not text:
        errors.append(FieldError("text", "is empty"))
    contact = bounded_text(asked.contact or "", "contact", MAX_CONTACT, errors) or None
    at = now if asked.at is None else past_time(asked.at, now, errors)
    if asked.site not in (None, site.key):
        errors.append(FieldError("site", "is not the site of this API key"))
    if asked.nonce is None:
        errors.append(FieldError("nonce", f"or the header {HEADER} is needed, so that it can be sent again safely"))
    else:
        errors += check_nonce(asked.nonce)
    named = NamedVisit(asked.visit, asked.token, None if asked.external_id is None else str(asked.external_id))
    is_named = any(each is not None for each in named)
    if is_named:
        named.check(errors)
    if errors:
        raise Invalid.of_all(errors)
    visit_id = 0
    if is_named:
        visit_id = await VisitFinder(call.reads, call.state.store.links, call.state.nonces).find(site, named, at)
        check_begun(visit_id, at)
    reply = await call.state.collect_api.answer(site, visit_id, asked.nonce or "", text, contact, at, named.field)
    return json_response(reply.body, reply.status, dropped=reply.dropped)


WITH_KEY: Final = Operation(
    method="POST",
    path="/v1/answers",
    handler=answer_with_key,
    tag="answers",
    scope="write",
    body=RequestBody(KeyedAnswerRequest, MAX_BODY, TEXT_OR_JSON),
    responses={200: ResponseSpec(Empty, "It is stored and committed.", headers=("Grapevine-Dropped",))},
    problems=(Conflict, RateLimited),
    request_headers=(HEADER,),
)
"""The same call where ``GRAPEVINE_PREFIX`` parts it from that of pages."""

_with_key: Final = endpoint(WITH_KEY)

_REPORT: Final = report("answers", report_answer, (AnswerRequest, KeyedAnswerRequest), Empty)

OPERATIONS: Final = [
    replace(
        _REPORT,
        tag="answers",
        optional_scope="write",
        with_key=WITH_KEY.name,
        request_headers=(*_REPORT.request_headers, HEADER),
        problems=(*_REPORT.problems, Conflict),
    )
]
