"""The collect API over HTTP: open to every origin (CORS), never with credentials."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from grapevine.background.future import resolver
from grapevine.collect.refusals import explained
from grapevine.collect.requests import CALLS, CallSpec, ClientInfo, CollectResponse
from grapevine.collect.schemas import MAX_BODY
from grapevine.collect.user_agents import LONGEST_AGENT
from grapevine.domain.enums import DROP_REASONS
from grapevine.errors import Problem, StoreError
from grapevine.web.problems import fault_response, problem_response, store_problem
from grapevine.web.request_body import check_type, read_body
from grapevine.web.responses import JSON
from grapevine.web.state import app_state

log = logging.getLogger(__name__)

CORS: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Grapevine-Dropped, Retry-After",
}
_PREFLIGHT: Final = CORS | {
    "Access-Control-Allow-Methods": "POST",
    "Access-Control-Allow-Headers": "Content-Type",
    "Access-Control-Max-Age": "86400",
}
TYPES: Final = frozenset({"", "text/plain", "application/json"})

_LONGEST_ADDRESS: Final = 64  # an IPv6 address with a zone; a trusted proxy may pass on anything
_LONGEST_LANGUAGE: Final = 256
_LONGEST_ORIGIN: Final = 300  # a host name has at most 253 characters

PATHS: Final[Mapping[str, CallSpec]] = {f"/v1/{name}": call for name, call in CALLS.items()}
"""Every collect call by its path."""

encode: Final = msgspec.json.Encoder().encode
"""Encodes the body of a response."""


async def collected(call: CallSpec, request: Request) -> Response:
    """Returns the response to a collect call."""
    collect_api = app_state(request).collect_api
    try:
        body = await read_body(request, MAX_BODY)
        check_type(request.headers.get("content-type", ""), TYPES)
    except Problem as problem:
        collect_api.count_refusal(problem)
        return failure(problem)
    client = client_info(request.headers, request.client.host if request.client else "")
    result: asyncio.Future[CollectResponse] = asyncio.get_running_loop().create_future()
    try:
        await collect_api.submit_prepared(call, body, client, resolver(result))
        reply = await result
    except (Problem, StoreError) as error:
        # This frame is in the traceback and holds the future, which holds the error: a reference cycle.
        return failure(error.with_traceback(None))
    return response(reply.status, reply.dropped, encode(reply.body))


async def preflight(_: Request) -> Response:
    """Returns the response to a CORS preflight."""
    return Response(status_code=204, headers=_PREFLIGHT)


def client_info(headers: Mapping[str, str], address: str) -> ClientInfo:
    """Returns the client of a call, from its address and its headers by lower-case name.

    Everything is cut here, before a cache or a key can hold it.
    """
    return ClientInfo(
        address=address[:_LONGEST_ADDRESS],
        user_agent=headers.get("user-agent", "")[:LONGEST_AGENT],
        language=headers.get("accept-language", "")[:_LONGEST_LANGUAGE],
        origin=headers.get("origin", "")[:_LONGEST_ORIGIN],
        opted_out=headers.get("sec-gpc") == "1" or headers.get("dnt") == "1",
    )


def response(status: int, dropped: str | None, body: bytes) -> Response:
    """Returns the response to an accepted call; ``dropped`` names the reason why nothing was stored."""
    headers = CORS if dropped is None else CORS | {"Grapevine-Dropped": dropped}
    return Response(body, status, headers, JSON)


def failure(error: Exception) -> Response:
    """Returns the response to a failed call. Its header ``Grapevine-Dropped`` names the drop reason it counts as."""
    if isinstance(error, StoreError):
        error = store_problem(error)
    if not isinstance(error, Problem):
        log.error("a collect call failed", exc_info=error)
        refusal = fault_response()
    else:
        refusal = problem_response(explained(error))
        if error.code in DROP_REASONS:
            refusal.headers["Grapevine-Dropped"] = error.code
    refusal.headers.update(CORS)
    return refusal
