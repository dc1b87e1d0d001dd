"""Where the links of a cascade's shares were pasted, as the robots that fetched their previews say."""

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
        """Those of one visit's shares."""
        return self.visits.get(visit, _NOTHING)


async def cascade_unfurls(reads: Reads, site: Site, root: str) -> CascadeUnfurls:
    """The unfurls of the cascade that grew from the visit ``root``, in one question; none when it spells no visit."""
    root_id = ids.visit_number(root)
    found = [] if root_id is None else await reads.cascades.cascade_unfurls(site.site_id, root_id)
    apps: dict[str, int] = {}
    visits: dict[str, dict[str, int]] = {}
    for visit, _, _, app, times in sorted(found):
        of_visit = visits.setdefault(ids.visit_text(visit), {})
        for counted in (apps, of_visit):
            counted[app] = counted.get(app, 0) + times
    return CascadeUnfurls(apps=apps, visits=visits)
