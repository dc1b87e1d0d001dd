"""Reads the links that somebody wants to make: every field is checked before anything is stored."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from grapevine.domain.channels import CODES
from grapevine.domain.periods import read_time
from grapevine.domain.printable import is_legible, name_text
from grapevine.domain.token_urls import untagged
from grapevine.domain.urls import Page, UrlError, spelled_url
from grapevine.domain.wrong_fields import MOST_NAMED
from grapevine.errors import FieldError, Invalid
from grapevine.links.schemas import MOST_CHARACTERS, MOST_PLACES, NewLink
from grapevine.links.words import WordError, checked_word
from grapevine.sites.cache import Site

_PLACE: Final = re.compile(r"[a-z0-9-]{1,40}")
_NO_PAGE: Final = Page(0, "", is_home=False)
_AT_ONCE: Final = 20
"""Links that are read before other requests get their turn: a URL of 2,048 characters in other letters takes a
millisecond."""


class CheckedLink(NamedTuple):
    """A link that may be made: ``url`` has no token and is on an origin of the site, and shows ``page``."""

    url: str
    page: Page
    channel: int
    label: str | None
    external_id: str | None
    campaign: str | None
    word: str | None
    places: str
    keep: bool
    expires_at: int | None


async def check_links(site: Site, wanted: Sequence[NewLink], now: int, *, is_list: bool) -> list[CheckedLink]:
    """Returns links as they are to be made. Raises Invalid with what is wrong with them; the fields of those of a list
    are named ``links[17].url``."""
    errors: list[FieldError] = []
    checked = []
    for number, each in enumerate(wanted):
        if number % _AT_ONCE == _AT_ONCE - 1:
            await asyncio.sleep(0)
        found: list[FieldError] = []
        checked.append(_check(site, each, now, found))
        errors += [FieldError(f"links[{number}].{field}" if is_list else field, detail) for field, detail in found]
        if len(errors) >= MOST_NAMED:
            break
    if errors:
        raise Invalid.of_all(errors[:MOST_NAMED])
    return checked


def _check(site: Site, link: NewLink, now: int, errors: list[FieldError]) -> CheckedLink:
    url, page = _url(site, link.url, errors)
    channel = CODES.get(link.channel)
    if channel is None:
        errors.append(FieldError("channel", f"must be one of {', '.join(CODES)}"))
    if len(link.places) > MOST_PLACES:  # a list that no schema has checked
        errors.append(FieldError("places", f"must be at most {MOST_PLACES}"))
    if not all(map(_PLACE.fullmatch, link.places)):
        errors.append(FieldError("places", "must be names of 1 to 40 lower-case letters a-z, digits and hyphens"))
    if len(set(link.places)) < len(link.places):
        errors.append(FieldError("places", "must not name a place twice"))
    return CheckedLink(
        url=url,
        page=page,
        channel=channel or 0,
        label=_text("label", link.label, errors),
        external_id=_text("external_id", link.external_id, errors),
        campaign=_text("campaign", link.campaign, errors),
        word=_word(link.word, errors),
        places=" ".join(link.places),
        keep=link.keep,
        expires_at=_expiry(link.expires_at, now, errors),
    )


def _url(site: Site, text: str, errors: list[FieldError]) -> tuple[str, Page]:
    try:
        spelled = spelled_url(text)
        return untagged(spelled, site.row.param), site.page(spelled)
    except UrlError as error:
        errors.append(FieldError("url", str(error)))
        return "", _NO_PAGE


def _text(field: str, given: str | int | None, errors: list[FieldError]) -> str | None:
    if given is None:
        return None
    text = name_text(str(given))
    if not 1 <= len(text) <= MOST_CHARACTERS or not is_legible(text):
        errors.append(FieldError(field, f"must be 1 to {MOST_CHARACTERS} printable characters on one line"))
    return text


def _word(word: str | None, errors: list[FieldError]) -> str | None:
    if word is not None:
        try:
            return checked_word(word)
        except WordError as error:
            errors.append(FieldError("word", str(error)))
    return None


def _expiry(text: str | None, now: int, errors: list[FieldError]) -> int | None:
    if text is None:
        return None
    try:
        at = read_time(text)
    except ValueError as error:
        errors.append(FieldError("expires_at", str(error)))
        return None
    if at <= now:
        errors.append(FieldError("expires_at", "must be in the future"))
    return at
