"""What an attempt means that failed: the exception for it, and whether it may be repeated."""

from __future__ import annotations

import ssl
from http import HTTPStatus
from typing import Final

import httpx
import msgspec

from grapevine import __version__
from grapevine.api_schemas.problems import ProblemBody
from grapevine.client.call import Operated
from grapevine.client.errors import ClientError, ConnectionFailed, TimedOut, UnexpectedAnswer, error_class
from grapevine.client.retry import TEMPORARY, Failure, seconds_of
from grapevine.domain.printable import printable
from grapevine.errors import FieldError

_SHOWN: Final = 80


def refused(url: str, operation: Operated, response: httpx.Response, body: bytes) -> Failure:
    """Returns what an answer means that is no success."""
    status = response.status_code
    is_temporary = status in TEMPORARY
    retry_after = seconds_of(response.headers.get("retry-after"), response.headers.get("date"))
    is_unsent = status == HTTPStatus.TOO_MANY_REQUESTS or (
        status == HTTPStatus.SERVICE_UNAVAILABLE and retry_after is not None
    )
    return Failure(
        _problem(url, operation, response, body, retry_after),
        is_temporary=is_temporary,
        is_unsent=is_unsent,
        retry_after=retry_after,
    )


def _problem(
    url: str, operation: Operated, response: httpx.Response, body: bytes, retry_after: float | None
) -> ClientError:
    status = response.status_code
    if response.is_redirect:
        where = response.headers.get("location", "")[:_SHOWN]
        return UnexpectedAnswer(
            f"{url} sends {operation.name} on to {where!r}, where the key is not sent. "
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
        printable(f"{problem.detail} ({status} {problem.code}, {operation.name})"),
        status=status,
        code=problem.code,
        detail=problem.detail,
        errors=tuple(FieldError(each.field, each.detail) for each in problem.errors),
        retry_after=retry_after,
    )


def broken(url: str, operation: Operated, error: httpx.HTTPError, seconds: float) -> Failure:
    """Returns what an error of the connection means."""
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


def unreadable(url: str, operation: Operated, status: int, body: bytes, error: ValueError) -> UnexpectedAnswer:
    """Returns the exception for an answer that is none of this API's."""
    shown = f" It begins {_shown(body)}." if body else ""
    return UnexpectedAnswer(
        f"The answer to {operation.name} is none that this client ({__version__}) knows: {error}. Is "
        f"{url} a Grapevine server of the same version?{shown}",
        status=status,
    )


def _tls_error(error: BaseException | None) -> ssl.SSLError | None:
    while error is not None and not isinstance(error, ssl.SSLError):
        error = error.__cause__ or error.__context__
    return error


def _shown(body: bytes) -> str:
    return repr(body[:_SHOWN].decode("utf-8", "replace"))
