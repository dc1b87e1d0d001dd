"""One spelling for all spellings of an address, so that one page is counted as one.

Two rules make it. What every browser does to an address before it asks a server: escape what no URL holds, resolve dot
segments (WHATWG URL Standard; of its percent-encode sets the widest is taken, since browsers of different ages differ).
And what RFC 3986, section 6.2.2, calls equivalent: the case of escapes, and unreserved characters that are escaped.

Everything that a server can tell apart stays: escaped delimiters (``%2F``), ``+`` and ``%20``, the case of paths,
slashes at the end or doubled, the order of parameters, escapes that are not UTF-8, a ``%`` that begins no escape.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Final
from unicodedata import category
from urllib.parse import quote, unquote

import idna

# Few addresses have any of these: characters to escape, escapes in lower case, of letters, digits, "-", "." "_" or "~",
# and what may be a dot segment. One search decides, in a tenth of a microsecond, that nothing is to be done.
_UNUSUAL: Final = re.compile(
    r"[^!$%&(-;=?-Z\[\]_a-z~]|/\."
    r"|%(?:[a-f]|[0-9A-F][a-f]|2[DE]|3[0-9]|[46][1-9A-F]|[57][0-9A]|5F|7E)"
)
# Apostrophes in queries are escaped by all browsers.
_TO_ESCAPE_IN_PATH: Final = re.compile(r"[^!$%&'(-;=?-Z\[\]_a-z~]+")
_TO_ESCAPE_IN_QUERY: Final = re.compile(r"[^!$%&(-;=?-Z\[\]_a-z~]+")
# Not behind a stray "%" or "%4": what an escape stands for would make an escape of that.
_ESCAPE: Final = re.compile(r"(?<!%)(?<!%[0-9A-Fa-f])%([0-9A-Fa-f]{2})")
_UNRESERVED: Final = re.compile(r"[0-9A-Za-z._~-]")
_ESCAPED_TEXT: Final = re.compile(r"(?:%[89A-F][0-9A-F])+|%(?:5E|60|7B|7C|7D)")
# Letters and marks without a shape: fillers, joiners of graphemes, selectors of variants.
_INVISIBLE: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")
_MOST_PARTS: Final = 4
_LARGEST_PART: Final = 255
_FORBIDDEN_IN_HOST: Final = re.compile(r"[\x00-\x20\"#%/:<>?@\[\\\]^`{|}\x7f]")


def canonical_path(path: str) -> str:
    """Returns the canonical spelling of the path of an http(s) URL; ``/`` for an empty one."""
    if _UNUSUAL.search(path) is None:
        return path or "/"
    return without_dot_segments(_escapes(_TO_ESCAPE_IN_PATH.sub(_escaped, path)))


def canonical_query(query: str) -> str:
    """Returns the canonical spelling of the query of an http(s) URL."""
    if _UNUSUAL.search(query) is None:
        return query
    return _escapes(_TO_ESCAPE_IN_QUERY.sub(_escaped, query))


def without_dot_segments(path: str) -> str:
    """Returns a path, which begins with a slash, without its segments ``.`` and ``..`` (RFC 3986, section 5.2.4)."""
    if "/." not in path:
        return path
    segments = path.split("/")[1:]
    kept: list[str] = []
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in (".", ".."):
        kept.append("")
    return "/" + "/".join(kept)


def canonical_stored(url: str) -> str:
    """Returns the canonical spelling of a page's URL as it was stored: an origin, a path and perhaps a query. Anything
    else, such as the page ``(other)``, is returned as it is."""
    scheme, mark, rest = url.partition("://")
    if not mark or _UNUSUAL.search(rest) is None:
        return url
    base, question, query = rest.partition("?")
    host, slash, path = base.partition("/")
    if not slash:
        return url
    return f"{scheme}://{host}{canonical_path(slash + path)}{question}{canonical_query(query)}"


def canonical_host(host: str) -> str:
    """Returns a host as browsers spell it: ``xn--…`` for a name in other letters, IPv6 addresses in their short form,
    IPv4 addresses as four decimal numbers.

    ``host`` is in lower case and has no brackets; the returned one has those that it needs. Raises ValueError, whose
    text continues a sentence about the URL, when no host can have this name.
    """
    if host.isascii() and _FORBIDDEN_IN_HOST.search(host) is None and not _ends_in_number(host):
        return host
    try:
        if ":" in host:
            return f"[{ipaddress.IPv6Address(host).compressed}]"
        name = unquote(host, errors="strict").lower()
        if not name.isascii():
            name = _ascii_name(name)
        if _ends_in_number(name):
            return _ipv4(name)
    except ValueError as error:  # of UTF-8, of IDNA or of an IPv6 address
        raise ValueError(f"names a host that cannot be: {error}") from None
    if _FORBIDDEN_IN_HOST.search(name):
        raise ValueError("holds a character that no host may hold")
    return name


def readable(url: str) -> str:
    """Returns an address as people read it: escaped letters and digits of other alphabets as such, and what only the
    canonical spelling escapes.

    Everything else stays escaped: what could hide or turn text, and what could be taken for a delimiter. For the eye
    alone; what is stored, compared and followed is the canonical spelling.
    """
    if "%" not in url:
        return url
    base, mark, query = _ESCAPED_TEXT.sub(_readable, url).partition("?")
    return base + mark + query.replace("%27", "'")


def _ends_in_number(host: str) -> bool:
    """Returns whether a host can be nothing but an IPv4 address (WHATWG URL Standard, "ends in a number"): the last of
    its parts is a number. That of a name begins with a letter, nearly always."""
    last = host.rpartition(".")[2] or host[:-1].rpartition(".")[2]
    return last[:1].isdigit() and _NUMBER.fullmatch(last) is not None


def _ipv4(host: str) -> str:
    """Returns an IPv4 address, of which parts may be left out, or be octal or hexadecimal (WHATWG URL Standard, "IPv4
    parser"): ``127.1`` and ``0x7f000001`` are ``127.0.0.1``. Raises ValueError."""
    parts = host.removesuffix(".").split(".")
    if len(parts) > _MOST_PARTS:
        raise ValueError("an IPv4 address has at most four numbers")
    numbers = [_number(part) for part in parts]
    last = numbers.pop()
    if any(number > _LARGEST_PART for number in numbers) or last >= 256 ** (_MOST_PARTS - len(numbers)):
        raise ValueError("a number of an IPv4 address is too large")
    value = last + sum(number << 8 * (3 - index) for index, number in enumerate(numbers))
    return str(ipaddress.IPv4Address(value))


def _number(text: str) -> int:
    if _NUMBER.fullmatch(text) is None:
        raise ValueError(f"{text[:20]!r} is no number of an IPv4 address")
    if text.startswith("0x"):
        return int(text[2:] or "0", 16)
    return int(text, 8 if text.startswith("0") else 10)


def _escaped(found: re.Match[str]) -> str:
    return quote(found[0], safe="")


def _escapes(text: str) -> str:
    return _ESCAPE.sub(_escape, text) if "%" in text else text


def _escape(found: re.Match[str]) -> str:
    character = chr(int(found[1], 16))
    return character if _UNRESERVED.fullmatch(character) else found[0].upper()


def _readable(found: re.Match[str]) -> str:
    try:
        text = unquote(found[0], errors="strict")
    except UnicodeDecodeError:
        return found[0]
    if text.isascii():
        return text
    return "".join(each if category(each)[0] in "LMN" and not _INVISIBLE.match(each) else quote(each) for each in text)


def _ascii_name(name: str) -> str:
    """Returns a name in other letters as ``xn--…``. Raises IDNAError, a ValueError.

    Browsers take symbols as well, and an underscore, which no registry of names takes (UTS 46): those are left out
    where the rules for letters are tested.
    """
    try:
        return idna.encode(name, uts46=True).decode()
    except idna.IDNAError:
        labels = idna.uts46_remap(name, std3_rules=False).split(".")
        letters = ["".join(each for each in label if each != "_" and category(each)[0] != "S") for label in labels]
        if letters == labels:
            raise
        for label in filter(None, letters):
            idna.encode(label)
        return ".".join(each if each.isascii() else f"xn--{each.encode('punycode').decode()}" for each in labels)
