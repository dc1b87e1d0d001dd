"""The unfurls of a cascade: the apps whose robots fetched its links for a link preview, so where they were pasted."""

from __future__ import annotations

from typing import Final

import msgspec

from grapevine.domain import ids
from grapevine.sites.cache import Site
from grapevine.store.readers.reads import Reads

_NOTHING: Final[dict[str, int]] = {}


class CascadeUnfurls(msgspec.Struct, frozen=True):
    """Unfurls by app: of all shares of a cascade, and of those of each visit (11 characters)."""

    apps: dict[str, int]
    visits: dict[str, dict[str, int]]

    def of(self, visit: str) -> dict[str, int]:
        """Returns the unfurls of one visit's shares by app."""
        return self.visits.get(visit, _NOTHING)


async def cascade_unfurls(reads: Reads, site: Site, root: str) -> CascadeUnfurls:
    """Returns the unfurls of the cascade that grew from the visit ``root``, with one query; none when ``root`` is no
    visit's id."""
    root_id = ids.visit_number(root)
    found = [] if root_id is None else await reads.cascades.cascade_unfurls(site.site_id, root_id)
    apps: dict[str, int] = {}
    visits: dict[str, dict[str, int]] = {}
    for visit, _, _, app, times in sorted(found):
        of_visit = visits.setdefault(ids.visit_text(visit), {})
        for counted in (apps, of_visit):
            counted[app] = counted.get(app, 0) + times
    return CascadeUnfurls(apps=apps, visits=visits)
