"""What the checking server knows of itself: its sites, and the address of its script."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import msgspec

from grapevine.domain import ids
from grapevine.domain.urls import UrlError, origin_of
from grapevine.store.rows import SiteRow

WIDGET_FILE: Final = re.compile(r"/widget(\.[0-9a-f]{6,20})?\.js$")


class Installation(msgspec.Struct, frozen=True, kw_only=True):
    """``sites`` is None where no database is at hand, as on somebody's laptop; ``script`` is the address in snippets.

    ``only`` is the site that the page must be of: on the dashboard, the one that was signed in to.
    """

    sites: Sequence[SiteRow] | None = None
    script: str | None = None
    only: SiteRow | None = None
    now: int = 0

    def site(self, key: str) -> SiteRow | None:
        """Returns the site with this public key."""
        return next((site for site in self.sites or () if site.key == key), None) if key else None

    def site_of(self, origin: str) -> SiteRow | None:
        """Returns the only site that an origin belongs to."""
        found = [site for site in self.sites or () if origin in site.origins]
        return self.only or (found[0] if len(found) == 1 else None)

    def serves(self, address: str | None) -> bool:
        """Returns whether an address is this server's script."""
        if address is None or self.script is None:
            return False
        path = address.partition("?")[0]
        return WIDGET_FILE.sub("", path) == WIDGET_FILE.sub("", self.script) and WIDGET_FILE.search(path) is not None

    def joint(self, site: SiteRow) -> str:
        """Returns what stands between name and token in a fragment of the site's URLs."""
        return site.joint(ids.day_at(self.now))


def with_origin(site: SiteRow, origin: str) -> str:
    """Returns the command that adds an origin to a site."""
    try:
        origin = origin_of(origin)
    except UrlError:
        return ""
    named = " ".join(f"origin={each}" for each in dict.fromkeys((*site.origins, origin)))
    return f"grapevine site set {site.key} {named}"
