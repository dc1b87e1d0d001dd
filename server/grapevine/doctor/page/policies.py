"""Reads Content Security Policies and says what they allow, by CSP Level 3 (https://www.w3.org/TR/CSP3/, 2.2 and 6.7).

Source expressions: keywords, schemes, hosts with wildcards, ports and paths, nonces, hashes, ``'strict-dynamic'``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple
from urllib.parse import unquote, urlsplit

SCRIPT: Final = ("script-src-elem", "script-src", "default-src")
CONNECT: Final = ("connect-src", "default-src")
MOST_POLICIES: Final = 20
LONGEST: Final = 20_000
"""Characters of a header or ``meta`` that are read."""
_PORTS: Final = {"http": "80", "https": "443"}
_HASHES: Final = ("'sha256-", "'sha384-", "'sha512-")


class Policy(NamedTuple):
    """One policy: directives by name, each with its source expressions. ``reports_only`` blocks nothing."""

    directives: Mapping[str, tuple[str, ...]]
    reports_only: bool

    def in_force(self, names: tuple[str, ...]) -> str | None:
        """Returns the first of these directives that the policy has."""
        return next((name for name in names if name in self.directives), None)


def parse_policies(text: str, *, reports_only: bool = False) -> list[Policy]:
    """Returns the policies of a header, which commas separate. The first directive of a name counts."""
    found = []
    for part in text[:LONGEST].split(",", MOST_POLICIES)[:MOST_POLICIES]:
        directives: dict[str, tuple[str, ...]] = {}
        for directive in part.split(";"):
            name, *sources = directive.split() or [""]
            if name:
                directives.setdefault(name.lower(), tuple(sources))
        if directives:
            found.append(Policy(directives, reports_only))
    return found


def trusts_by_nonce(sources: tuple[str, ...]) -> bool:
    """Returns whether addresses have no say, since scripts are trusted by nonce or hash and what they load."""
    return any(source.lower() == "'strict-dynamic'" for source in sources)


def has_nonces(sources: tuple[str, ...]) -> bool:
    """Returns whether scripts may be trusted by a nonce."""
    return any(source.lower().startswith("'nonce-") for source in sources)


def allows_script(sources: tuple[str, ...], url: str, page_origin: str, nonce: str = "", integrity: str = "") -> bool:
    """Returns whether a script element with this address, nonce and integrity may run."""
    if nonce and f"'nonce-{nonce}'" in {source[:7].lower() + source[7:] for source in sources}:
        return True
    hashes = [f"'{value}'" for value in integrity.split()]
    if hashes and all(value in sources for value in hashes if value.startswith(_HASHES)):
        return True
    return not trusts_by_nonce(sources) and allows_address(sources, url, page_origin)


def allows_address(sources: tuple[str, ...], url: str, page_origin: str) -> bool:
    """Returns whether a list of source expressions matches a URL."""
    return any(_matches(source, url, page_origin) for source in sources)


def _matches(source: str, url: str, page_origin: str) -> bool:
    parts, own = urlsplit(url), urlsplit(page_origin)
    lower = source.lower()
    if lower == "*":
        return parts.scheme in ("http", "https", own.scheme)
    if lower == "'self'":
        return f"{parts.scheme}://{parts.netloc}" == page_origin or (
            parts.hostname == own.hostname and own.scheme == "http" and parts.scheme == "https" and _default_ports(url)
        )
    if lower.startswith("'"):
        return False
    if lower.endswith(":") and "/" not in lower:
        return _scheme_matches(lower[:-1], parts.scheme)
    scheme, mark, rest = lower.partition("://")
    if not mark:
        scheme, rest = own.scheme, lower
    if not _scheme_matches(scheme, parts.scheme):
        return False
    at = len(source) - len(rest)
    authority, slash, path = source[at:].partition("/")
    host, port = _host_and_port(authority.lower())
    return (
        _host_matches(host, parts.hostname or "")
        and _port_matches(port, parts.port, parts.scheme)
        and _path_matches(f"{slash}{path}", parts.path)
    )


def _default_ports(url: str) -> bool:
    return urlsplit(url).port in (None, 443)


def _scheme_matches(allowed: str, scheme: str) -> bool:
    return scheme == allowed or (allowed == "http" and scheme == "https") or (allowed == "ws" and scheme == "wss")


def _host_and_port(authority: str) -> tuple[str, str]:
    host, colon, port = authority.rpartition(":")
    return (host, port) if colon and (port.isdigit() or port == "*") else (authority, "")


def _host_matches(allowed: str, host: str) -> bool:
    if allowed.startswith("*."):
        return host.endswith(allowed[1:])
    return allowed in ("*", host) or allowed == f"[{host}]"


def _port_matches(allowed: str, port: int | None, scheme: str) -> bool:
    if allowed == "*":
        return True
    actual = str(port) if port is not None else _PORTS.get(scheme, "")
    return actual == (allowed or _PORTS.get(scheme, "")) or (allowed == "80" and actual == "443")


def _path_matches(allowed: str, path: str) -> bool:
    if allowed in ("", "/"):
        return True
    allowed = unquote(allowed.partition("?")[0])
    path = unquote(path)
    return path.startswith(allowed) if allowed.endswith("/") else path == allowed
