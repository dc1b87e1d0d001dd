"""Checks of a site's fields; each returns the value as it is stored, or raises Invalid."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from grapevine.domain.did_you_mean import did_you_mean
from grapevine.domain.typed_origins import parse_origin
from grapevine.domain.urls import UrlError, origin_of
from grapevine.errors import FieldError, Invalid

PLACES: Final = ("auto", "fragment", "query")
FRAGMENTS: Final = ("auto", "identifier", "parameter")
CHANGEABLE: Final = (
    "name", "origin", "param", "place", "fragment", "query", "element", "values", "contact", "keep", "webmention",
)  # fmt: skip
COUNTED_VALUES: Final = ("all", "keys")
SWITCH: Final = ("off", "on")

_LONGEST_NAME: Final = 100
_MOST_ORIGINS: Final = 100
_PARAM: Final = re.compile(r"[A-Za-z][0-9A-Za-z_-]{0,15}")
_ELEMENT: Final = re.compile(r"(?!xml)[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_LONGEST_ELEMENT: Final = 20
_LONGEST_CONTACT: Final = 254
# The local part as HTML's `<input type=email>` takes it (HTML standard, "valid e-mail address").
_LABEL: Final = r"[^\W_](?:(?:[^\W_]|-)*[^\W_])?"
_MAIL: Final = re.compile(rf"[0-9A-Za-z.!#$%&'*+/=?^_`{{|}}~-]{{1,64}}@(?P<host>(?:{_LABEL}\.)+{_LABEL})")
_QUERY_NAME: Final = re.compile(r"[^\s&=#?,]{1,100}")


def checked_changes(changes: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Values by field of a site's row, of texts by the name that is set.

    ``query`` is ``*`` (all but tracking parameters and secrets tell pages apart) or the names that do. ``element`` and
    what the widget appends (``-buttons``, ``-follow`` …) are a custom element's name by the HTML standard; XML reserves
    names that begin with ``xml``. ``fragment`` says how a token in a fragment is written: ``SiteRow``. ``values`` says
    whose conversions have a value: ``all``, or ``keys``, those that an API key reported. ``contact`` is empty where a
    site names none. ``keep`` are parameters that stay in addresses although they are known to track; empty for none.
    ``webmention`` says whether webmentions of its pages are taken: ``off`` or ``on``.

    Raises Invalid, naming each field that cannot be so.
    """
    values: dict[str, Any] = {}
    wrong: list[FieldError] = []
    for field, texts in changes.items():
        try:
            values[_COLUMNS.get(field, field)] = _checked(field, texts)
        except Invalid as error:
            wrong += error.errors
    if wrong:
        raise Invalid.of_all(wrong)
    return values


def _checked(field: str, texts: Sequence[str]) -> object:
    if field == "origin":
        return checked_origins(texts)
    if field not in CHANGEABLE:
        meant = did_you_mean(field, CHANGEABLE)
        raise Invalid.of(field, f"cannot be set{meant or ';'} what can be set: {', '.join(CHANGEABLE)}")
    return _CHECKS[field](_one(field, texts))


def _one(field: str, texts: Sequence[str]) -> str:
    if len(texts) != 1:
        raise Invalid.of(field, "can have one value only")
    return texts[0]


def checked_name(text: str) -> str:
    """A name of 1 to 100 printable characters."""
    name = text.strip()
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        raise Invalid.of("name", f"must be 1 to {_LONGEST_NAME} printable characters")
    return name


def checked_origins(texts: Sequence[str]) -> tuple[str, ...]:
    """1 to 100 origins, each once."""
    if not 1 <= len(texts) <= _MOST_ORIGINS:
        raise Invalid.of("origin", f"must be named 1 to {_MOST_ORIGINS} times")
    return tuple(dict.fromkeys(_origin(text) for text in texts))


def _origin(text: str) -> str:
    try:
        return parse_origin(text)
    except UrlError as error:
        given = "" if "@" in text else f"given: {text[:_LONGEST_NAME]!r}; "  # a password may stand before an @
        raise Invalid.of("origin", f"{error} ({given}an origin is like https://example.com)") from None


def checked_contact(text: str) -> str | None:
    """The http(s) URL or mail address of those whom visitors may ask; None for an empty text."""
    contact = text.strip().removeprefix("mailto:")
    if not contact:
        return None
    try:
        if len(contact) > _LONGEST_CONTACT or not contact.isprintable():
            raise UrlError(f"must be at most {_LONGEST_CONTACT} printable characters")
        mail = _MAIL.fullmatch(contact)
        origin_of(f"https://{mail['host']}" if mail else contact)
    except UrlError as error:
        raise Invalid.of(
            "contact", f"{error} (a contact is like privacy@example.com or https://example.com/privacy; empty for none)"
        ) from None
    return contact


def _param(text: str) -> str:
    if not _PARAM.fullmatch(text):
        raise Invalid.of("param", "must be 1 to 16 letters, digits, '-' or '_', the first a letter")
    return text


def _place(text: str) -> str:
    if text not in PLACES:
        raise Invalid.of("place", f"must be one of {', '.join(PLACES)}{did_you_mean(text, PLACES)}")
    return text


def _fragment(text: str) -> str:
    if text not in FRAGMENTS:
        raise Invalid.of("fragment", f"must be one of {', '.join(FRAGMENTS)}{did_you_mean(text, FRAGMENTS)}")
    return text


def _counted_values(text: str) -> str:
    if text not in COUNTED_VALUES:
        raise Invalid.of("values", f"must be one of {', '.join(COUNTED_VALUES)}{did_you_mean(text, COUNTED_VALUES)}")
    return text


def _webmention(text: str) -> str:
    if text not in SWITCH:
        raise Invalid.of("webmention", f"must be one of {', '.join(SWITCH)}{did_you_mean(text, SWITCH)}")
    return text


def _element(text: str) -> str:
    if len(text) > _LONGEST_ELEMENT or not _ELEMENT.fullmatch(text):
        raise Invalid.of(
            "element",
            f"must be 1 to {_LONGEST_ELEMENT} of a-z and 0-9, single '-' between them, the first a letter; not xml…",
        )
    return text


def _query(text: str) -> str:
    names = _names(text)
    if names != ["*"] and not all(_QUERY_NAME.fullmatch(name) and name != "*" for name in names):
        raise Invalid.of("query", "must be * or the names of the query parameters that tell pages apart")
    return " ".join(names)


def _keep(text: str) -> str:
    names = _names(text)
    if not all(_QUERY_NAME.fullmatch(name) and name != "*" for name in names):
        raise Invalid.of("keep", "must be names of query parameters, or empty for none")
    return " ".join(names)


def _names(text: str) -> list[str]:
    return sorted(set(re.split(r"[\s,]+", text.strip()))) if text.strip() else []


_COLUMNS: Final[Mapping[str, str]] = {"origin": "origins", "values": "counted_values"}
"""Fields of a site's row that are called otherwise outside."""
_CHECKS: Final[Mapping[str, Callable[[str], str | None]]] = {
    "name": checked_name,
    "param": _param,
    "place": _place,
    "fragment": _fragment,
    "query": _query,
    "keep": _keep,
    "element": _element,
    "values": _counted_values,
    "contact": checked_contact,
    "webmention": _webmention,
}
