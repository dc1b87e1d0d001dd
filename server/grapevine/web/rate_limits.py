"""The rate limits over HTTP: routes that need no key, and wrong keys.

Collect calls ask ``collect.rate_limit`` themselves, in the collect API, and the fast path asks it for the short links
that it answers.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import wraps
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from grapevine.collect.rate_limit import refuse_excess
from grapevine.errors import RateLimited
from grapevine.web.problems import problem_response
from grapevine.web.public.collect import CORS
from grapevine.web.public.plain_page import plain_page
from grapevine.web.responses import NO_STORE
from grapevine.web.state import app_state

Handler = Callable[[Request], Awaitable[Response]]

_ANYWHERE: Final = CORS | NO_STORE


def limited(handler: Handler, headers: Mapping[str, str] = _ANYWHERE) -> Handler:
    """Wraps the handler of a route that needs no key: refuses a network that asks too often.

    A browser that wants a page gets one. ``headers`` are added to the refusal.
    """

    @wraps(handler)
    async def endpoint(request: Request) -> Response:
        state = app_state(request)
        try:
            refuse_excess(state.rate_limit.page_call(client_address(request), state.clock()))
            return await handler(request)
        except RateLimited as problem:
            refusal = _refusal(request, problem)
            refusal.headers.update(headers)
            return refusal

    return endpoint


def count_wrong_key(request: Request) -> None:
    """Counts a read with a wrong key. Raises RateLimited when the network sent too many of them."""
    state = app_state(request)
    refuse_excess(state.rate_limit.sign_in(client_address(request), state.clock()), "wrong keys")


def count_sign_in(request: Request) -> None:
    """Counts an attempt to sign in. Raises RateLimited when the network made too many of them."""
    state = app_state(request)
    refuse_excess(state.rate_limit.sign_in(client_address(request), state.clock()), "attempts to sign in")


def client_address(request: Request) -> str:
    """Returns the address of the client of a request."""
    return request.client.host if request.client else ""


def _refusal(request: Request, problem: RateLimited) -> Response:
    if "text/html" not in request.headers.get("accept", ""):
        return problem_response(problem)
    text = f"The network that you are in asks this server too often. Wait {problem.retry_after} s, then try again."
    page = plain_page(problem.status, problem.title, text)
    page.headers["Retry-After"] = str(problem.retry_after)
    return page
