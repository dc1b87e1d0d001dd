"""Finds the minted links of a site: one by its token, many by their names."""

from __future__ import annotations

from typing import Final, NamedTuple

from grapevine.domain import cursors
from grapevine.domain.ids import day_of
from grapevine.domain.printable import name_text
from grapevine.errors import NotFound
from grapevine.store.repositories.links import BEFORE_ALL, LinkRepository, LinkRow
from grapevine.writer.link_names import KINDS, name_key
from grapevine.writer.nonces import Nonces

MOST_LISTED: Final = 1_000
"""Links of one page of a list."""


class NamesAsked(NamedTuple):
    """The names that links are to have; all links where there is none."""

    external_id: str | None = None
    label: str | None = None
    campaign: str | None = None

    def given(self) -> dict[str, str]:
        """Returns those that are given, by field."""
        return {field: text for field, text in self._asdict().items() if text is not None}

    def as_stored(self) -> NamesAsked:
        """Returns the names as links have them that were made with the same texts."""
        return NamesAsked(*(None if text is None else name_text(text) for text in self))

    def fit(self, row: LinkRow) -> bool:
        """Returns whether a link has all of them."""
        return all(getattr(row, field) == text for field, text in self.given().items())


class FoundLinks(NamedTuple):
    """Links; ``next`` is the cursor of older ones, None after the oldest."""

    rows: list[LinkRow]
    next: str | None


class _Position(NamedTuple):
    """The id behind which a page begins."""

    visit_id: cursors.Number


async def find_link(links: LinkRepository, site_id: int, visit_id: int) -> LinkRow:
    """Returns a link by the id of its node. Raises NotFound."""
    row = await links.link(site_id, visit_id)
    if row is None:
        raise NotFound("This site has no minted link with that token: it was deleted, or was never made.")
    return row


async def find_links(
    links: LinkRepository, nonces: Nonces, site_id: int, names: NamesAsked, limit: int, cursor: str | None = None
) -> FoundLinks:
    """Returns the links that have all of ``names``, those of the newest day first, up to ``limit`` at a time.

    With several names a page may have fewer. Raises Invalid for a limit or a cursor that cannot be.
    """
    cursors.check_limit(limit, MOST_LISTED)
    names = names.as_stored()
    given = names.given()
    asked = cursors.question("links", site_id, *names)
    before = BEFORE_ALL if cursor is None else cursors.read(cursor, asked, _Position).visit_id
    if given:
        field, text = next(iter(given.items()))
        key = name_key(nonces, site_id, KINDS[field], text)
        found = await links.ids_named(site_id, KINDS[field], key, limit + 1, before)
        stored = await links.links(site_id, found[:limit])
        rows = [row for visit_id in found[:limit] if (row := stored.get(visit_id)) is not None and names.fit(row)]
    else:
        all_rows = await links.of_site(site_id, limit + 1, before)
        rows, found = all_rows[:limit], [row.visit_id for row in all_rows]
    following = cursors.written(asked, _Position(found[limit - 1])) if len(found) > limit else None
    return FoundLinks(sorted(rows, key=newest_first), following)


def newest_first(row: LinkRow) -> tuple[int, int, int]:
    """The order of links by age."""
    return -day_of(row.visit_id), -row.created_at, -row.visit_id
