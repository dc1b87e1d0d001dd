"""Share tokens in URLs: where one is written, in which form, and how it is found again.

In a query a token is ``gv=TOKEN``. In a fragment it is ``gv-TOKEN``, an identifier, because many pages look their
fragment up as a selector, where ``#gv=`` is a syntax error; or ``gv=TOKEN`` for sites of older builds of the widget,
which read that alone. Both forms are read in both places. ``widget/src/url.js`` does the same.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final
from urllib.parse import unquote

from grapevine.domain.tokens import LENGTH

_PARAMETERS_CACHED: Final = 1_024
# A link comes back with what it met on its way: a full stop or a bracket of the sentence around it, a tracking
# parameter that was added without a look at the URL, percent-encoding. So all that hangs on a token belongs to it, up
# to the next parameter; only a letter or digit makes it another word.
_TOKEN: Final = rf"([0-9A-Za-z]{{{LENGTH}}})(?![0-9A-Za-z])"
_JOINT: Final = r"(?:[=-]|%[23]D)"
_LEADING: Final = re.compile(_TOKEN)
# Editors and messengers put them into long words: soft hyphens, spaces of no width, marks of the direction of text.
_INVISIBLE: Final = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_ENCODED_IN_TURN: Final = 3
"""How often a pasted URL may be encoded: mail gateways and redirects carry it as a parameter of theirs."""
_IN_PATH: Final = re.compile(rf"/(?:s|about)/{_TOKEN}")


def leading_token(text: str) -> str:
    """Returns the token that ``text`` begins with, without what hangs on it or stands in it unseen; else ``text``."""
    found = _LEADING.match(text) or _LEADING.match(_INVISIBLE.sub("", text))
    return found[1] if found else text


def find_token(text: str, param: str) -> str:
    """Returns the token in pasted text: the token itself, a URL, a sentence with a URL in it; else the trimmed text.

    ``param`` is the name of tokens in the site's URLs.
    """
    trimmed = text.strip()
    return token_in(trimmed, param) or leading_token(trimmed)


def token_in(url: str, param: str) -> str | None:
    """Returns the token that a URL, or a text with URLs, carries as a parameter or as a short link."""
    # The ";" is that of "&amp;" and "&#038;": an address from the source of a page.
    in_url = re.compile(rf"[?&#;]{re.escape(param)}{_JOINT}{_TOKEN}", re.IGNORECASE)
    for _ in range(_ENCODED_IN_TURN):
        if found := in_url.search(url) or _IN_PATH.search(url):
            return found[1]
        url = unquote(url)
    return None


def token_in_query(query: str, param: str) -> str | None:
    """Returns the token in the query of an address; None where there is none."""
    found = _parameter(param).search(query)
    return found[1] if found else None


def without_tokens(text: str, param: str) -> str:
    """Returns a path or a query without tokens and what hangs on them, so that no stored URL holds one."""
    return _parameter(param).sub("", text)


def untagged(url: str, param: str) -> str:
    """Returns a URL without tokens in its path, query and fragment."""
    base, hash_mark, fragment = url.partition("#")
    path, mark, query = base.partition("?")
    kept = without_tokens(query, param).lstrip("&")
    fragment = without_tokens(fragment, param).lstrip("&")
    return without_tokens(path, param) + (mark + kept if kept else "") + (hash_mark + fragment if fragment else "")


def tagged(url: str, token: str, param: str, place: str, joint: str) -> str:
    """``url`` with a share token in it; see ``insertion``."""
    position, before = insertion(url, param, place, joint)
    return f"{url[:position]}{before}{token}{url[position:]}"


def insertion(url: str, param: str, place: str, joint: str) -> tuple[int, str]:
    """Returns at which position of ``url`` a share token is inserted, and the text in front of it.

    ``place`` is ``fragment``, ``query`` or ``auto``: the fragment when the URL has none, else a query parameter before
    it, so that anchors, hash routes and text fragments keep working. ``joint`` stands between name and token in a
    fragment: ``-``, or ``=`` as in a query.
    """
    hash_mark = url.find("#")
    base = len(url) if hash_mark < 0 else hash_mark
    has_fragment = base < len(url) - 1
    if place == "query" or (place == "auto" and has_fragment):
        return base, f"{'?' if url.find('?', 0, base) < 0 else '&'}{param}="
    if hash_mark < 0:
        return base, f"#{param}{joint}"
    return len(url), f"{'&' if has_fragment else ''}{param}{joint}"


@lru_cache(maxsize=_PARAMETERS_CACHED)
def _parameter(param: str) -> re.Pattern[str]:
    """Matches a token of this name in a path or a query, with the mark before it."""
    return re.compile(
        rf"(?:^|[?;]|&(?:amp;|#0*38;)?|%(?:23|26|3F)){re.escape(param)}{_JOINT}{_TOKEN}[^&]*", re.IGNORECASE
    )
