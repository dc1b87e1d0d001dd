"""What whoever runs the server does: sites, API keys, and the snippet to paste. For the command line and the dashboard.

A site key is public; an API key's secret is handed out once and stored as its SHA-256 alone.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Final, NamedTuple

import msgspec

from grapevine.domain.ids import ALPHABET
from grapevine.domain.urls import UrlError, parse_origin
from grapevine.errors import Forbidden, Invalid, UnknownSite
from grapevine.store.base import Store
from grapevine.store.repositories.api_keys import ApiKeyRepository
from grapevine.store.repositories.sites import SiteRepository
from grapevine.store.rows import KeyRow, SiteRow

SCOPES: Final = ("read", "write", "admin")
"""From the narrowest to the widest; each allows what those before it allow."""

PLACES: Final = ("auto", "fragment", "query")
CHANGEABLE: Final = ("name", "origin", "param", "place", "query", "element")
ELEMENT: Final = "grapevine"
"""What the names of the widget's elements begin with unless a site says otherwise."""
KEY_PREFIX: Final = "gv_"

_SITE_KEY_LENGTH: Final = 16
_KEY_ID_LENGTH: Final = 10
_SECRET_LENGTH: Final = 40
_SALT_BYTES: Final = 32
_LONGEST_NAME: Final = 100
_MOST_ORIGINS: Final = 100
_ATTEMPTS: Final = 16
_PARAM: Final = re.compile(r"[0-9A-Za-z_-]{1,16}")
_ELEMENT: Final = re.compile(r"(?!xml)[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_LONGEST_ELEMENT: Final = 20
_QUERY_NAME: Final = re.compile(r"[^\s&=#?,]{1,100}")

Random = Callable[[int], bytes]
"""So many random bytes."""


class NewKey(NamedTuple):
    """An API key as it is handed out, once: ``secret`` is stored nowhere."""

    row: KeyRow
    secret: str


class NewSite(NamedTuple):
    """A site as it was added, with the first key to administer it."""

    row: SiteRow
    key: NewKey


async def add_site(
    store: Store, name: str, origins: Sequence[str], now: int, random: Random = secrets.token_bytes
) -> NewSite:
    """Adds a site with an admin key. Raises Invalid for a name or an origin that cannot be."""
    named, checked = _name(name), _origins(origins)
    for _ in range(_ATTEMPTS):
        number = max((site.site_id for site in await store.sites.sites()), default=0) + 1
        row = SiteRow(
            site_id=number, key=_letters(random, _SITE_KEY_LENGTH), name=named, salt=random(_SALT_BYTES).hex(),
            param="gv", place="auto", query="*", created_at=now, origins=checked,
        )  # fmt: skip
        try:
            await store.sites.add_site(row)
        except Exception:
            if not any(site.site_id == number and site.key != row.key for site in await store.sites.sites()):
                raise
            continue  # somebody else took the number in the meantime
        return NewSite(row, await add_key(store.api_keys, row, "admin", "first key", now, random))
    raise RuntimeError(f"no free site number in {_ATTEMPTS} attempts")


async def set_site(sites: SiteRepository, site: SiteRow, changes: Mapping[str, Sequence[str]]) -> SiteRow:
    """Changes what may be changed: ``name``, ``origin`` (all of them anew), ``param``, ``place``, ``query``,
    ``element``.

    ``query`` is ``*`` (all but tracking parameters tell pages apart) or the names that do. ``element`` and what the
    widget appends (``-buttons``, ``-follow`` …) are a custom element's name by the HTML standard; XML keeps names that
    begin with ``xml`` to itself. Raises Invalid.
    """
    values: dict[str, object] = {}
    for field, texts in changes.items():
        if field == "origin":
            values["origins"] = _origins(texts)
        elif field in CHANGEABLE:
            values[field] = _CHECKS[field](_one(field, texts))
        else:
            raise Invalid.of(field, f"cannot be set; what can be set: {', '.join(CHANGEABLE)}")
    changed = msgspec.structs.replace(site, **values)
    await sites.set_site(changed)
    return changed


async def add_key(
    api_keys: ApiKeyRepository, site: SiteRow, scope: str, name: str, now: int, random: Random = secrets.token_bytes
) -> NewKey:
    """Adds an API key for one site. Raises Invalid for a scope or a name that cannot be."""
    if scope not in SCOPES:
        raise Invalid.of("scope", f"must be one of {', '.join(SCOPES)}")
    secret = KEY_PREFIX + _letters(random, _SECRET_LENGTH)
    row = KeyRow(_letters(random, _KEY_ID_LENGTH), site.site_id, _name(name), scope, now, None)
    await api_keys.add_key(row, digest(secret))
    return NewKey(row, secret)


async def key_of(api_keys: ApiKeyRepository, secret: str) -> KeyRow | None:
    """The key in force with this secret."""
    return await api_keys.key_by_hash(digest(secret))


async def site_with(sites: SiteRepository, key: str) -> SiteRow:
    """The site with this public key. Raises UnknownSite."""
    for site in await sites.sites():
        if site.key == key:
            return site
    if key.startswith(KEY_PREFIX):
        raise Forbidden(
            "that is the secret of an API key; a site is named by its public key, see `grapevine site list`"
        )
    raise UnknownSite(f"no site of this server has the key {key[:40]!r}; see `grapevine site list`")


def digest(secret: str) -> str:
    """What is stored of an API key's secret: its SHA-256 as hex."""
    return hashlib.sha256(secret.encode()).hexdigest()


def snippet(site: SiteRow, base_url: str, prefix: str = "") -> str:
    """The line to paste into every page of the site. ``base_url`` is where browsers reach this server."""
    attributes = {"data-site": site.key}
    if site.param != "gv":
        attributes["data-param"] = site.param
    if site.place != "auto":
        attributes["data-place"] = site.place
    if site.element != ELEMENT:
        attributes["data-element"] = site.element
    data = " ".join(f'{name}="{escape(value)}"' for name, value in attributes.items())
    return f'<script async src="{escape(base_url)}{escape(prefix)}/widget.js" {data}></script>'


def _letters(random: Random, length: int) -> str:
    """So many letters and digits, each as likely as any other."""
    letters = ""
    while len(letters) < length:
        letters += "".join(ALPHABET[byte % 62] for byte in random(length) if byte < 248)
    return letters[:length]


def _one(field: str, texts: Sequence[str]) -> str:
    if len(texts) != 1:
        raise Invalid.of(field, "can have one value only")
    return texts[0]


def _name(text: str) -> str:
    name = text.strip()
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        raise Invalid.of("name", f"must be 1 to {_LONGEST_NAME} printable characters")
    return name


def _origins(texts: Sequence[str]) -> tuple[str, ...]:
    if not 1 <= len(texts) <= _MOST_ORIGINS:
        raise Invalid.of("origin", f"must be named 1 to {_MOST_ORIGINS} times")
    try:
        return tuple(dict.fromkeys(parse_origin(text.strip()) for text in texts))
    except UrlError as error:
        raise Invalid.of("origin", f"{error} (an origin is like https://example.com)") from None


def _param(text: str) -> str:
    if not _PARAM.fullmatch(text):
        raise Invalid.of("param", "must be 1 to 16 letters, digits, '-' or '_'")
    return text


def _place(text: str) -> str:
    if text not in PLACES:
        raise Invalid.of("place", f"must be one of {', '.join(PLACES)}")
    return text


def _element(text: str) -> str:
    if len(text) > _LONGEST_ELEMENT or not _ELEMENT.fullmatch(text):
        raise Invalid.of(
            "element",
            f"must be 1 to {_LONGEST_ELEMENT} of a-z and 0-9, single '-' between them, the first a letter; not xml…",
        )
    return text


def _query(text: str) -> str:
    names = sorted(set(re.split(r"[\s,]+", text.strip()))) if text.strip() else []
    if names != ["*"] and not all(_QUERY_NAME.fullmatch(name) and name != "*" for name in names):
        raise Invalid.of("query", "must be * or the names of the query parameters that tell pages apart")
    return " ".join(names)


_CHECKS: Final[Mapping[str, Callable[[str], str]]] = {
    "name": _name,
    "param": _param,
    "place": _place,
    "query": _query,
    "element": _element,
}
