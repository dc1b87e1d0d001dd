"""The transport of the tools: it sends nothing but reading calls of a closed list, and takes no endless answer.

It lies below every client, so it holds for a key of scope ``admin``, for what a client would ask by itself (paging,
retries, redirects) and for a tool that is written wrongly.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Final

from grapevine.errors import GrapevineError
from grapevine.http_client import URL, AsyncBaseTransport, AsyncByteStream, Request, Response

ALLOWED: Final = re.compile(
    r"/v1/(?:stats/(?:summary|series|breakdown|direct)|attribution|spikes|cascades(?:/[0-9A-Za-z]{11})?"
    r"|links/summary|tokens/[0-9A-Za-z]{23}|export/answers)",
    re.ASCII,
)
"""The paths that may be got. No other method is sent at all."""

MOST_BYTES: Final = 8_000_000
"""Of an answer. The largest that a tool asks for is a cascade: at most 50,000 visits of 150 bytes."""


class CallNotAllowed(GrapevineError):
    """A call that no tool may make; it was not sent."""


class AnswerTooLarge(GrapevineError):
    """An answer that is longer than any that a tool can use."""


class ReadOnlyTransport(AsyncBaseTransport):
    """Sends ``GET`` of the paths in ``ALLOWED`` below ``url`` alone. Raises CallNotAllowed and AnswerTooLarge."""

    def __init__(self, url: str, below: AsyncBaseTransport) -> None:
        self._base = URL(url)
        self._below = below

    async def handle_async_request(self, request: Request) -> Response:
        """Sends one request, if it is allowed."""
        path = request.url.raw_path.partition(b"?")[0].decode("ascii", "replace")
        below = path.removeprefix(self._base.path.rstrip("/"))
        if request.method != "GET" or _origin(request.url) != _origin(self._base) or not ALLOWED.fullmatch(below):
            raise CallNotAllowed(f"{request.method} {path} is no call of these tools, which only read")
        request.headers["Accept-Encoding"] = "identity"  # a compressed answer may be a thousand times as long
        response = await self._below.handle_async_request(request)
        if response.headers.get("Content-Encoding", "identity") != "identity":
            await response.aclose()
            raise AnswerTooLarge("the server sent a compressed answer, which was not asked for")
        assert isinstance(response.stream, AsyncByteStream)  # noqa: S101
        response.stream = _Bounded(response.stream)
        return response

    async def aclose(self) -> None:
        """Closes all connections."""
        await self._below.aclose()


def _origin(url: URL) -> tuple[str, bytes]:
    return url.scheme, url.netloc


class _Bounded(AsyncByteStream):
    """The body of a response, up to ``MOST_BYTES``."""

    def __init__(self, stream: AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        length = 0
        async for piece in self._stream:
            length += len(piece)
            if length > MOST_BYTES:
                raise AnswerTooLarge(f"the server's answer is longer than {MOST_BYTES // 1_000_000} MB")
            yield piece

    async def aclose(self) -> None:
        """Closes the body."""
        await self._stream.aclose()
