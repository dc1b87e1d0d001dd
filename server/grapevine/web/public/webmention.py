"""``POST /webmention``: other servers say that one of their pages links to a page of a site here (W3C Webmention)."""

from __future__ import annotations

from typing import Annotated, Final
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from grapevine.collect.rate_limit import refuse_excess
from grapevine.domain.storable import storable
from grapevine.errors import (
    Busy,
    FieldError,
    Malformed,
    Problem,
    RateLimited,
    StoreError,
    TooLarge,
    WebmentionRefused,
)
from grapevine.web.api.operation import Operation, RequestBody, ResponseSpec
from grapevine.web.problems import problem_response, store_problem
from grapevine.web.rate_limits import client_address
from grapevine.web.request_body import check_type, read_body
from grapevine.web.responses import NO_STORE
from grapevine.web.state import AppState, app_state

FORM: Final = "application/x-www-form-urlencoded"
MAX_BODY: Final = 16_384
"""Two addresses of 2,048 characters, each of which may be three characters long in a form."""
_MOST_FIELDS: Final = 20


class Webmention(msgspec.Struct, frozen=True, kw_only=True):
    """The body of ``POST /webmention``, as a form."""

    source: Annotated[str, msgspec.Meta(examples=["https://blog.example.org/2026/on-bread"])]
    """The page that links to the target."""
    target: Annotated[str, msgspec.Meta(examples=["https://www.example.com/bread"])]
    """The page of a site here that is linked to."""


async def receive_webmention(request: Request) -> Response:
    """Takes a webmention: a page elsewhere links to a page of a site here.

    It is stored before it is answered, and the source is read later. Sent again, the source is read again: so a sender
    says that the source has changed, or is gone. The site has to take webmentions, and the page has to be known.
    """
    try:
        await _take(app_state(request), request)
    except (Problem, StoreError) as error:
        refusal = problem_response(store_problem(error) if isinstance(error, StoreError) else error)
        refusal.headers.update(NO_STORE)
        return refusal
    return PlainTextResponse("Accepted: the source will be read soon.\n", 202, NO_STORE)


async def _take(state: AppState, request: Request) -> None:
    wait = state.rate_limit.webmention(client_address(request), state.clock())
    refuse_excess(wait, "webmentions")
    body = await read_body(request, MAX_BODY)
    check_type(request.headers.get("content-type", ""), frozenset({FORM}), f"a form ({FORM})")
    try:
        fields = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict")
    except ValueError:
        raise Malformed("The body is no form in UTF-8 of at most 20 fields.") from None
    await state.webmentions.take(_one(fields, "source"), _one(fields, "target"))
    state.webmention_reader.notify()


def _one(fields: list[tuple[str, str]], name: str) -> str:
    """Returns the only value of a field."""
    found = [value for field, value in fields if field == name]
    if len(found) != 1:
        detail = "is missing" if not found else f"is given {len(found)} times"
        raise WebmentionRefused(f"The {name} {detail}.", errors=(FieldError(name, detail),))
    return storable(found[0])


OPERATIONS: Final = [
    Operation(
        method="POST",
        path="/webmention",
        handler=receive_webmention,
        tag="mentions",
        scope=None,
        body=RequestBody(Webmention, MAX_BODY, (FORM,)),
        responses={
            202: ResponseSpec(str, "It is stored; its source will be read.", media_types=("text/plain; charset=utf-8",))
        },
        problems=(WebmentionRefused, Malformed, TooLarge, RateLimited, Busy),
    )
]
