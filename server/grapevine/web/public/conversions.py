"""``/v1/conversions``: a conversion reported by a page, or by a shop's server with an API key of scope ``write``."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from grapevine.collect.conversion_input import read_goal
from grapevine.collect.fields import past_time
from grapevine.collect.requests import CALLS
from grapevine.collect.schemas import MAX_BODY, ConversionRequest, Empty, KeyedConversionRequest
from grapevine.errors import Conflict, FieldError, Invalid
from grapevine.links.named_visits import NamedVisit, VisitFinder, check_begun
from grapevine.web.api.call import SiteCall, endpoint
from grapevine.web.api.once import HEADER
from grapevine.web.api.operation import Operation, RequestBody, ResponseSpec
from grapevine.web.public.collect import collected
from grapevine.web.public.collect_calls import TEXT_OR_JSON, report
from grapevine.web.public.keyed_reports import reported_once
from grapevine.web.responses import json_response


async def report_conversion(request: Request) -> Response:
    """A visit reached a goal, reported by its page, or by your own server with an API key.

    The same `goal` and `id`, or without an `id` the same `nonce`, count once for the whole site, without a time limit:
    the first report stays, even if a later one names another visit or value, unless that comes with a key. A page may
    report 50 conversions of a visit; the next one is refused with 429.

    With a key of scope `write` neither origin nor session is needed. Such a conversion replaces one that a page
    reported under the same `goal` and `id`, whichever visit, time and value that named; its row and its counts are
    those of the key's report from then on. A page's report never replaces a key's. Of two reports with a key the first
    one stays.
    """
    if "authorization" in request.headers:
        return await _with_key(request)
    return await collected(CALLS["conversions"], request)


async def convert_with_key(call: SiteCall, body: KeyedConversionRequest) -> Response:
    """A visit reached a goal, reported by your own server.

    The visit is named by `visit`, by a `token` (a session, or a share through which the visit came), or by the
    `external_id` of minted links: the last visit that came through any of them by `at`. With an `Idempotency-Key`
    neither `id` nor `nonce` is needed.

    With `refund_of` and a `value` below 0 it takes back part or all of an earlier conversion of the same `goal`, in the
    same currency, and never more than is left of it. A refund goes to the visit of what it takes back, and a visit
    that is named is ignored; it counts as no conversion, and its value is added up wherever values are.
    """
    return await reported_once(call, body, _convert)


async def _convert(call: SiteCall, asked: KeyedConversionRequest) -> Response:
    """Stores a conversion."""
    site, now = call.site, call.now
    errors: list[FieldError] = []
    goal = read_goal(asked, errors)
    at = now if asked.at is None else past_time(asked.at, now, errors)
    if asked.site not in (None, site.key):
        errors.append(FieldError("site", "is not the site of this API key"))
    named = NamedVisit(asked.visit, asked.token, None if asked.external_id is None else str(asked.external_id))
    if goal.refunds is None:
        named.check(errors)
    if errors:
        raise Invalid.of_all(errors)
    visit_id = 0  # of a refund, it is that of what it takes back
    if goal.refunds is None:
        visit_id = await VisitFinder(call.reads, call.state.store.links, call.state.nonces).find(site, named, at)
        check_begun(visit_id, at)
    reply = await call.state.collect_api.convert(site, visit_id, goal, at, named.field)
    return json_response(reply.body, reply.status, dropped=reply.dropped)


WITH_KEY: Final = Operation(
    method="POST",
    path="/v1/conversions",
    handler=convert_with_key,
    tag="conversions",
    scope="write",
    body=RequestBody(KeyedConversionRequest, MAX_BODY, TEXT_OR_JSON),
    responses={200: ResponseSpec(Empty, "It is stored and committed.", headers=("Grapevine-Dropped",))},
    problems=(Conflict,),
    request_headers=(HEADER,),
)
"""The same call where ``GRAPEVINE_PREFIX`` parts it from that of pages."""

_with_key: Final = endpoint(WITH_KEY)

_REPORT: Final = report("conversions", report_conversion, (ConversionRequest, KeyedConversionRequest), Empty)

OPERATIONS: Final = [
    replace(
        _REPORT,
        tag="conversions",
        optional_scope="write",
        with_key=WITH_KEY.name,
        keyed_examples={"refund": "A refund, with an API key"},
        request_headers=(*_REPORT.request_headers, HEADER),
        problems=(*_REPORT.problems, Conflict),
    )
]
