"""Checks of single request fields; each adds its findings to ``errors``."""

from __future__ import annotations

from typing import Final

from grapevine.collect.schemas import MAX_TITLE
from grapevine.domain.periods import read_time
from grapevine.domain.tokens import Token, TokenError
from grapevine.domain.urls import Page, UrlError
from grapevine.errors import FieldError
from grapevine.sites.cache import Site

_NO_PAGE: Final = Page(0, "", is_home=False)
_NO_TOKEN: Final = Token(0, 0, 0)
_MINUTE_MS: Final = 60_000


def page_of_url(site: Site, url: str, errors: list[FieldError]) -> Page:
    """The page that a URL names."""
    try:
        return site.page(url)
    except UrlError as error:
        errors.append(FieldError("url", str(error)))
        return _NO_PAGE


def session_token(site: Site, text: str, errors: list[FieldError]) -> Token:
    """The session of a visit of this site."""
    try:
        token = site.tokens.read(text)
    except TokenError as error:
        errors.append(FieldError("session", f"is not a session of this site: {error}"))
        return _NO_TOKEN
    if not token.is_session:
        errors.append(FieldError("session", "is a share token; a visit is spoken for by its session alone"))
    return token


def share_token(site: Site, text: str, errors: list[FieldError]) -> Token:
    """A share token of this site."""
    try:
        token = site.tokens.read(text)
    except TokenError as error:
        errors.append(FieldError("token", f"is not a share token of this site: {error}"))
        return _NO_TOKEN
    if token.is_session:
        errors.append(FieldError("token", "is a session, which is never shared"))
    return token


def title_of(title: str | None) -> str | None:
    """A page's title, cut to its maximum of code points; None where it is empty."""
    return (title or "").strip()[:MAX_TITLE] or None


def bounded_text(text: str, field: str, most: int, errors: list[FieldError]) -> str:
    """A text without the blanks around it, of at most ``most`` characters."""
    trimmed = text.strip()
    if len(trimmed) > most:
        errors.append(FieldError(field, f"is {len(trimmed)} characters long; at most {most} are taken"))
    return trimmed


def past_time(text: str, now: int, errors: list[FieldError]) -> int:
    """Returns the RFC 3339 time of a field ``at`` in UTC milliseconds, at most ``now``; a minute ahead is taken."""
    try:
        at = read_time(text)
    except ValueError as error:
        errors.append(FieldError("at", str(error)))
        return now
    if at > now + _MINUTE_MS:
        errors.append(FieldError("at", "must not be in the future"))
    return min(at, now)


def day_of_id(day: int, today: int) -> int:
    """The day of the nonce where it is believable, so that a retry after midnight finds its visit again."""
    return day if abs(day - today) <= 1 else today
