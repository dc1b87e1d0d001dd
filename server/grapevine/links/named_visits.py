"""Finds the visit that a server with an API key means: by its id, by a token, or by your own name for a person.

Conversions and answers with a key name their visits in the same three ways, and here alone is said what each means.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from grapevine.domain import ids
from grapevine.domain.printable import name_text
from grapevine.domain.tokens import TokenError
from grapevine.errors import FieldError, Invalid
from grapevine.sites.cache import Site
from grapevine.store.readers.reads import Reads
from grapevine.store.repositories.links import LinkRepository
from grapevine.writer.link_names import EXTERNAL_ID, name_key
from grapevine.writer.nonces import Nonces

MOST_LINKS: Final = 1_000
"""So many links of one ``external_id`` are looked at, the newest."""


class NamedVisit(NamedTuple):
    """How a visit is named: by exactly one of these."""

    visit: str | None = None
    token: str | None = None
    external_id: str | None = None

    @property
    def field(self) -> str:
        """The name of the one that is given; ``visit`` where none is."""
        return next((field for field, text in self._asdict().items() if text is not None), "visit")

    def check(self, errors: list[FieldError]) -> None:
        """Adds an error where not exactly one is given."""
        if sum(text is not None for text in self) != 1:
            errors.append(FieldError("visit", "or `token` or `external_id` is needed, and not more than one of them"))


def check_begun(visit_id: int, at: int) -> None:
    """Raises Invalid where ``at`` (UTC ms) is before the visit began, as far as its id says. The day of an id is its
    visitor's, which may be one off."""
    if at < ids.day_start(ids.day_of(visit_id) - 1):
        raise Invalid.of("at", "is before the visit began")


class VisitFinder:
    """Finds visits as calls with a key name them. Reads, and changes nothing."""

    def __init__(self, reads: Reads, links: LinkRepository, nonces: Nonces) -> None:
        self._reads = reads
        self._links = links
        self._nonces = nonces

    async def find(self, site: Site, named: NamedVisit, at: int) -> int:
        """Returns the id of the visit that is meant by the time ``at`` (UTC ms). Raises Invalid of the field that names
        it.

        A ``visit`` and a session are the visit's own; whether it is stored, the writer knows. A share token means the
        last visit that came through it by then, an ``external_id`` the last that came through any minted link with it:
        through the link itself, and not through what somebody shared who had. Self-returns are left out.
        """
        if named.token is not None:
            return await self._of_token(site, named.token, at)
        if named.external_id is not None:
            return await self._of_person(site.site_id, named.external_id, at)
        number = ids.visit_number(named.visit or "")
        if number is None:
            raise Invalid.of("visit", "is not the id of a visit: those are 11 letters and digits")
        return number

    async def _of_token(self, site: Site, text: str, at: int) -> int:
        try:
            token = site.tokens.read(text)
        except TokenError as error:
            raise Invalid.of("token", f"is not a token of this site: {error}") from None
        if token.is_session:
            return token.visit_id
        found = await self._reads.shares.last_return(site.site_id, *token, at)
        if found is None:
            raise Invalid.of("token", "names a share through which no visit had come by then")
        return found

    async def _of_person(self, site_id: int, external_id: str, at: int) -> int:
        key = name_key(self._nonces, site_id, EXTERNAL_ID, name_text(external_id))
        named = await self._links.ids_named(site_id, EXTERNAL_ID, key, MOST_LINKS)
        if not named:
            raise Invalid.of("external_id", "is on none of this site's minted links")
        returns = await self._reads.links.returns(site_id, named)
        tokens = [(each.visit_id, each.channel, each.n) for each in returns if each.returns]
        found = await self._reads.links.last_return(site_id, tokens, at)
        if found is None:
            raise Invalid.of("external_id", "is on links through which no visit had come by then")
        return found
