"""What a line of an access log stands for: an arrival through a shared link, an unfurl, or nothing that counts.

Whatever needs other rows is decided later, by ``writer.logged_visits``.
"""

from __future__ import annotations

import secrets
from functools import lru_cache
from hashlib import blake2b
from typing import Final
from urllib.parse import urlsplit

from grapevine.access_logs.combined import is_address
from grapevine.access_logs.entry import LogEntry
from grapevine.collect.user_agents import Agent, read_agent
from grapevine.collect.visitor_hash import VisitorSalts, network_hash, visitor_hash
from grapevine.domain import ids
from grapevine.domain.enums import SOURCES, VERDICTS
from grapevine.domain.events import Unfurl, VisitEvent
from grapevine.domain.networks import network_of
from grapevine.domain.token_urls import token_in_query
from grapevine.domain.tokens import Token, TokenError
from grapevine.domain.urls import UrlError
from grapevine.sites.cache import Site

REFUSALS: Final = {
    "not-shown": "answered with an error or a redirect, or no GET",
    "partial": "answered with a part of a file",
    "prefetched": "fetched ahead by a browser and perhaps never shown",
    "opted-out": "of browsers that ask not to be followed",
    "foreign-host": "of a host that is none of the site's origins",
    "not-a-page": "of addresses that cannot be a page of the site",
    "bad-signature": "with a token that this site did not sign",
    "session": "with a session of a visit in place of a token",
    "unknown-visit": "with a token of a visit that is not here: erased, past retention, or never stored",
    "erased": "perhaps of visits that were erased, which stay so",
    "before-share": "older than the link in the address",
    "past-retention": "older than what this server keeps",
    "future": "of a time that is still to come",
    "too-long": "longer than 64 KiB",
}
"""Why a line with a token is not counted, and what is said of such lines."""

ROBOT: Final = "robot"
_MINUTE_MS: Final = 60_000
_DRIVEN: Final = VERDICTS["driven"]
_SHARE: Final = SOURCES["share"]
_HOSTS_CACHED: Final = 1_024
_LONGEST_HOST: Final = 300
"""A name has 253 characters at most, and there may be a port."""
_LONGEST_LANGUAGE: Final = 256
_SALT_BYTES: Final = 32
_MULTIPLE_CHOICES: Final = 300
_OK: Final = 200
_PARTIAL_CONTENT: Final = 206
"""A player asks for one part of a file after the other, and a log does not say which was the first."""
_NOT_MODIFIED: Final = 304
_LAST_DAY: Final = 1 << 16


