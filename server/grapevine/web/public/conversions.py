"""``/v1/conversions``: a conversion reported by a page, or by a shop's server with an API key of scope ``write``."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from grapevine.collect.conversion_input import read_goal
from grapevine.collect.requests import CALLS
from grapevine.collect.schemas import MAX_BODY, KeyedConversionRequest
from grapevine.domain import ids
from grapevine.domain.json_input import decode
from grapevine.domain.tokens import TokenError
from grapevine.errors import FieldError, Invalid
from grapevine.sites.cache import Site
from grapevine.store.readers.reads import Reads
from grapevine.web.api.auth import authorized
from grapevine.web.public import collect
from grapevine.web.request_body import check_type, read_body
from grapevine.web.responses import json_response
from grapevine.web.state import app_state

_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_MINUTE_MS: Final = 60_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

_from_page: Final = collect.endpoint(CALLS["conversions"])


async def conversions(request: Request) -> Response:
    """``POST /v1/conversions``. A request with an API key needs neither origin nor session."""
    return await with_key(request) if "authorization" in request.headers else await _from_page(request)


async def with_key(request: Request) -> Response:
    """``POST /v1/conversions`` with an API key of scope ``write``. Stores a conversion of the named visit.

    The visit is named by ``visit``, or by a ``token``: a session, or a share through which the visit came.
    """
    site = await authorized(request, "write")
    state = app_state(request)
    check_type(request.headers.get("content-type", ""), collect.TYPES)
    asked = decode(await read_body(request, MAX_BODY), KeyedConversionRequest)
    now = state.clock()
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
    visit_id = await _visit(state.store.reads, site, asked, at)
    if at < ids.day_start(ids.day_of(visit_id) - 1):  # the day of an id is its visitor's, which may be one off
        raise Invalid.of("at", "is before the visit began")
    reply = await state.collect_api.convert(site, visit_id, goal, at, field)
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
