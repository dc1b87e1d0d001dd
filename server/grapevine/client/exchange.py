"""How a call is made: sent, sent again where that does no harm, read, or turned into an exception.

Written once for both clients (see ``ways``).
"""

from __future__ import annotations

import platform
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from http import HTTPStatus
from typing import Any, Final, NamedTuple, TypeVar

import httpx
import msgspec
from msgspec.structs import replace

from grapevine import __version__
from grapevine.client.address import Address
from grapevine.client.call import (
    ALWAYS_REPEATABLE,
    Call,
    Feed,
    Listed,
    Operated,
    PagedList,
    Stream,
    no_answer,
    query_text,
    target,
)
from grapevine.client.errors import ClientError, ConnectionFailed, NotFoundError, UnexpectedAnswer
from grapevine.client.failures import broken, refused, unreadable
from grapevine.client.limits import MOST_BODY
from grapevine.client.live import EventStreamReader
from grapevine.client.retry import TEMPORARY, Failure, Retries
from grapevine.client.unpacking import ACCEPTED
from grapevine.client.ways import Http

USER_AGENT: Final = f"grapevine-client/{__version__} (Python {platform.python_version()}; httpx {httpx.__version__})"
CONNECT_SECONDS: Final = 5.0
EVENT_STREAM: Final = "text/event-stream"
FEED_PATIENCE: Final = 300.0
"""Seconds: so long the server keeps what a reader misses."""
FEED_PAUSE: Final = 3.0

Item = TypeVar("Item")
Taken = TypeVar("Taken")


class WholeAnswer(NamedTuple):
    """A whole answer: its status, its body, and where its ``Link`` to the next page leads."""

    status: int
    body: bytes
    next: str | None


