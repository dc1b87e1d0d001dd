"""The exceptions of the client.

ClientError
├── ClientSettingError      the address or the key cannot be used                     nothing was sent
├── ConnectionFailed        no whole answer came
│   └── TimedOut            … in the time that it may take
├── UnexpectedAnswer        an answer that is none of this API's: a proxy, a redirect, another version
└── ApiError                the server refused the call; one class for each status and code that it may give
    ├── BadRequestError 400 (NotATokenError) · UnauthorizedError 401 · ForbiddenError 403
    ├── NotFoundError 404 (UnknownSiteError, UnknownVisitError) · ConflictError 409
    ├── TooLargeError 413, 414, 431 · InvalidError 422 (BadSignatureError)
    └── RateLimitedError 429 · ServerFaultError 500 · UnavailableError 503
"""

from __future__ import annotations

from typing import Any, Final

from grapevine.errors import FieldError, GrapevineError, SettingError


class ClientError(GrapevineError):
    """Any error of the client; its text says in plain words what was wrong and what to do."""

    def __reduce__(self) -> tuple[Any, ...]:
        # As it is: pools of processes pickle exceptions, and would call the class with its text alone.
        return _restored, (type(self), self.args, self.__dict__)


class ClientSettingError(ClientError, SettingError):
    """The server's address or the API key is missing or cannot be used."""


class ConnectionFailed(ClientError):
    """No whole answer came. ``is_unsent`` is true where the server surely has not seen the request."""

    def __init__(self, text: str, *, is_unsent: bool) -> None:
        super().__init__(text)
        self.is_unsent = is_unsent


class TimedOut(ConnectionFailed):
    """No whole answer came in the time that it may take."""


class UnexpectedAnswer(ClientError):
    """The answer is none of this API's. ``status`` is its HTTP status."""

    def __init__(self, text: str, *, status: int) -> None:
        super().__init__(text)
        self.status = status


class ApiError(ClientError):
    """The server refused the call.

    ``code`` is the name of the problem in the API's documentation, ``status`` the HTTP status, ``detail`` one sentence;
    ``errors`` names wrong fields; ``retry_after`` is after how many seconds the call may be repeated, if it may.
    """

    def __init__(
        self,
        text: str,
        *,
        status: int,
        code: str,
        detail: str,
        errors: tuple[FieldError, ...] = (),
        retry_after: float | None = None,
    ) -> None:
        super().__init__(text)
        self.status = status
        self.code = code
        self.detail = detail
        self.errors = errors
        self.retry_after = retry_after


class BadRequestError(ApiError):
    """The request could not be read (400)."""


class NotATokenError(BadRequestError):
    """The text is no share token."""


class UnauthorizedError(ApiError):
    """There is no API key, or none that the server knows (401)."""


class ForbiddenError(ApiError):
    """The scope or the site of the API key does not allow the call (403)."""


class NotFoundError(ApiError):
    """Nothing of that name is there (404)."""


class UnknownSiteError(NotFoundError):
    """The server has no such site."""


class UnknownVisitError(NotFoundError):
    """The visit is not stored: it was erased, is past retention, or is another site's."""


class ConflictError(ApiError):
    """The call conflicts with what is stored (409)."""


class TooLargeError(ApiError):
    """The body, the URL or the headers of the request are too large (413, 414, 431)."""


class InvalidError(ApiError):
    """Parameters or fields cannot be used; ``errors`` names those that were found (422)."""


class BadSignatureError(InvalidError):
    """The text looks like a token, but was not signed for this site."""


class RateLimitedError(ApiError):
    """There were too many calls (429)."""


class ServerFaultError(ApiError):
    """The server made a mistake, which is in its log (500)."""


class UnavailableError(ApiError):
    """The server cannot take the call at the moment (503)."""


BY_STATUS: Final[dict[int, type[ApiError]]] = {
    400: BadRequestError,
    401: UnauthorizedError,
    403: ForbiddenError,
    404: NotFoundError,
    409: ConflictError,
    413: TooLargeError,
    414: TooLargeError,
    422: InvalidError,
    429: RateLimitedError,
    431: TooLargeError,
    500: ServerFaultError,
    503: UnavailableError,
}
BY_CODE: Final[dict[str, type[ApiError]]] = {
    "not-a-token": NotATokenError,
    "unknown-site": UnknownSiteError,
    "unknown-visit": UnknownVisitError,
    "bad-signature": BadSignatureError,
}
"""The class of each code that says more than its status."""


def _restored(kind: type[ClientError], args: tuple[Any, ...], fields: dict[str, Any]) -> ClientError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(fields)
    return error


def error_class(status: int, code: str) -> type[ApiError]:
    """Returns the class for a problem: that of its code, else that of its status, else ``ApiError``."""
    return BY_CODE.get(code) or BY_STATUS.get(status, ApiError)
