"""Errors as HTTP responses: the only place that turns a Problem into ``application/problem+json`` (RFC 9457)."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import cache
from http import HTTPStatus
from typing import Final

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from grapevine.api_schemas.problems import FieldProblem, ProblemBody
from grapevine.config.logging import Seldom
from grapevine.errors import Busy, Malformed, MethodNotAllowed, NotFound, Problem, ServerFault, StoreError

log = logging.getLogger(__name__)
log.addFilter(Seldom())


TYPES: Final = "/problems"
"""Below it the ``type`` of each problem has a page (RFC 9457, 3.1.1). It is relative to the server, whose public
address may not be known here, and must not come from a request's ``Host``."""


@cache
def problem_kinds() -> Mapping[str, type[Problem]]:
    """Returns every kind of problem by its code, in the order of their statuses and codes."""
    found: dict[str, type[Problem]] = {}
    waiting = list(Problem.__subclasses__())
    while waiting:
        kind = waiting.pop(0)
        found.setdefault(kind.code, kind)
        waiting += kind.__subclasses__()
    return dict(sorted(found.items(), key=lambda each: (each[1].status, each[0])))


def problem_body(problem: Problem) -> ProblemBody:
    """Returns the body of the response to a request that raised ``problem``."""
    return ProblemBody(
        type=f"{TYPES}/{problem.code}",
        title=problem.title,
        status=problem.status,
        detail=problem.detail,
        code=problem.code,
        errors=[FieldProblem(field=field, detail=detail) for field, detail in problem.errors],
    )


def problem_response(problem: Problem) -> Response:
    """Returns the response to a request that raised ``problem``."""
    headers = {}
    if problem.retry_after is not None:
        headers["Retry-After"] = str(problem.retry_after)
    if problem.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return Response(msgspec.json.encode(problem_body(problem)), problem.status, headers, "application/problem+json")


async def on_problem(_: Request, error: Exception) -> Response:
    """Returns the response to a Problem; raises any other error again."""
    if not isinstance(error, Problem):
        raise error
    return problem_response(error)


async def on_store_error(request: Request, error: Exception) -> Response:
    """Exception handler for StoreError. Returns 503, because the store may be available again soon."""
    if not isinstance(error, StoreError):
        raise error
    request.app.state.app_state.telemetry.store_errors_of_requests += 1
    return problem_response(store_problem(error))


def store_problem(error: StoreError) -> Problem:
    """Returns the Problem for an unavailable store. Logs the reason, at a limited rate."""
    log.error("the store cannot be used: %s", error)
    return Busy("The store cannot be used at the moment; try again.", retry_after=5)


async def on_disconnect(_: Request, error: Exception) -> Response:
    """Exception handler for a client that left before its request was here as a whole, which is no error of ours."""
    if not isinstance(error, ClientDisconnect):
        raise error
    return problem_response(Malformed("The connection ended before the request did."))


async def on_http_exception(request: Request, error: Exception) -> Response:
    """Exception handler for Starlette's own errors (no such route, wrong method). Returns the same shape."""
    if not isinstance(error, HTTPException):
        raise error
    if error.status_code == HTTPStatus.NOT_FOUND:
        is_own = error.detail != HTTPStatus.NOT_FOUND.phrase
        response = problem_response(NotFound(error.detail if is_own else "This server has nothing at this address."))
    elif error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        response = problem_response(MethodNotAllowed(f"This address cannot be called with {request.method}."))
    else:
        raise error
    response.headers.update(error.headers or {})
    return response


def fault_response() -> Response:
    """Returns the response to a request that failed by a fault of our own."""
    return problem_response(ServerFault("The server met a fault of its own; its log says which."))


async def on_error(_: Request, _error: Exception) -> Response:
    """Exception handler for a fault of our own, which Starlette raises again afterwards, so that it is logged."""
    return fault_response()
