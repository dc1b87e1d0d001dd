"""The hosts that a PostgreSQL URL names, tried in turn, each with a timeout of its own.

asyncpg has one timeout for all hosts, so that an unresponsive host would leave no time for the next one; and it does
not try the next host when a starting server refuses the connection.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

import asyncpg


class Hosts:
    """Connects to the first host that can be used, beginning with the one that was used last."""

    def __init__(self, url: str) -> None:
        self._urls = urls_of(url)

    async def connect(self, *_: Any, **arguments: Any) -> asyncpg.Connection:
        """Returns a connection made by ``asyncpg.connect`` with these arguments. Raises the last host's error."""
        for number, url in enumerate(list(self._urls), start=1):
            try:
                connection: asyncpg.Connection = await asyncpg.connect(url, **arguments)
            except (
                OSError,
                asyncpg.PostgresConnectionError,
                asyncpg.CannotConnectNowError,
                asyncpg.TargetServerAttributeNotMatched,
            ):
                if number == len(self._urls):
                    raise
            else:
                self._urls.remove(url)
                self._urls.insert(0, url)
                return connection
        raise AssertionError("a URL names one host at least")


def urls_of(url: str) -> list[str]:
    """Returns a URL for each host of ``url``, named before its path or as ``host=`` (libpq's connection URIs)."""
    parts = urlsplit(url)
    user, at, named = parts.netloc.rpartition("@")
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    hosts = (named or query.get("host", "")).split(",")
    ports = query.get("port", "").split(",")
    if len(ports) == 1:
        ports *= len(hosts)
    if len(hosts) == 1 or len(ports) != len(hosts):
        return [url]
    found = []
    for host, port in zip(hosts, ports, strict=True):
        own = query | ({"port": port} if port else {}) | ({} if named else {"host": host})
        netloc = f"{user}{at}{host}" if named else parts.netloc
        found.append(urlunsplit(parts._replace(netloc=netloc, query=urlencode(own, safe="/", quote_via=quote))))
    return found
