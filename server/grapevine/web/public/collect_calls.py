"""What pages report: ``POST /v1/visits``, ``views`` and ``shares``. Without a key, by its origin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from grapevine.collect.requests import CALLS
from grapevine.collect.schemas import (
    MAX_BODY,
    Empty,
    ShareRequest,
    ShareResponse,
    ViewRequest,
    VisitRequest,
    VisitResponse,
)
from grapevine.errors import BadOrigin, Busy, Invalid, Malformed, RateLimited, TooLarge, UnknownSite
from grapevine.web.api.operation import Operation, RequestBody, ResponseSpec, Struct
from grapevine.web.public.collect import collected

TEXT_OR_JSON: Final = ("text/plain", "application/json")
"""Media types of a page's report: with ``text/plain`` browsers ask no leave before (CORS)."""

REFUSALS: Final = (Malformed, BadOrigin, UnknownSite, TooLarge, Invalid, RateLimited, Busy)


async def report_visit(request: Request) -> Response:
    """A browser arrived at a page.

    A visit with a bad token is counted all the same: `returned.valid` is then false and `returned.reason` says why.
    """
    return await collected(CALLS["visits"], request)


async def report_view(request: Request) -> Response:
    """One more page of a visit."""
    return await collected(CALLS["views"], request)


async def report_share(request: Request) -> Response:
    """A visitor shared a page.

    The token must be one of the visit whose session it is reported with. Without a session (pages with an older script)
    the share is counted, but names no page unless it is the one that the visit began on, `next` is null, and a later
    report with the session replaces the page.
    """
    return await collected(CALLS["shares"], request)


_OF_SESSION: Final = {"body.site": "$request.body#/site", "body.session": "/session"}
_FOLLOWING: Final = {
    "report_view": _OF_SESSION,
    "report_share": {**_OF_SESSION, "body.token": "/tokens/copy"},
    "report_conversion": _OF_SESSION,
    "report_answer": _OF_SESSION,
    "forget": _OF_SESSION,
    "get_token": {"token": "/tokens/copy"},
    "follow_link": {"token": "/tokens/copy"},
    "about_link": {"token": "/tokens/copy"},
    "draw_short_link": {"token": "/tokens/copy"},
    "get_cascade": {"root": "/visit"},
    "erase_visit": {"token": "/visit"},
}
"""What may follow a visit."""


def report(
    name: str,
    handler: Any,
    kind: Struct | tuple[Struct, ...],
    stored: Any,
    dropped: Any = Empty,
    links: Mapping[str, Mapping[str, str]] | None = None,
) -> Operation:
    """Returns the operation of a page's report: 200 with ``stored``, or 202 with ``dropped``."""
    return Operation(
        method="POST",
        path=f"/v1/{name}",
        handler=handler,
        tag="collect",
        scope=None,
        is_cors=True,
        has_preflight=True,
        body=RequestBody(kind, MAX_BODY, TEXT_OR_JSON),
        request_headers=("Origin", "Sec-GPC", "DNT"),
        responses={
            200: ResponseSpec(stored, "It is stored and committed.", headers=("Grapevine-Dropped",), links=links or {}),
            202: ResponseSpec(
                dropped, "It is refused on purpose, and nothing is stored.", headers=("Grapevine-Dropped",)
            ),
        },
        problems=REFUSALS,
    )


OPERATIONS: Final = [
    report("visits", report_visit, VisitRequest, VisitResponse, VisitResponse, _FOLLOWING),
    report("views", report_view, ViewRequest, Empty),
    report("shares", report_share, ShareRequest, ShareResponse),
]