class Exchange:
    """Makes the calls of one client."""

    def __init__(
        self,
        http: Http,
        address: Address,
        *,
        site: str | None,
        timeout: float,
        retries: Retries,
        clock: Callable[[], float],
        random: Callable[[], float],
    ) -> None:
        self._http = http
        self._address = address
        self._site = site
        self._timeout = timeout
        self._retries = retries
        self._clock = clock
        self._random = random

    async def close(self) -> None:
        """Closes every connection."""
        await self._http.close()

    async def result(self, operation: Operated, call: Call[Taken]) -> Taken:
        """Returns the result of a call. Raises ClientError."""
        result, _ = await self._result(operation, call)
        return result

    async def _result(self, operation: Operated, call: Call[Taken]) -> tuple[Taken, str | None]:
        """Returns the result of a call, and the target of the link to the next page."""

        async def whole(response: httpx.Response, seconds: float) -> WholeAnswer:
            body = await self._body(operation, response, seconds)
            await self._http.end(response)
            return WholeAnswer(response.status_code, body, response.links.get("next", {}).get("url"))

        gone = WholeAnswer(HTTPStatus.NO_CONTENT, b"", None) if call.read is no_answer else None
        answer = await self._answered(operation, call, whole, gone)
        try:
            return call.read(answer.body), answer.next
        except ValueError as error:
            raise unreadable(self._address.url, operation, answer.status, answer.body, error) from error

    def items(self, operation: Operated, listed: Listed) -> AsyncGenerator[Any, None]:
        """Yields the items of a list, of a streamed answer or of a feed. Raises ClientError."""
        if isinstance(listed, PagedList):
            return self.pages(operation, listed)
        if isinstance(listed, Feed):
            return self.feed(operation, listed)
        return self.stream(operation, listed)

    async def pages(self, operation: Operated, pages: PagedList[Any, Item]) -> AsyncGenerator[Item, None]:
        """Yields the items of a list, a page at a time. Raises ClientError."""
        cursor: str | None = None
        while True:
            page, link = await self._result(operation, pages.at(cursor))
            for item in pages.items(page):
                yield item
            following = pages.next(page, link)
            if following is None:
                return
            if following == cursor:
                raise UnexpectedAnswer(f"The list of {operation.name} goes round in a circle.", status=HTTPStatus.OK)
            cursor = following

    async def stream(self, operation: Operated, stream: Stream[Item]) -> AsyncGenerator[Item, None]:
        """Yields the items of a streamed answer while it comes. Raises ClientError."""
        response = await self._answered(operation, stream.call, _opened, is_streamed=True)
        try:
            async with aclosing(self.pieces(operation, stream.call, response)) as pieces:
                async for item in stream.items(pieces):
                    yield item
        except ValueError as error:
            raise unreadable(self._address.url, operation, response.status_code, b"", error) from error
        except EOFError:
            text = f"The answer to {operation.name} ended before it was complete."
            raise ConnectionFailed(text, is_unsent=False) from None
        finally:
            await self._http.end(response)

    async def feed(self, operation: Operated, feed: Feed[Item]) -> AsyncGenerator[Item, None]:
        """Yields the items of a feed, and connects again whenever it breaks. Raises ClientError.

        Raises ConnectionFailed when it could not connect, or nothing came, for ``FEED_PATIENCE`` seconds.
        """
        patient = replace(self._retries, attempts=sys.maxsize, patience=FEED_PATIENCE)
        reader, lively = EventStreamReader(feed.after), self._clock()
        while True:
            call = feed.at(reader.last_id)
            response = await self._answered(operation, call, _opened, is_streamed=True, retries=patient)
            reader, known = EventStreamReader(reader.last_id), reader.last_id
            lost = ConnectionFailed(f"{operation.name} ends again and again.", is_unsent=False)
            try:
                if not response.headers.get("content-type", "").startswith(EVENT_STREAM):
                    raise ValueError(f"it is no {EVENT_STREAM}")
                async with aclosing(self.pieces(operation, call, response)) as pieces:
                    async for piece in pieces:
                        for event in reader.read(piece):
                            if (item := feed.read(event)) is not None:
                                yield item
            except ConnectionFailed as error:
                lost = error
            except ValueError as error:
                raise unreadable(self._address.url, operation, response.status_code, b"", error) from error
            finally:
                await self._http.end(response)
            if reader.last_id != known:
                lively = self._clock()
            elif self._clock() - lively > FEED_PATIENCE:
                raise lost
            pause = FEED_PAUSE if reader.retry is None else reader.retry
            await self._http.sleep(pause * (0.5 + self._random()))  # not all readers of a server at once

    async def pieces(
        self, operation: Operated, call: Call[Any], response: httpx.Response
    ) -> AsyncGenerator[bytes, None]:
        """Yields the body of ``response`` as it comes. Raises ConnectionFailed."""
        try:
            async with aclosing(self._http.pieces(response)) as pieces:
                async for piece in pieces:
                    if piece:
                        yield piece
        except httpx.HTTPError as error:
            raise broken(self._address.url, operation, error, self._silence(call)).error from error

    async def _answered(
        self,
        operation: Operated,
        call: Call[Any],
        take: Callable[[httpx.Response, float], Awaitable[Taken]],
        gone: Taken | None = None,
        *,
        is_streamed: bool = False,
        retries: Retries | None = None,
    ) -> Taken:
        """Returns what ``take`` makes of a successful response; tries again as ``Retries`` says.

        ``gone`` is the result of a deletion that was repeated because its first answer was lost, and finds nothing.
        """
        retries = retries or self._retries
        begun, tried, in_doubt = self._clock(), 0, False
        is_repeatable = call.is_repeatable or operation.method in ALWAYS_REPEATABLE
        left = retries.patience
        while True:
            seconds = self._silence(call) if is_streamed else min(self._silence(call), left)
            outcome = await self._attempt(operation, call, take, left, seconds)
            if not isinstance(outcome, Failure):
                return outcome
            tried += 1
            if (
                gone is not None
                and in_doubt
                and operation.method == "DELETE"
                and isinstance(outcome.error, NotFoundError)
            ):
                return gone
            in_doubt |= outcome.is_temporary and not outcome.is_unsent
            left = retries.patience - (self._clock() - begun)
            pause = retries.pause(outcome, is_repeatable=is_repeatable, tried=tried, left=left, random=self._random)
            if pause is None:
                raise outcome.error
            await self._http.sleep(pause)
            left = retries.patience - (self._clock() - begun)
            if left <= 0:  # the pause took longer than it should
                raise outcome.error

    async def _attempt(
        self,
        operation: Operated,
        call: Call[Any],
        take: Callable[[httpx.Response, float], Awaitable[Taken]],
        left: float,
        seconds: float,
    ) -> Taken | Failure:
        """Sends a call once. Returns what ``take`` makes of a successful response, else what went wrong.

        All of it may take ``left`` seconds, and each piece of the answer ``seconds``.
        """
        request = self._request(operation, call, httpx.Timeout(seconds, connect=min(CONNECT_SECONDS, left)))
        response = None
        is_taken = False
        try:
            response = await self._http.send(request)
            if response.is_success:
                taken = await take(response, left)
                is_taken = True
                return taken
            return refused(self._address.url, operation, response, await self._body(operation, response, left))
        except httpx.HTTPError as error:
            failure = broken(self._address.url, operation, error, seconds)
            failure.error.__cause__ = error
            return failure
        except ClientError as error:  # of the body; a refusal that cannot be read is still one
            is_temporary = response is not None and response.status_code in TEMPORARY
            return Failure(error, is_temporary=is_temporary, is_unsent=False)
        finally:
            if response is not None and not is_taken:
                await self._http.end(response)

    def _silence(self, call: Call[Any]) -> float:
        """How many seconds the server may be silent."""
        return max(self._timeout, call.least_timeout)

    def _request(self, operation: Operated, call: Call[Any], timeout: httpx.Timeout) -> httpx.Request:
        query = {name: query_text(value) for name, value in call.query.items() if value is not None}
        if self._site is not None and not call.is_for_server:
            query["site"] = self._site
        headers = {
            "Accept": "application/json",
            "Accept-Encoding": ACCEPTED,
            "Authorization": f"Bearer {self._address.key}",
            "User-Agent": USER_AGENT,
            **call.headers,
        }
        content = None
        if call.body is not None:
            content = msgspec.json.encode(call.body)
            headers["Content-Type"] = "application/json"
        return httpx.Request(
            operation.method,
            self._address.url + target(operation, call),
            params=query,
            headers=headers,
            content=content,
            extensions={"timeout": timeout.as_dict()},
        )

    async def _body(self, operation: Operated, response: httpx.Response, seconds: float) -> bytes:
        """Returns the whole body, which may take that long. Raises UnexpectedAnswer for one that is too long, or packed
        in a way that was not asked for."""
        end = self._clock() + seconds
        body = bytearray()
        too_long = f"The answer to {operation.name} has more than {MOST_BODY >> 20} MiB; none of this API has."
        try:
            async with aclosing(self._http.pieces(response)) as pieces:
                async for piece in pieces:
                    body += piece
                    if len(body) > MOST_BODY:
                        raise UnexpectedAnswer(too_long, status=response.status_code)
                    if self._clock() > end:
                        raise httpx.ReadTimeout("the answer came too slowly", request=response.request)
        except ValueError as error:
            raise unreadable(self._address.url, operation, response.status_code, b"", error) from error
        return bytes(body)


async def _opened(response: httpx.Response, _: float) -> httpx.Response:
    return response
