"""Every error the product raises on purpose.

    GrapevineError
    ├── SettingError        a setting has a value that cannot be used            exit 2
    ├── StoreError          the database cannot be used                          exit 1, 503
    │   └── Interrupted     it may be usable in a moment: what it was asked can be asked again
    └── Problem             a request that cannot be answered as asked           its status, as problem+json
        ├── Malformed (CutOff) 400 · WebmentionRefused 400
        ├── Unauthorized 401 · BadOrigin 403 · Forbidden 403 · ForeignForm 403
        ├── UnknownSite 404 · UnknownVisit 404 · NotFound 404
        ├── MethodNotAllowed 405 · Conflict 409
        ├── TooLarge 413 · UrlTooLong 414 · Invalid 422 · RateLimited 429 · HeadTooLarge 431
        └── ServerFault 500 · Busy 503

Bad tokens have their own pair of errors in ``tokens``; ``web/problems.py`` maps a Problem to HTTP.
"""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import ClassVar, NamedTuple


class GrapevineError(Exception):
    """Anything Grapevine refuses on purpose; its text is for people."""


class SettingError(GrapevineError):
    """A setting has a value that cannot be used; the text names the setting."""


class StoreError(GrapevineError):
    """The database cannot be used; the text says which and why."""


class Interrupted(StoreError):
    """The database went away or gave a transaction up; the same may succeed in a moment.

    ``is_partial`` is true where only a part of the database may be away, so that a smaller set may succeed now.
    """

    def __init__(self, text: str, *, is_partial: bool = False) -> None:
        super().__init__(text)
        self.is_partial = is_partial


class FieldError(NamedTuple):
    """The error of one field of a request."""

    field: str
    detail: str


class Problem(GrapevineError):
    """A request that cannot be answered as asked.

    ``status`` is the HTTP status, ``code`` the contract's name, ``detail`` one sentence for the client.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "error"
    title: ClassVar[str] = "The request failed"

    @classmethod
    def phrase(cls) -> str:
        """Returns the reason phrase of the status."""
        return HTTPStatus(cls.status).phrase

    def __init__(self, detail: str, *, errors: tuple[FieldError, ...] = (), retry_after: int | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = errors
        self.retry_after = retry_after


class Malformed(Problem):
    """The body is no JSON object, or a parameter cannot be read at all."""

    status, code, title = 400, "malformed", "The request cannot be read"


class CutOff(Malformed):
    """The connection ended before the body did: nobody reads the refusal, and no owner of a site can help it."""


class NotATokenProblem(Problem):
    """The text asked about is not a token at all."""

    status, code, title = 400, "not-a-token", "That is not a share token"


class WebmentionRefused(Problem):
    """A webmention whose source or target cannot be; ``errors`` says which."""

    status, code, title = 400, "webmention-refused", "This webmention is not accepted"


class Unauthorized(Problem):
    """No API key, or none that is known."""

    status, code, title = 401, "unauthorized", "An API key is needed"


class BadOrigin(Problem):
    """A collect call from a page that is not the site's."""

    status, code, title = 403, "bad-origin", "This page does not belong to the site"


class Forbidden(Problem):
    """The API key does not reach that far."""

    status, code, title = 403, "forbidden", "The API key does not allow this"


class ForeignForm(Problem):
    """A form of the dashboard that did not come from one of its own pages, as far as the server knows."""

    status, code, title = 403, "foreign-form", "This form was not accepted"


class UnknownSite(Problem):
    """No site of this server has that key."""

    status, code, title = 404, "unknown-site", "No such site"


class UnknownVisit(Problem):
    """A good token whose visit is not there: erased, or past retention."""

    status, code, title = 404, "unknown-visit", "That visit is not here"


class NotFound(Problem):
    """The URL path names nothing (404)."""

    status, code, title = 404, "not-found", "Nothing is here"


class MethodNotAllowed(Problem):
    """The URL path is right, and cannot be called with this method."""

    status, code, title = 405, "method-not-allowed", "This address cannot be called in this way"


class Conflict(Problem):
    """What was asked for conflicts with what is stored."""

    status, code, title = 409, "conflict", "The request conflicts with what is stored"


class TooLarge(Problem):
    """The body is larger than the call takes."""

    status, code, title = 413, "too-large", "The request is too large"


class UrlTooLong(Problem):
    """The URL of the request is longer than the server reads."""

    status, code, title = 414, "url-too-long", "The URL is too long"


class Invalid(Problem):
    """A field has a value that cannot be used; ``errors`` names those that were found."""

    status, code, title = 422, "invalid", "The request has fields that cannot be used"

    @classmethod
    def of(cls, field: str, detail: str) -> Invalid:
        """The refusal of one field; an empty name stands for the whole body."""
        return cls.of_all([FieldError(field, detail)])

    @classmethod
    def of_all(cls, errors: Sequence[FieldError]) -> Invalid:
        """The refusal of several fields at once."""
        return cls("; ".join(f"`{field or 'body'}` {detail}" for field, detail in errors) + ".", errors=tuple(errors))


class BadSignatureProblem(Problem):
    """Shaped like a token, but not signed for this site."""

    status, code, title = 422, "bad-signature", "That token was not signed for this site"


class RateLimited(Problem):
    """Too many calls in a minute."""

    status, code, title = 429, "rate-limited", "Too many requests"


class HeadTooLarge(Problem):
    """The request has more headers, or larger ones, than the server reads."""

    status, code, title = 431, "head-too-large", "The headers are too large"


class ServerFault(Problem):
    """A fault of our own."""

    status, code, title = 500, "server-error", "The server met a fault of its own"


class Busy(Problem):
    """More is waiting to be stored than the server takes on."""

    status, code, title = 503, "busy", "The server is busy"
