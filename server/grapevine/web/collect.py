"""The collect API over HTTP: bodies in, replies out, open to every origin and never with credentials."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from grapevine.collect.intake import Caller, Intake, Reply
from grapevine.collect.wire import MAX_BODY
from grapevine.errors import Problem, StoreError
from grapevine.sets import DROP_REASONS
from grapevine.web.bodies import read_body
from grapevine.web.problems import problem_response, store_problem
from grapevine.web.services import services

CORS: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Grapevine-Dropped, Retry-After",
}
_PREFLIGHT: Final = CORS | {
    "Access-Control-Allow-Methods": "POST",
    "Access-Control-Allow-Headers": "Content-Type",
    "Access-Control-Max-Age": "86400",
}
_TYPES: Final = frozenset({"", "text/plain", "application/json"})

Call = Callable[[Intake, bytes, Caller], Awaitable[Reply]]


async def visits(request: Request) -> Response:
    """``POST /v1/visits``."""
    return await _collect(request, Intake.visit)


async def views(request: Request) -> Response:
    """``POST /v1/views``."""
    return await _collect(request, Intake.view)


async def shares(request: Request) -> Response:
    """``POST /v1/shares``."""
    return await _collect(request, Intake.share)


async def _collect(request: Request, call: Call) -> Response:
    if request.method == "OPTIONS":
        return Response(status_code=204, headers=_PREFLIGHT)
    intake = services(request).intake
    try:
        reply = await call(intake, await _body(request, intake), caller(request))
    except (Problem, StoreError) as error:
        return _refusal(error if isinstance(error, Problem) else store_problem(error))
    headers = CORS if reply.dropped is None else CORS | {"Grapevine-Dropped": reply.dropped}
    return Response(msgspec.json.encode(reply.body), reply.status, headers, "application/json")


def _refusal(problem: Problem) -> Response:
    """Says in its header, for whoever embeds the widget, as which drop it counts."""
    response = problem_response(problem)
    response.headers.update(CORS)
    if problem.code in DROP_REASONS:
        response.headers["Grapevine-Dropped"] = problem.code
    return response


def caller(request: Request) -> Caller:
    """Who calls, as far as the headers tell."""
    headers = request.headers
    return Caller(
        address=request.client.host if request.client else "",
        user_agent=headers.get("user-agent", ""),
        language=headers.get("accept-language", ""),
        origin=headers.get("origin", ""),
        opted_out=headers.get("sec-gpc") == "1" or headers.get("dnt") == "1",
    )


async def _body(request: Request, intake: Intake) -> bytes:
    try:
        return await read_body(request, MAX_BODY, _TYPES)
    except Problem as problem:
        intake.refuse(problem)
        raise
