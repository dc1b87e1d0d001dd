"""How a call is made: sent, sent again where that does no harm, read, or turned into an exception.

Written once for both clients (see ``ways``).
"""

from __future__ import annotations

import platform
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from http import HTTPStatus
from typing import Any, Final, NamedTuple, NoReturn, TypeVar

import httpx
import msgspec

from grapevine import __version__
from grapevine.api_schemas.problems import ProblemBody
from grapevine.client.address import Address
from grapevine.client.call import ALWAYS_REPEATABLE, Call, Operated, PagedList, Stream, query_text, target
from grapevine.client.errors import (
    ClientError,
    ConnectionFailed,
    NotFoundError,
    TimedOut,
    UnexpectedAnswer,
    error_class,
)
from grapevine.client.retry import TEMPORARY, Failure, Retries, seconds_of
from grapevine.client.ways import Http
from grapevine.errors import FieldError

USER_AGENT: Final = f"grapevine-client/{__version__} (Python {platform.python_version()}; httpx {httpx.__version__})"
CONNECT_SECONDS: Final = 5.0
MOST_BODY: Final = 64 << 20
"""Bytes of an answer that is not streamed; the largest, a cascade of 50,000 visits, is some 10 MiB."""
_SHOWN: Final = 80

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

        answer = await self._answered(operation, call, whole, gone=WholeAnswer(HTTPStatus.NO_CONTENT, b"", None))
        try:
            return call.read(answer.body), answer.next
        except ValueError as error:
            self._unreadable(operation, answer.status, answer.body, error)

    def items(self, operation: Operated, listed: PagedList[Any, Item] | Stream[Item]) -> AsyncIterator[Item]:
        """Yields the items of a list, or of a streamed answer. Raises ClientError."""
        if isinstance(listed, PagedList):
            return self.pages(operation, listed)
        return self.stream(operation, listed)

    async def pages(self, operation: Operated, pages: PagedList[Any, Item]) -> AsyncIterator[Item]:
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

    async def stream(self, operation: Operated, stream: Stream[Item]) -> AsyncIterator[Item]:
        """Yields the items of a streamed answer while it comes. Raises ClientError."""

        async def opened(response: httpx.Response, _: float) -> httpx.Response:
            return response

        response = await self._answered(operation, stream.call, opened)
        try:
            async with aclosing(self.pieces(operation, response)) as pieces:
                async for item in stream.items(pieces):
                    yield item
        except ValueError as error:
            self._unreadable(operation, response.status_code, b"", error)
        except EOFError:
            text = f"The answer to {operation.name} ended before it was complete."
            raise ConnectionFailed(text, is_unsent=False) from None
        finally:
            await self._http.end(response)

    async def pieces(self, operation: Operated, response: httpx.Response) -> AsyncGenerator[bytes, None]:
        """Yields the body of ``response`` as it comes. Raises ConnectionFailed."""
        try:
            async with aclosing(self._http.pieces(response)) as pieces:
                async for piece in pieces:
                    yield piece
        except httpx.HTTPError as error:
            raise self._broken(operation, error, self._timeout).error from error

    async def _answered(
        self,
        operation: Operated,
        call: Call[Any],
        take: Callable[[httpx.Response, float], Awaitable[Taken]],
        gone: Taken | None = None,
    ) -> Taken:
        """Returns what ``take`` makes of a successful response; tries again as ``Retries`` says.

        ``gone`` is the result of a deletion that was repeated because its first answer was lost, and finds nothing.
        """
        begun, tried, in_doubt = self._clock(), 0, False
        is_repeatable = call.is_repeatable or operation.method in ALWAYS_REPEATABLE
        left = self._retries.patience
        while True:
            outcome = await self._attempt(operation, call, take, left)
            if not isinstance(outcome, Failure):
                return outcome
            tried += 1
            if gone is not None and in_doubt and operation.method == "DELETE" and is_not_found(outcome.error):
                return gone
            in_doubt |= outcome.is_temporary and not outcome.is_unsent
            left = self._retries.patience - (self._clock() - begun)
            pause = self._retries.pause(
                outcome, is_repeatable=is_repeatable, tried=tried, left=left, random=self._random
            )
            if pause is None:
                raise outcome.error
            await self._http.sleep(pause)
            left = self._retries.patience - (self._clock() - begun)
            if left <= 0:  # the pause took longer than it should
                raise outcome.error

    async def _attempt(
        self,
        operation: Operated,
        call: Call[Any],
        take: Callable[[httpx.Response, float], Awaitable[Taken]],
        left: float,
    ) -> Taken | Failure:
        """Sends a call once. Returns what ``take`` makes of a successful response, else what went wrong."""
        seconds = min(self._timeout, left)
        request = self._request(operation, call, httpx.Timeout(seconds, connect=min(CONNECT_SECONDS, left)))
        response = None
        is_taken = False
        try:
            response = await self._http.send(request)
            if response.is_success:
                taken = await take(response, left)
                is_taken = True
                return taken
            return self._refused(operation, response, await self._body(operation, response, left))
        except httpx.HTTPError as error:
            return self._broken(operation, error, seconds)
        except ClientError as error:
            return Failure(error, is_temporary=False, is_unsent=False)
        finally:
            if response is not None and not is_taken:
                await self._http.end(response)

    def _request(self, operation: Operated, call: Call[Any], timeout: httpx.Timeout) -> httpx.Request:
        query = {name: query_text(value) for name, value in call.query.items() if value is not None}
        if self._site is not None and not call.is_for_server:
            query["site"] = self._site
        headers = {
            "Accept": "application/json",
            "Accept-Encoding": "gzip, deflate",
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
        """Returns the whole body, which may take that long. Raises UnexpectedAnswer for one that is too long."""
        end = self._clock() + seconds
        body = bytearray()
        async with aclosing(self._http.pieces(response)) as pieces:
            async for piece in pieces:
                body += piece
                if len(body) > MOST_BODY:
                    raise UnexpectedAnswer(
                        f"The answer to {operation.name} has more than {MOST_BODY >> 20} MiB; none of this API has.",
                        status=response.status_code,
                    )
                if self._clock() > end:
                    raise httpx.ReadTimeout("the answer came too slowly", request=response.request)
        return bytes(body)

    def _refused(self, operation: Operated, response: httpx.Response, body: bytes) -> Failure:
        """Returns what an answer means that is no success."""
        status = response.status_code
        is_temporary = status in TEMPORARY
        retry_after = seconds_of(response.headers.get("retry-after"), response.headers.get("date"))
        is_unsent = status == HTTPStatus.TOO_MANY_REQUESTS or (
            status == HTTPStatus.SERVICE_UNAVAILABLE and retry_after is not None
        )
        return Failure(
            self._problem(operation, response, body, retry_after),
            is_temporary=is_temporary,
            is_unsent=is_unsent,
            retry_after=retry_after,
        )

    def _problem(
        self, operation: Operated, response: httpx.Response, body: bytes, retry_after: float | None
    ) -> ClientError:
        status = response.status_code
        if response.is_redirect:
            where = response.headers.get("location", "")[:_SHOWN]
            return UnexpectedAnswer(
                f"{self._address.url} sends {operation.name} on to {where!r}, where the key is not sent. "
                "If that is your server, give its address to the client.",
                status=status,
            )
        try:
            problem = msgspec.json.decode(body, type=ProblemBody)
        except ValueError:
            return UnexpectedAnswer(
                f"The answer to {operation.name} has status {status} and does not come from Grapevine, but from "
                f"something in front of it, or from another server: {_shown(body)}.",
                status=status,
            )
        return error_class(status, problem.code)(
            f"{problem.detail} ({status} {problem.code}, {operation.name})",
            status=status,
            code=problem.code,
            detail=problem.detail,
            errors=tuple(FieldError(each.field, each.detail) for each in problem.errors),
            retry_after=retry_after,
        )

    def _broken(self, operation: Operated, error: httpx.HTTPError, seconds: float) -> Failure:
        """Returns what an error of the connection means."""
        url = self._address.url
        if isinstance(error, httpx.ConnectTimeout | httpx.PoolTimeout):
            text = f"{url} could not be reached in time. Is the server running, and is that its address?"
            return Failure(TimedOut(text, is_unsent=True), is_temporary=True, is_unsent=True)
        if isinstance(error, httpx.ConnectError):
            if tls := _tls_error(error):
                text = f"{url} has a certificate that is not trusted: {tls}."
                return Failure(ConnectionFailed(text, is_unsent=True), is_temporary=False, is_unsent=True)
            text = f"{url} cannot be reached ({error}). Is the server running, and is that its address?"
            return Failure(ConnectionFailed(text, is_unsent=True), is_temporary=True, is_unsent=True)
        doubt = "" if operation.method == "GET" else " Whether the call took effect is not known."
        if isinstance(error, httpx.TimeoutException):
            text = f"{url} did not answer {operation.name} within {seconds:.0f} seconds.{doubt}"
            return Failure(TimedOut(text, is_unsent=False), is_temporary=True, is_unsent=False)
        text = f"The connection broke before the whole answer to {operation.name} had come ({error}).{doubt}"
        return Failure(ConnectionFailed(text, is_unsent=False), is_temporary=True, is_unsent=False)

    def _unreadable(self, operation: Operated, status: int, body: bytes, error: ValueError) -> NoReturn:
        shown = f" It begins {_shown(body)}." if body else ""
        raise UnexpectedAnswer(
            f"The answer to {operation.name} is none that this client ({__version__}) knows: {error}. Is "
            f"{self._address.url} a Grapevine server of the same version?{shown}",
            status=status,
        ) from error


def is_not_found(error: ClientError) -> bool:
    """Whether the server said that there is nothing of that name."""
    return isinstance(error, NotFoundError)


def _tls_error(error: BaseException | None) -> ssl.SSLError | None:
    while error is not None and not isinstance(error, ssl.SSLError):
        error = error.__cause__ or error.__context__
    return error


def _shown(body: bytes) -> str:
    return repr(body[:_SHOWN].decode("utf-8", "replace"))