class ArrivalReader:
    """Reads the entries of one site's log. ``origin`` is the one of a log that names no host; ``first_day`` the first
    day (number) that is kept."""

    def __init__(self, site: Site, origin: str, salts: VisitorSalts, first_day: int) -> None:
        self._site = site
        self.origin = origin
        self._salts = salts
        self._first_day = max(first_day, 0)
        self._origin_of = lru_cache(maxsize=_HOSTS_CACHED)(self._find_origin)
        # Networks of days whose salt is gone are told apart for the bounds of names, and by nothing that is stored.
        self._bounds_salt = secrets.token_bytes(_SALT_BYTES)
        self.names_hosts = True
        """Whether every entry so far named its host."""

    def read(self, line: bytes, entry: LogEntry, now: int) -> VisitEvent | Unfurl | str | None:
        """Returns the event of a line; ROBOT, or a key of REFUSALS, where nothing counts; None for a line without a
        token in its query."""
        text = token_in_query(entry.target.partition("?")[2], self._site.row.param)
        if text is None:
            return None
        if entry.method != "GET" or not (_OK <= entry.status < _MULTIPLE_CHOICES or entry.status == _NOT_MODIFIED):
            return "not-shown"
        if entry.status == _PARTIAL_CONTENT:
            return "partial"
        url = self._url(entry)
        if url is None:
            return "foreign-host"
        try:
            token = self._site.tokens.read(text)
        except TokenError as error:
            return error.reason
        refusal = "session" if token.is_session else self._untimely(entry.at, token, now)
        if refusal:
            return refusal
        agent = read_agent(entry.user_agent)
        if agent.preview is not None:
            return Unfurl(site_id=self._site.site_id, token=token, at=min(entry.at, now), app=agent.preview)
        if agent.robot:
            return ROBOT
        if entry.prefetched or entry.opted_out:
            return "prefetched" if entry.prefetched else "opted-out"
        return self._arrival(line, entry, url, token, agent, now)

    def _arrival(
        self, line: bytes, entry: LogEntry, url: str, token: Token, agent: Agent, now: int
    ) -> VisitEvent | str:
        site_id, day = self._site.site_id, ids.day_at(entry.at)
        try:
            page = self._site.page(url)
        except UrlError:
            return "not-a-page"
        # A proxy may have let through anything as the address: it is not kept in a cache.
        address = entry.address if is_address(entry.address) else ""
        salt = self._salt(day, now) if address else None
        before = self._salt(day - 1, now)
        return VisitEvent(
            site_id=site_id,
            nonce=f"log {blake2b(line, digest_size=16).hexdigest()}",  # no browser draws one with a space
            day=day,
            at=min(entry.at, now),
            page=page,
            title=None,
            source=_SHARE,
            device=agent.device,
            app=agent.app,
            visitor=None if salt is None else self._visitor(salt, entry),
            visitor_before=None if salt is None or before is None else self._visitor(before, entry),
            token=token,
            reason=None,
            own=False,
            verdict=_DRIVEN if agent.suspect else None,
            network=network_hash(self._bounds_salt if salt is None else salt, site_id, address),
            spread=self._site.spread,
            logged=True,
        )

    def _untimely(self, at: int, token: Token, now: int) -> str | None:
        """Returns why the time of a line is none that counts. A minute ahead is taken, as clocks differ."""
        if at > now + _MINUTE_MS:
            return "future"
        if not self._first_day <= ids.day_at(at) < _LAST_DAY:
            return "past-retention"
        # The day of an id is its visitor's, which may be one off.
        return "before-share" if at < ids.day_start(ids.day_of(token.visit_id) - 1) else None

    def _salt(self, day: int, now: int) -> bytes | None:
        """Returns the salt of a day while it exists: today's and yesterday's."""
        today = ids.day_at(now)
        return self._salts.of_day(day) if self._salts.at_hand(today) and today - 1 <= day <= today else None

    def _visitor(self, salt: bytes, entry: LogEntry) -> int:
        language = entry.language[:_LONGEST_LANGUAGE]
        return visitor_hash(salt, self._site.site_id, network_of(entry.address), entry.user_agent, language)

    def _url(self, entry: LogEntry) -> str | None:
        """Returns the address that was asked for; None where its host is none of the site's."""
        target, host = entry.target, entry.host
        if target.startswith(("http://", "https://")):
            scheme, _, rest = target.partition("://")
            host = rest.partition("?")[0].partition("/")[0]
            target = target[len(scheme) + len("://") + len(host) :]
        if host is None:
            self.names_hosts = False
            return self.origin + target
        origin = self._origin_of(host) if len(host) <= _LONGEST_HOST else None
        return None if origin is None else origin + target

    def _find_origin(self, host: str) -> str | None:
        """Returns the site's origin with a host: a log does not say whether https was used, and the port may be that
        behind a proxy."""
        try:
            asked = urlsplit(f"//{host}")
            name, port = asked.hostname, asked.port
        except ValueError:
            return None
        found = [(urlsplit(origin), origin) for origin in self._site.origins]
        fitting = [
            (parts.port != port, parts.scheme != "https", origin) for parts, origin in found if parts.hostname == name
        ]
        return min(fitting)[2] if fitting else None
