"""The fast path for collect calls and short links: from uvicorn's HTTP parser to the response, past ASGI.

Through ASGI, most of what these requests cost is uvicorn's request cycle and routing, not their own work. This protocol
takes a POST to a collect path, and a GET of a short link that was followed a moment ago, when nothing about the request
is unusual; everything else goes through ASGI. Both ways share the collect API and the making of responses, and the web
tests run through both: their responses are the same to the byte.
"""

from __future__ import annotations

from typing import Final

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from grapevine.collect.schemas import MAX_BODY
from grapevine.collect.user_agents import read_agent
from grapevine.domain.tokens import LENGTH
from grapevine.serving.fast_path.bounds import BoundedProtocol
from grapevine.serving.fast_path.cycles import CollectCycle, FastCycle, RedirectCycle
from grapevine.serving.fast_path.limits import MAX_HEAD, MAX_HEADERS, MAX_URL, PIECE
from grapevine.web.answer_headers import is_usable_host
from grapevine.web.state import AppState

# ``expect`` needs an interim response, ``upgrade`` another protocol, ``transfer-encoding`` a body of unknown length,
# ``authorization`` a look at API keys: uvicorn and the routes behind ASGI do all of these already.
_UNUSUAL: Final = frozenset({b"expect", b"upgrade", b"transfer-encoding", b"authorization"})

_LENGTH_DIGITS: Final = len(str(MAX_BODY))
_SURE_HEAD: Final = MAX_HEAD - PIECE
"""Up to here a head is within its bound, wherever it began in its first piece."""


class FastPathProtocol(BoundedProtocol):
    """uvicorn's protocol with the fast path; for ``uvicorn.Config(http=…)``."""

    _usable_host: bytes | None = None
    """The last ``Host`` of this connection that was usable: browsers send the same one each time."""

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        if len(self.url) > MAX_URL or len(self.headers) > MAX_HEADERS or self.besides_body > _SURE_HEAD:
            self.check_head()
        cycle = self._fast_cycle()
        if cycle is None:
            self.make_scope()
            super().on_headers_complete()
        else:
            self.running = self.cycle = cycle  # type: ignore[assignment]  # has the attributes that the protocol uses
            if cycle.length:
                self.begin_body(cycle.length)

    def on_body(self, body: bytes) -> None:
        cycle: object = self.cycle
        if isinstance(cycle, FastCycle):
            self.besides_body -= len(body)
            self.body_left -= len(body)
            cycle.body += body
        else:
            super().on_body(body)

    def on_message_complete(self) -> None:
        cycle: object = self.cycle
        if isinstance(cycle, FastCycle):
            self.whole_request()
            cycle.start()
        else:
            super().on_message_complete()

    def _fast_cycle(self) -> FastCycle | None:
        """Returns the cycle of a request that takes the fast path; None for one that goes through ASGI.

        The fast path writes one response to one request that is here as a whole. So it declines
        - before the application has started, and under uvicorn's concurrency limit, which answers 503 itself;
        - a pipelined request: uvicorn's queue keeps the order of responses;
        - repeated headers, and ``_UNUSUAL`` ones: their rules are Starlette's and uvicorn's;
        - a missing or malformed ``Host``, which the application refuses;
        - HTTP/1.0 and ``Connection: close``: uvicorn knows when to close;
        - a body without a length, or too long: the request body's reader refuses it;
        - a path with a query, and a link preview's robot, whose visit is recorded: the routes do both;
        - a short link of a network that asks too often: the route makes the refusal.
        """
        state: AppState | None = self.app_state.get("app_state")
        before: FastCycle | RequestResponseCycle | None = self.cycle
        if state is None or not (before is None or before.response_complete) or self.limit_concurrency is not None:
            return None
        headers = dict(self.headers)
        if len(headers) != len(self.headers) or not _UNUSUAL.isdisjoint(headers):
            return None
        host, connection = headers.get(b"host"), headers.get(b"connection")
        if host is None or host != self._usable_host:
            if not is_usable_host(host):
                return None
            self._usable_host = host
        if connection is not None and connection.lower() != b"keep-alive":
            return None
        if self.parser.get_http_version() != "1.1":
            return None
        method, length = self.parser.get_method(), headers.get(b"content-length")
        if method == b"POST" and length is not None and len(length) <= _LENGTH_DIGITS and int(length) <= MAX_BODY:
            call = state.fast_path.collect_calls.get(self.url)
            return None if call is None else CollectCycle(self, state, headers, call, int(length))
        if method == b"GET" and length is None and self.url[:-LENGTH] in state.fast_path.link_prefixes:
            link = state.caches.redirects.get(self.url[-LENGTH:].decode("latin-1"))
            if not link or read_agent(headers.get(b"user-agent", b"").decode("latin-1")).preview:
                return None
            if state.rate_limit.is_on and self._asks_too_often(state, headers):
                return None
            return RedirectCycle(self, state, link)
        return None

    def _asks_too_often(self, state: AppState, headers: dict[bytes, bytes]) -> bool:
        address, forwarded = self.client[0] if self.client else "", headers.get(b"x-forwarded-for")
        if forwarded is not None:
            address = state.proxies.client(address, forwarded.decode("latin-1"))
        return state.rate_limit.page_call(address, state.clock()) > 0
