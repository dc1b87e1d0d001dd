"""The collect API's requests and answers as they are on the wire, and how a body becomes one of them."""

from __future__ import annotations

import json
import re
from datetime import date
from typing import Any, Final, TypeVar

import msgspec

from grapevine.channels import CODES
from grapevine.errors import FieldError, Invalid, Malformed

MAX_BODY: Final = 8_192
MAX_TITLE: Final = 300

_NONCE: Final = re.compile(r"[0-9A-Za-z_-]{16,64}")
_PATH: Final = re.compile(r" - at `\$\.?(.*?)`$")
_HALF_PAIR: Final = re.compile(r"[\ud800-\udfff]")


class VisitRequest(msgspec.Struct):
    """``POST /v1/visits``: a browser arrived at a page."""

    site: str
    url: str
    nonce: str
    day: str | None = None
    referrer: str | None = None
    title: str | None = None
    token: str | None = None
    own: bool = False
    channels: list[str] = []


class ViewRequest(msgspec.Struct):
    """``POST /v1/views``: one more page of the visit."""

    site: str
    session: str
    url: str
    nonce: str
    title: str | None = None


class ShareRequest(msgspec.Struct):
    """``POST /v1/shares``: the token was shared."""

    site: str
    token: str
    url: str
    title: str | None = None


class Returned(msgspec.Struct, omit_defaults=True):
    """What the token that came along turned out to be."""

    valid: bool
    depth: int
    self: bool
    same_network: bool
    reason: str | None = None


class VisitAnswer(msgspec.Struct):
    """The visit's id, its session, and a token for each channel asked for; all empty for who opted out."""

    visit: str | None
    session: str | None
    tokens: dict[str, str]
    returned: Returned | None


class ShareAnswer(msgspec.Struct):
    """The token for the next share on that channel."""

    next: str


class Empty(msgspec.Struct):
    """``{}``: stored, and nothing to say."""


Request = TypeVar("Request", VisitRequest, ViewRequest, ShareRequest)

_DECODERS: Final = {kind: msgspec.json.Decoder(kind) for kind in (VisitRequest, ViewRequest, ShareRequest)}


def decode(body: bytes, kind: type[Request]) -> Request:
    """A body as a request of that kind. Raises Malformed for what is no JSON object, Invalid for wrong fields."""
    try:
        request: Request = _DECODERS[kind].decode(body)  # type: ignore[assignment]
    except msgspec.ValidationError as error:
        detail = str(error)
        where = _PATH.search(detail)
        if where is None and "got" in detail and "Expected `object`" in detail:
            raise Malformed(f"the body is no JSON object: {detail}") from None
        missing = re.search(r"missing required field `(\w+)`", detail)
        field = missing[1] if missing else (where[1] if where else "")
        raise invalid(field, _PATH.sub("", detail)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        if _has_half_pair(body):
            raise invalid("", "the body holds half of a surrogate pair, which is no character") from None
        raise Malformed(f"the body is not JSON: {error}") from None
    errors = tuple(_unstorable(request))
    if errors:
        raise Invalid(errors[0].detail, errors=errors)
    return request


def invalid(field: str, detail: str) -> Invalid:
    """The problem of one field."""
    return Invalid(f"{field}: {detail}" if field else detail, errors=(FieldError(field, detail),))


def check_nonce(nonce: str) -> list[FieldError]:
    """What is wrong with a nonce."""
    if _NONCE.fullmatch(nonce):
        return []
    return [FieldError("nonce", "must be 16 to 64 letters, digits, '-' or '_', drawn at random for this one event")]


def check_day(day: str | None) -> tuple[date | None, list[FieldError]]:
    """The day that came with a nonce, and what is wrong with it."""
    if day is None:
        return None, []
    try:
        return date.fromisoformat(day), []
    except ValueError:
        return None, [FieldError("day", f"must be a date such as 2026-11-21, not {day[:40]!r}")]


def check_channels(names: list[str]) -> tuple[list[int], list[FieldError]]:
    """The codes of the channels asked for, and which names are none."""
    unknown = [name for name in names if name not in CODES]
    if unknown:
        return [], [FieldError("channels", f"{unknown[0][:40]!r} is no channel; the names are {', '.join(CODES)}")]
    return [CODES[name] for name in names], []


def _has_half_pair(body: bytes) -> bool:
    try:
        text = json.dumps(json.loads(body.decode("utf-8", "surrogatepass")), ensure_ascii=False)
    except (ValueError, RecursionError):
        return False
    return bool(_HALF_PAIR.search(text))


def _unstorable(request: Any) -> list[FieldError]:
    return [
        FieldError(field, "holds a NUL character")
        for field in request.__struct_fields__
        for text in _texts(getattr(request, field))
        if "\0" in text
    ]


def _texts(value: object) -> list[str]:
    return [text for text in (value if isinstance(value, list) else [value]) if isinstance(text, str)]
