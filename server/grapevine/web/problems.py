"""Errors as HTTP responses: the only place that turns a Problem into ``application/problem+json`` (RFC 9457)."""

from __future__ import annotations

import logging
from http import HTTPStatus

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from grapevine.api_schemas.problems import FieldProblem, ProblemBody
from grapevine.config.logging import Seldom
from grapevine.errors import Busy, Malformed, Problem, StoreError

log = logging.getLogger(__name__)
log.addFilter(Seldom())


def problem_body(problem: Problem) -> ProblemBody:
    """Returns the body of the response to a request that raised ``problem``."""
    return ProblemBody(
        type=f"urn:grapevine:problem:{problem.code}",
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


async def on_http_exception(_: Request, error: Exception) -> Response:
    """Exception handler for Starlette's own errors (no such route, wrong method). Returns the same shape."""
    if not isinstance(error, HTTPException):
        raise error
    status = HTTPStatus(error.status_code)
    content = {
        "type": "about:blank",
        "title": status.phrase,
        "status": error.status_code,
        "detail": error.detail,
        "code": status.phrase.lower().replace(" ", "-"),
    }
    return Response(msgspec.json.encode(content), error.status_code, error.headers, "application/problem+json")
