"""The middlewares for a publisher's own app: ``grapevine.asgi.Unfurls`` and ``grapevine.wsgi.Unfurls``.

No web framework and no server is loaded: an app of any kind runs them.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, Final, Generic, TypeVar

from grapevine.config.logging import Seldom
from grapevine.unfurl_reports.reporter import Reporter

Message = MutableMapping[str, Any]
AsgiApp = Callable[[Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]]
WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
App = TypeVar("App", AsgiApp, WsgiApp)

Facts = tuple[str, str, str]
"""The method of a request, its query and its user agent."""

log = logging.getLogger(__name__)
log.addFilter(Seldom())

_AGENT: Final = b"user-agent"


class UnfurlMiddleware(Generic[App]):
    """Passes every request on to ``app`` as it is, and reports those for a page with a share token in its query that
    come from a preview robot or an assistant.

    ``server`` is the address of your Grapevine, ``key`` an API key of scope ``write``, ``site`` the site's public key
    where the API key is for several, ``param`` the name of the token in your addresses. ``allow_http`` lets the key go
    to another machine unencrypted. Raises ClientSettingError.
    """

    def __init__(
        self,
        app: App,
        *,
        server: str,
        key: str,
        site: str | None = None,
        param: str = "gv",
        allow_http: bool = False,
    ) -> None:
        self.app: App = app
        self._reporter = Reporter(server, key, site=site, param=param, allow_http=allow_http)

    def __repr__(self) -> str:
        return f"<Unfurls {self._reporter!r}>"

    def close(self) -> None:
        """Reports what has been noted, for at most two seconds. An app need not call it: the end of a process does."""
        self._reporter.close()

    def _try_to_note(self, request: Message) -> None:
        try:
            self._reporter.note(*self._facts(request))
        except Exception as error:  # an app's response does not depend on it
            log.warning("a request could not be noted: %s", type(error).__name__)

    def _facts(self, request: Message) -> Facts:
        raise NotImplementedError


class AsgiUnfurls(UnfurlMiddleware[AsgiApp]):
    __doc__ = UnfurlMiddleware.__doc__

    async def __call__(
        self, scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        """Serves a request."""
        if scope["type"] == "http" and scope.get("query_string"):
            self._try_to_note(scope)
        await self.app(scope, receive, send)

    def _facts(self, request: Message) -> Facts:
        agent = next((value for name, value in request["headers"] if name == _AGENT), b"")
        return request["method"], request["query_string"].decode("latin-1"), agent.decode("latin-1")


class WsgiUnfurls(UnfurlMiddleware[WsgiApp]):
    __doc__ = UnfurlMiddleware.__doc__

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Serves a request."""
        if environ.get("QUERY_STRING"):
            self._try_to_note(environ)
        return self.app(environ, start_response)

    def _facts(self, request: Message) -> Facts:
        return request["REQUEST_METHOD"], request["QUERY_STRING"], request.get("HTTP_USER_AGENT", "")
