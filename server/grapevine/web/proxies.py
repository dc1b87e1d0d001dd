"""Whose word about the client's address is taken: that of proxies the settings name, and of nobody else."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.types import ASGIApp
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware


class Proxies:
    """The trusted proxies (addresses or networks); with none of them every peer speaks for itself."""

    def __init__(self, trusted: Sequence[str]) -> None:
        self._trusted = list(trusted)
        # uvicorn's own reading of the header, for both ways of a request.
        self._hosts = ProxyHeadersMiddleware(_no_app, self._trusted).trusted_hosts if trusted else None

    def around(self, app: ASGIApp) -> ASGIApp:
        """The application, told the client's address and scheme by trusted proxies."""
        if not self._trusted:
            return app
        return ProxyHeadersMiddleware(app, self._trusted)  # type: ignore[arg-type,return-value]

    def client(self, peer: str, forwarded_for: str) -> str:
        """The client's address behind ``peer``, which sent that ``X-Forwarded-For``."""
        if self._hosts is None or not forwarded_for or peer not in self._hosts:
            return peer
        return self._hosts.get_trusted_client_address(forwarded_for)[0] or peer


async def _no_app(*_: object) -> None:
    """Stands where an application has to be named."""
