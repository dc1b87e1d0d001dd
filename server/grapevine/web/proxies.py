"""Trusted proxies: ``X-Forwarded-For`` counts only from the proxies that the settings name."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.types import ASGIApp
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware


class Proxies:
    """The trusted proxies (addresses or networks). Without any, the peer of the connection is the client."""

    def __init__(self, trusted: Sequence[str]) -> None:
        self._trusted = list(trusted)
        # uvicorn's own parser of the header, so that ASGI and the fast path agree.
        self._hosts = ProxyHeadersMiddleware(_no_app, self._trusted).trusted_hosts if trusted else None

    def around(self, app: ASGIApp) -> ASGIApp:
        """Returns the application with the client's address and scheme taken from trusted proxies."""
        if not self._trusted:
            return app
        return ProxyHeadersMiddleware(app, self._trusted)  # type: ignore[arg-type,return-value]

    def trusts(self, peer: str) -> bool:
        """Returns whether ``peer`` is a trusted proxy."""
        return self._hosts is not None and peer in self._hosts

    def client(self, peer: str, forwarded_for: str) -> str:
        """Returns the client's address for a request from ``peer`` with that ``X-Forwarded-For``."""
        if self._hosts is None or not forwarded_for or not self.trusts(peer):
            return peer
        return self._hosts.get_trusted_client_address(forwarded_for)[0] or peer


async def _no_app(*_: object) -> None:
    """A placeholder: the middleware is used for its parser only."""
