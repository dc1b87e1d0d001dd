"""The refusals of each call, as responses of the description."""

from __future__ import annotations

from typing import Any

from msgspec import to_builtins

from grapevine.api_schemas.problems import ProblemBody
from grapevine.errors import (
    Busy,
    Forbidden,
    HeadTooLarge,
    Invalid,
    Malformed,
    Problem,
    RateLimited,
    ServerFault,
    TooLarge,
    Unauthorized,
    UnknownSite,
    UrlTooLong,
)
from grapevine.web.api.operation import Operation
from grapevine.web.openapi.schemas import Schemas
from grapevine.web.problems import problem_body

PROBLEM_JSON = "application/problem+json"


def problems_of(operation: Operation) -> list[type[Problem]]:
    """Returns every problem that a call may raise: its own, those of its kind, and those of each request."""
    found: list[type[Problem]] = [*operation.problems, Malformed, UrlTooLong, HeadTooLarge, ServerFault]
    if operation.scope or operation.optional_scope:
        found += [Unauthorized, Forbidden, Invalid, RateLimited, Busy]
        if operation.of_site:
            found.append(UnknownSite)
    if operation.body:
        found.append(TooLarge)
    return sorted(set(found), key=lambda each: (each.status, each.code))


def problem_responses(operation: Operation, schemas: Schemas) -> dict[str, dict[str, Any]]:
    """Returns the refusals of a call by status."""
    return {status: _response(operation, each, schemas) for status, each in _by_status(operation).items()}


def shared_name(operation: Operation, status: str) -> str:
    """Returns the name of a refusal among the components: calls of one kind have the same one."""
    problems = _by_status(operation)[status]
    kind = "-to-pages" if operation.has_preflight else "-to-any-origin" if operation.is_cors else ""
    kind = "-or-page" if _is_for_people(operation, problems) else kind
    return "-".join(each.code for each in problems) + kind


def _by_status(operation: Operation) -> dict[str, list[type[Problem]]]:
    found: dict[str, list[type[Problem]]] = {}
    for each in problems_of(operation):
        found.setdefault(str(each.status), []).append(each)
    return found


def _response(operation: Operation, problems: list[type[Problem]], schemas: Schemas) -> dict[str, Any]:
    pages = {"text/html": {"schema": {"type": "string"}}} if _is_for_people(operation, problems) else {}
    named = {"properties": {"code": {"enum": [each.code for each in problems]}}}
    return {
        "description": "; ".join(f"`{each.code}`: {each.title}" for each in problems) + ".",
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in _headers(operation, problems)},
        "content": {
            PROBLEM_JSON: {
                "schema": {"allOf": [schemas.of(ProblemBody), named]},
                "examples": {each.code: {"value": example(each)} for each in problems},
            },
            **pages,
        },
    }


def _is_for_people(operation: Operation, problems: list[type[Problem]]) -> bool:
    """Whether a browser that asks for a page gets one: ``web/rate_limits.py`` refuses so what needs no key."""
    has_key = operation.scope or operation.optional_scope
    return problems == [RateLimited] and not has_key and not operation.has_preflight


def _headers(operation: Operation, problems: list[type[Problem]]) -> list[str]:
    found = []
    if operation.is_cors or _is_for_people(operation, problems):
        found += ["Access-Control-Allow-Origin", "Access-Control-Expose-Headers"]
    if operation.has_preflight:
        found.append("Grapevine-Dropped")
    if Unauthorized in problems:
        found.append("WWW-Authenticate")
    if RateLimited in problems or Busy in problems:
        found.append("Retry-After")
    return found


def example(problem: type[Problem]) -> Any:
    """Returns a refusal as it may be."""
    if problem is Invalid:
        return to_builtins(problem_body(Invalid.of("from", "must be a date such as 2026-11-21")))
    return to_builtins(problem_body(problem(f"{problem.title}.")))
