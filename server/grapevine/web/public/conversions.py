"""``/v1/conversions``: a conversion reported by a page, or by a shop's server with an API key of scope ``write``."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from grapevine.collect.conversion_input import read_goal
from grapevine.collect.requests import CALLS
from grapevine.collect.schemas import EMPTY, MAX_BODY, ConversionRequest, Empty, KeyedConversionRequest
from grapevine.domain import ids
from grapevine.domain.tokens import TokenError
from grapevine.errors import Conflict, FieldError, Invalid
from grapevine.sites.cache import Site
from grapevine.store.readers.reads import Reads
from grapevine.web.api.call import SiteCall, endpoint
from grapevine.web.api.once import HEADER, find_answer, identity_of, keep_afterwards
from grapevine.web.api.operation import Operation, RequestBody, ResponseSpec
from grapevine.web.public.collect import collected
from grapevine.web.public.collect_calls import TEXT_OR_JSON, report
from grapevine.web.responses import json_response

_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_MINUTE_MS: Final = 60_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


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

    The visit is named by `visit`, or by a `token`: a session, or a share through which the visit came. With an
    `Idempotency-Key` neither `id` nor `nonce` is needed.
    """
    identity = identity_of(call, body)
    if identity is None:
        return await _convert(call, body)
    if (found := await find_answer(call, identity)) is not None:
        return found
    # The report is stored in a batch of many, and its answer after it. Should the process end between the two, a repeat
    # is stored again, and recognised by this nonce.
    nonce = body.nonce or hashlib.sha256(f"{call.key.key_id} {identity.digest}".encode()).hexdigest()
    answer = await _convert(call, msgspec.structs.replace(body, nonce=nonce))
    if answer.status_code == HTTPStatus.OK:
        return await keep_afterwards(call, identity, call.site.site_id, EMPTY) or answer
    return answer


async def _convert(call: SiteCall, asked: KeyedConversionRequest) -> Response:
    """Stores a conversion."""
    site, now = call.site, call.now
    errors: list[FieldError] = []
    goal = read_goal(asked, errors)
    at = now if asked.at is None else _time(asked.at, now, errors)
    if asked.site not in (None, site.key):
        errors.append(FieldError("site", "is not the site of this API key"))
    if (asked.token is None) == (asked.visit is None):
        errors.append(FieldError("visit", "or `token` is needed, and not both"))
    if errors:
        raise Invalid.of_all(errors)
    field = "token" if asked.visit is None else "visit"
    visit_id = await _visit(call.reads, site, asked, at)
    if at < ids.day_start(ids.day_of(visit_id) - 1):  # the day of an id is its visitor's, which may be one off
        raise Invalid.of("at", "is before the visit began")
    reply = await call.state.collect_api.convert(site, visit_id, goal, at, field)
    return json_response(reply.body, reply.status, dropped=reply.dropped)


async def _visit(reads: Reads, site: Site, asked: KeyedConversionRequest, at: int) -> int:
    """Returns the visit that reached the goal. A session names it; for a share it is the last return before ``at``."""
    if asked.token is None:
        number = ids.visit_number(asked.visit or "")
        if number is None:
            raise Invalid.of("visit", "is not the id of a visit: those are 11 letters and digits")
        return number
    try:
        token = site.tokens.read(asked.token)
    except TokenError as error:
        raise Invalid.of("token", f"is not a token of this site: {error}") from None
    if token.is_session:
        return token.visit_id
    found = await reads.shares.last_return(site.site_id, *token, at)
    if found is None:
        raise Invalid.of("token", "names a share through which no visit had come by then")
    return found


def _time(text: str, now: int, errors: list[FieldError]) -> int:
    """Returns an RFC 3339 time in UTC milliseconds. The clocks may be a minute apart."""
    if not _TIME.fullmatch(text):
        errors.append(FieldError("at", "must be a time of RFC 3339 such as 2026-11-21T09:30:00Z"))
        return now
    try:
        at = (datetime.fromisoformat(text.upper()) - _EPOCH) // timedelta(milliseconds=1)
    except (ValueError, OverflowError):
        errors.append(FieldError("at", "is no time that there is"))
        return now
    if at > now + _MINUTE_MS:
        errors.append(FieldError("at", "must not be in the future"))
    return min(at, now)


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
        request_headers=(*_REPORT.request_headers, HEADER),
        problems=(*_REPORT.problems, Conflict),
    )
]
