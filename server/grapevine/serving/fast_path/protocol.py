"""A short way for collect calls and short links: from uvicorn's HTTP parser to the answer, past ASGI.

Most of what these requests cost on the usual way is the ASGI cycle and routing, not their own work. This protocol takes
a POST to a collect path, and a GET of a short link that was followed a moment ago, when nothing about the request is
unusual; everything else it hands to uvicorn's own way. Both ways share the collect API and the making of responses, and
the web tests run through both: their answers are the same to the byte.
"""

from __future__ import annotations

from typing import Final

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from grapevine.collect.schemas import MAX_BODY
from grapevine.collect.user_agents import read_agent
from grapevine.domain.tokens import LENGTH
from grapevine.serving.fast_path.cycles import CollectCycle, FastCycle, RedirectCycle
from grapevine.serving.fast_path.timeouts import TimeoutProtocol
from grapevine.web.state import AppState

_UNUSUAL: Final = frozenset({b"expect", b"upgrade", b"transfer-encoding", b"authorization"})


class FastPathProtocol(TimeoutProtocol):
    """uvicorn's protocol with the short way; for ``uvicorn.Config(http=…)``."""

    def on_headers_complete(self) -> None:
        exchange = self._exchange()
        if exchange is None:
            self.make_scope()
            super().on_headers_complete()
        else:
            self.cycle = exchange  # type: ignore[assignment]  # has what the protocol asks of a cycle

    def on_body(self, body: bytes) -> None:
        exchange: object = self.cycle
        if isinstance(exchange, FastCycle):
            exchange.body += body
        else:
            super().on_body(body)

    def on_message_complete(self) -> None:
        exchange: object = self.cycle
        if isinstance(exchange, FastCycle):
            self.whole_request()
            exchange.start()
        else:
            super().on_message_complete()

    def _exchange(self) -> FastCycle | None:
        """The exchange of a request that may take the short way; None for all others."""
        state: AppState | None = self.app_state.get("app_state")
        before: FastCycle | RequestResponseCycle | None = self.cycle
        if state is None or not (before is None or before.response_complete) or self.limit_concurrency is not None:
            return None
        headers = dict(self.headers)
        unusual = len(headers) != len(self.headers) or not headers.keys().isdisjoint(_UNUSUAL)
        if unusual or headers.get(b"connection", b"keep-alive").lower() != b"keep-alive":
            return None
        if self.parser.get_http_version() != "1.1":
            return None
        method, length = self.parser.get_method(), headers.get(b"content-length")
        if method == b"POST" and length is not None and length.isdigit() and int(length) <= MAX_BODY:
            call = state.fast_path.collect_calls.get(self.url)
            return None if call is None else CollectCycle(self, state, headers, call)
        if method == b"GET" and length is None and self.url[:-LENGTH] in state.fast_path.link_prefixes:
            link = state.caches.redirects.get(self.url[-LENGTH:].decode("latin-1"))
            if link and not read_agent(headers.get(b"user-agent", b"").decode("latin-1")).preview:
                return RedirectCycle(self, link)
        return None
