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
    """A browser arrived at a page."""

    site: str
    """The public key of the site."""
    url: str
    """The URL of the page."""
    nonce: str
    """16 to 64 letters, digits, `-` or `_`, drawn at random for this event: a repeat with the same one changes
    nothing."""
    day: str | None = None
    """The UTC date on which the nonce was drawn; used within a day of the server's own."""
    referrer: str | None = None
    """The `document.referrer` of the page."""
    title: str | None = None
    """The title of the page; cut to 300 characters."""
    token: str | None = None
    """The token that was in the URL."""
    own: bool = False
    """Whether the browser knows the token as one of its own."""
    opted_out: bool = False
    """Whether the visitor does not want to be followed."""
    build: str | None = None
    """The version of the widget; builds that read tokens of the form `gv=TOKEN` alone do not send it."""
    highlight: bool = False
    """Whether the page was opened through a link that names a passage of it (`#:~:text=`), which browsers hide from the
    page's address. It is evidence, and decides nothing."""
    channels: tuple[str, ...] | str = USUAL
    """The channels to make tokens for: a list of names, or a text with names in it, of which words that are no channels
    are ignored. Without a name, the twelve usual ones."""


class ViewRequest(msgspec.Struct):
    """One more page of a visit."""

    site: str
    """The public key of the site."""
    session: str
    """The session of the visit."""
    url: str
    """The URL of the page."""
    nonce: str
    """Drawn at random for this event, as for a visit; repeats are recognised for 10 minutes."""
    title: str | None = None
    """The title of the page; cut to 300 characters."""


class ShareRequest(msgspec.Struct):
    """The token was shared."""

    site: str
    """The public key of the site."""
    token: str
    """The token that was shared; one of the visit whose session it is."""
    url: str
    """The URL of the shared page."""
    session: str | None = None
    """The session of the visit that shared it; older builds of the widget do not send it."""
    title: str | None = None
    """The title of the page; cut to 300 characters."""


class ConversionRequest(msgspec.Struct):
    """A visit reached a goal."""

    site: str
    """The public key of the site."""
    session: str
    """The session of the visit."""
    goal: str
    """The name of the goal, 1 to 64 characters."""
    nonce: str
    """Drawn at random for this event, as for a visit."""
    value: Decimal | None = None
    """A number from 0 to 1,000,000,000 with at most six decimal places, read digit by digit; needs a `currency`."""
    currency: str | None = None
    """A current code of ISO 4217, such as EUR."""
    id: str | int | None = None
    """What identifies the conversion, such as the number of the order, 1 to 128 characters. The same `goal` and `id`
    count once."""
    refund_of: str | int | None = None
    """Refused: a refund is reported with an API key."""


class AnswerRequest(msgspec.Struct):
    """A visitor's answer to "How did you hear about us?"."""

    site: str
    """The public key of the site."""
    text: str
    """The answer, 1 to 500 characters."""
    nonce: str
    """Drawn at random for this event, as for a visit."""
    session: str | None = None
    """The session of the visit that it belongs to."""
    contact: str | None = None
    """How to reach the visitor, at most 254 characters."""


class KeyedAnswerRequest(msgspec.Struct, forbid_unknown_fields=True):
    """An answer to "How did you hear about us?" that your own server reports, such as a note of a seller's call."""

    text: str
    """The answer, 1 to 500 characters, as it was said."""
    visit: str | None = None
    """The id of the visit that it belongs to. At most one of `visit`, `token` and `external_id`; without any, the
    answer belongs to no visit."""
    token: str | None = None
    """The session of the visit, or the share token that it came with, which names the last visit through that share at
    or before `at`."""
    external_id: str | int | None = None
    """Your own name for a person, as minted links have it: it names the last visit that came by `at` through any link
    with it, and not through what a visitor of such a link shared."""
    contact: str | None = None
    """How to reach the person, at most 254 characters."""
    at: str | None = None
    """The time (RFC 3339), without it now; not in the future, not before the visit."""
    nonce: str | None = None
    """What identifies the answer, 16 to 64 letters, digits, `-` or `_`, so that it can be sent again safely; needed
    without an `Idempotency-Key`."""
    site: str | None = None
    """The public key of the site; none but that of the API key."""


class ForgetRequest(msgspec.Struct):
    """A visitor wants their visit erased."""

    site: str
    """The public key of the site."""
    session: str
    """The session of the visit."""


class KeyedConversionRequest(msgspec.Struct, forbid_unknown_fields=True):
    """A visit reached a goal, as your own server reports it."""

    goal: str
    """The name of the goal, 1 to 64 characters."""
    token: str | None = None
    """The session of the visit, or the share token that it came with, which names the last visit through that share at
    or before `at`. One of `token`, `visit` and `external_id` is needed."""
    visit: str | None = None
    """The id of the visit."""
    external_id: str | int | None = None
    """Your own name for a person, as minted links have it: it names the last visit that came by `at` through any link
    with it, and not through what a visitor of such a link shared."""
    refund_of: str | int | None = None
    """The `id` of a conversion of the same `goal` that this takes back in part or whole. It goes to that conversion's
    visit, so that none is to be named; one that is named is ignored."""
    site: str | None = None
    """The public key of the site; none but that of the API key."""
    at: str | None = None
    """The time (RFC 3339), without it now; not in the future, not before the visit."""
    nonce: str | None = None
    """What identifies the conversion where it has no `id`, so that it can be sent again safely."""
    value: Decimal | None = None
    """A number from 0 to 1,000,000,000 with at most six decimal places, read digit by digit; needs a `currency`. With
    `refund_of` it is below 0, down to what is left of the other's value."""
    currency: str | None = None
    """A current code of ISO 4217, such as EUR."""
    id: str | int | None = None
    """What identifies the conversion, such as the number of the order, 1 to 128 characters. The same `goal` and `id`
    count once. A refund has an `id` of its own."""


class Returned(msgspec.Struct, omit_defaults=True):
    """The facts about the token that a visit came with."""

    valid: bool
    """Whether it names a stored visit of this site."""
    depth: int
    """How many shares the visit is away from the root."""
    self: bool
    """Whether the sharer opened their own link."""
    same_network: bool
    """Whether it came from the network of the sharer."""
    reason: str | None = None
    """Why it is not valid: `not-a-token`, `bad-signature`, `unknown-site-token`, `unknown-visit` or `session`."""
    channel: str | None = None
    """How the link was shared; left out of one that is not valid."""


class VisitResponse(msgspec.Struct):
    """A visit that is stored; after an opt-out, all of it is empty."""

    visit: str | None
    """The id of the visit."""
    session: str | None
    """What speaks for the visit in later reports. It is a secret of the visitor's browser."""
    tokens: dict[str, str]
    """A token for each channel asked for, by channel."""
    returned: Returned | None
    """The facts about the token that it came with; null without one."""
    joint: str | msgspec.UnsetType = msgspec.UNSET
    """What stands between name and token in a fragment: `-` or `=`. It is left out where there is no token."""
    source: str | msgspec.UnsetType = msgspec.UNSET
    """Where the visit came from. It is left out where none is stored."""


class ShareResponse(msgspec.Struct):
    """A share that is stored."""

    next: str | None
    """The token for the next share on this channel; null for a report without a session."""


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
