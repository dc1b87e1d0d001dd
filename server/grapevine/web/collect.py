"""The collect API over HTTP: bodies in, replies out, open to every origin and never with credentials."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from grapevine.collect.intake import Caller, Intake, Reply
from grapevine.collect.wire import MAX_BODY
from grapevine.errors import Problem, StoreError
from grapevine.sets import DROP_REASONS
from grapevine.web.bodies import check_type, read_body
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

CALLS: Final[Mapping[str, Call]] = {
    "/v1/visits": Intake.visit,
    "/v1/views": Intake.view,
    "/v1/shares": Intake.share,
}
"""Every collect call by its path."""


def endpoint(call: Call) -> Callable[[Request], Awaitable[Response]]:
    """The handler of one call."""

    async def collect(request: Request) -> Response:
        if request.method == "OPTIONS":
            return Response(status_code=204, headers=_PREFLIGHT)
        intake = services(request).intake
        try:
            body = await read_body(request, MAX_BODY)
        except Problem as problem:
            intake.refuse(problem)
            return _refusal(problem)
        address = request.client.host if request.client else ""
        return await answer(intake, call, body, request.headers, address)

    return collect


async def answer(intake: Intake, call: Call, body: bytes, headers: Mapping[str, str], address: str) -> Response:
    """The answer to a call whose body was read. ``headers`` have lower-case names."""
    try:
        try:
            check_type(headers.get("content-type", ""), _TYPES)
        except Problem as problem:
            intake.refuse(problem)
            raise
        reply = await call(intake, body, _caller(headers, address))
    except (Problem, StoreError) as error:
        return _refusal(error if isinstance(error, Problem) else store_problem(error))
    marks = CORS if reply.dropped is None else CORS | {"Grapevine-Dropped": reply.dropped}
    return Response(msgspec.json.encode(reply.body), reply.status, marks, "application/json")


def _refusal(problem: Problem) -> Response:
    """Says in its header, for whoever embeds the widget, as which drop it counts."""
    response = problem_response(problem)
    response.headers.update(CORS)
    if problem.code in DROP_REASONS:
        response.headers["Grapevine-Dropped"] = problem.code
    return response


def _caller(headers: Mapping[str, str], address: str) -> Caller:
    """Who calls, as far as the headers tell."""
    return Caller(
        address=address,
        user_agent=headers.get("user-agent", ""),
        language=headers.get("accept-language", ""),
        origin=headers.get("origin", ""),
        opted_out=headers.get("sec-gpc") == "1" or headers.get("dnt") == "1",
    )
