"""The security headers of every answer, and the check of ``Host``: one place for ASGI and for the fast path.

A route that knows better (the dashboard, ``/about``) sets a content security policy of its own, which stays.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections.abc import Awaitable, Collection, Sequence
from functools import cache, lru_cache
from time import perf_counter
from typing import Any, Final

from starlette.applications import Starlette
from starlette.routing import BaseRoute
from starlette.types import Lifespan, Message, Receive, Scope, Send

from grapevine.errors import Malformed
from grapevine.telemetry.process import Telemetry
from grapevine.web.indexed_router import IndexedRouter
from grapevine.web.problems import problem_response
from grapevine.web.route_classes import OTHER, route_classes

RawHeaders = Collection[tuple[bytes, bytes]]

# An answer that is no page of ours loads, runs and is framed by nothing when it is opened as one. Every collect answer
# carries the policy, so it is short.
_USUAL: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)
_HSTS: Final = b"strict-transport-security"
_LONGEST_HOST: Final = 300
_HOST: Final = re.compile(rb"([0-9A-Za-z._~%!$&'()*+,;=-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{0,5})?")


def style_hash(style: str) -> str:
    """Returns the source expression of a policy that allows exactly this style sheet inside a page."""
    return f"sha256-{b64encode(hashlib.sha256(style.encode()).digest()).decode()}"


def with_security_headers(headers: RawHeaders, hsts: int | None) -> list[tuple[bytes, bytes]]:
    """Returns ``headers`` and, behind them, the security headers that are not among them.

    ``hsts`` is how many seconds browsers shall use https alone for this host (RFC 6797, without its subdomains, which
    may be somebody else's); None says nothing about it.
    """
    names = dict(headers)
    return [*headers, *[each for each in _added(hsts) if each[0] not in names]]


@cache
def _added(hsts: int | None) -> RawHeaders:
    return _USUAL if hsts is None else (*_USUAL, (_HSTS, b"max-age=%d" % hsts))


@lru_cache(maxsize=1_024)
def _is_host(value: bytes) -> bool:
    return _HOST.fullmatch(value) is not None


def is_usable_host(value: bytes | None) -> bool:
    """Returns whether the value of a ``Host`` header has the form of a host with or without a port (RFC 9110, 7.2)."""
    return value is not None and len(value) <= _LONGEST_HOST and _is_host(value)


def _has_usable_host(scope: Scope) -> bool:
    """Returns whether a request has exactly one ``Host``; HTTP/1.0, which health checks speak, may have none."""
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    if not hosts:
        return bool(scope["http_version"] == "1.0")
    return len(hosts) == 1 and is_usable_host(hosts[0])


class GuardedApplication(Starlette):
    """Starlette whose every answer, those to errors among them, has the security headers.

    A request with two ``Host`` headers, none or a malformed one is refused (RFC 9112, 3.2): servers in front may have
    understood another host than this one.
    """

    def __init__(
        self, hsts: int | None, *, routes: Sequence[BaseRoute], lifespan: Lifespan[Any] | None, **arguments: Any
    ) -> None:
        super().__init__(**arguments)
        self.router = IndexedRouter(routes, lifespan=lifespan)
        self._hsts = hsts
        self._route_classes = route_classes(self.routes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return

        begun_at = perf_counter()

        def send_guarded(message: Message) -> Awaitable[None]:
            if message["type"] == "http.response.start":
                self._count(scope, message["status"], perf_counter() - begun_at)
                # A copy: caches keep responses with their list of headers.
                message = {**message, "headers": with_security_headers(message.get("headers", ()), self._hsts)}
            return send(message)  # no coroutine of its own: each response sends two messages or more

        if _has_usable_host(scope):
            await super().__call__(scope, receive, send_guarded)
        else:
            refusal = problem_response(Malformed("A request names its host in exactly one `Host` header."))
            await refusal(scope, receive, send_guarded)

    def _count(self, scope: Scope, status: int, seconds: float) -> None:
        telemetry: Telemetry | None = getattr(getattr(self.state, "app_state", None), "telemetry", None)
        if telemetry is not None:
            route = self._route_classes.get(id(scope.get("endpoint")), OTHER)
            telemetry.requests[route].note(status, seconds)
