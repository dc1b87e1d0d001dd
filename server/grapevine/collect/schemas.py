"""The collect API's requests and responses as they are on the wire, and checks of their fields."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Final

import msgspec

from grapevine.domain import ids
from grapevine.domain.channels import CODES, USUAL
from grapevine.errors import FieldError

MAX_BODY: Final = 8_192
MAX_TITLE: Final = 300
MAX_ANSWER: Final = 500
MAX_CONTACT: Final = 254

_REMEMBERED: Final = 256
_WORD: Final = re.compile(r"\w+")
_NONCE: Final = re.compile(r"[0-9A-Za-z_-]{16,64}")


class VisitRequest(msgspec.Struct):
    """``POST /v1/visits``: a browser arrived at a page.

    ``build`` is the version of the widget; builds that read tokens of the form ``gv=TOKEN`` alone do not send it.
    """

    site: str
    url: str
    nonce: str
    day: str | None = None
    referrer: str | None = None
    title: str | None = None
    token: str | None = None
    own: bool = False
    opted_out: bool = False
    build: str | None = None
    channels: tuple[str, ...] | str = USUAL


class ViewRequest(msgspec.Struct):
    """``POST /v1/views``: one more page of the visit."""

    site: str
    session: str
    url: str
    nonce: str
    title: str | None = None


class ShareRequest(msgspec.Struct):
    """``POST /v1/shares``: the token was shared. ``session`` is that of the visit that the token belongs to."""

    site: str
    token: str
    url: str
    session: str | None = None
    title: str | None = None


class ConversionRequest(msgspec.Struct):
    """``POST /v1/conversions``: the visit reached a goal."""

    site: str
    session: str
    goal: str
    nonce: str
    value: Decimal | None = None
    currency: str | None = None
    id: str | int | None = None


class AnswerRequest(msgspec.Struct):
    """``POST /v1/answers``: a visitor's answer to "how did you hear about us?"."""

    site: str
    text: str
    nonce: str
    session: str | None = None
    contact: str | None = None


class ForgetRequest(msgspec.Struct):
    """``POST /v1/forget``: the visitor wants the visit erased."""

    site: str
    session: str


class KeyedConversionRequest(msgspec.Struct, forbid_unknown_fields=True):
    """``POST /v1/conversions`` with an API key: ``token`` or ``visit`` names the converting visit, ``at`` the time."""

    goal: str
    token: str | None = None
    visit: str | None = None
    site: str | None = None
    at: str | None = None
    nonce: str | None = None
    value: Decimal | None = None
    currency: str | None = None
    id: str | int | None = None


class Returned(msgspec.Struct, omit_defaults=True):
    """The facts about the token that the visit came with."""

    valid: bool
    depth: int
    self: bool
    same_network: bool
    reason: str | None = None


class VisitResponse(msgspec.Struct):
    """The visit's id, its session, and a token for each channel asked for; all empty after an opt-out.

    ``joint`` is what the widget writes between name and token in fragments: ``-`` or ``=``; builds that do not know it
    write ``=``. It is left out where there is no token.
    """

    visit: str | None
    session: str | None
    tokens: dict[str, str]
    returned: Returned | None
    joint: str | msgspec.UnsetType = msgspec.UNSET


class ShareResponse(msgspec.Struct):
    """The token for the next share on that channel; null for a report without the visit's session."""

    next: str | None


class Empty(msgspec.Struct):
    """``{}``: stored, nothing to return."""


EMPTY: Final = Empty()


def check_nonce(nonce: str) -> list[FieldError]:
    """Returns the errors of a nonce, empty when it is valid."""
    if _NONCE.fullmatch(nonce):
        return []
    return [FieldError("nonce", "must be 16 to 64 letters, digits, '-' or '_', drawn at random for this one event")]


@lru_cache(maxsize=_REMEMBERED)
def day_of(text: str) -> int | FieldError:
    """Returns the number of the day that came with a nonce, or its error."""
    try:
        return ids.day_number(date.fromisoformat(text))
    except ValueError:
        return FieldError("day", f"must be a date such as 2026-11-21, not {text[:40]!r}")


@lru_cache(maxsize=_REMEMBERED)
def codes_of(channels: tuple[str, ...] | str) -> dict[str, int] | FieldError:
    """Returns name → code of the requested channels, or the error of the first unknown name.

    A text comes from an attribute of a page: names with any separators. Unknown words are left out, so that a typing
    error does not cost the visit; a text without a name stands for the usual channels.
    """
    if isinstance(channels, str):
        return {name: CODES[name] for name in _WORD.findall(channels) if name in CODES} or _codes(USUAL)
    unknown = [name for name in channels if name not in CODES]
    if unknown:
        return FieldError("channels", f"{unknown[0][:40]!r} is no channel; the names are {', '.join(CODES)}")
    return _codes(channels)


def _codes(names: tuple[str, ...]) -> dict[str, int]:
    return {name: CODES[name] for name in names}
