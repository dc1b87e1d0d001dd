"""Adds, changes and finds sites, for the command line, the API and the dashboard. A site's key is public."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from grapevine.errors import Invalid, UnknownSite
from grapevine.sites.api_keys import NewKey, make_key
from grapevine.sites.lookup import SITE_KEY_LENGTH, site_named
from grapevine.sites.random_letters import Random, random_letters
from grapevine.sites.validation import checked_changes
from grapevine.store.base import Store
from grapevine.store.repositories.kept_answers import AlreadyAnswered
from grapevine.store.repositories.sites import SiteRepository, TooManySites
from grapevine.store.rows import KeptAnswer, SiteRow

MOST_SITES: Final = 20_000
"""Sites of a server. Every process holds all of them in memory, and reads them again whenever one changes."""
_SALT_BYTES: Final = 32
_ATTEMPTS: Final = 16


class NewSite(NamedTuple):
    """A site as it was added, with the first key to administer it."""

    row: SiteRow
    key: NewKey


async def add_site(
    store: Store,
    name: str,
    origins: Sequence[str],
    now: int,
    random: Random = secrets.token_bytes,
    *,
    contact: str = "",
    answer: Callable[[NewSite], KeptAnswer | None] = lambda _: None,
) -> NewSite:
    """Adds a site with an admin key. ``answer`` makes what is kept for a repeat of the request.

    Raises Invalid for a name, an origin or a contact that cannot be, and for one site too many; AlreadyAnswered.
    """
    given = checked_changes({"name": (name,), "origin": origins, "contact": (contact,)})
    for _ in range(_ATTEMPTS):
        number = await store.sites.highest_number() + 1
        row = SiteRow(
            site_id=number,
            key=random_letters(random, SITE_KEY_LENGTH),
            salt=random(_SALT_BYTES).hex(),
            param="gv",
            place="auto",
            query="*",
            created_at=now,
            **given,
        )
        added = NewSite(row, make_key([number], "admin", "first key", now, random))
        try:
            await store.sites.add_site(row, added.key.stored(), answer(added), MOST_SITES)
        except AlreadyAnswered:
            raise
        except TooManySites:
            detail = f"would be one more than the {MOST_SITES:,} sites that a server can have"
            raise Invalid.of("name", detail) from None
        except Exception:
            if not any(site.site_id == number and site.key != row.key for site in await store.sites.sites()):
                raise
            continue  # another process took the number in the meantime
        return added
    raise RuntimeError(f"no free site number in {_ATTEMPTS} attempts")


async def change_site(sites: SiteRepository, site: SiteRow, changes: Mapping[str, Sequence[str]]) -> SiteRow:
    """Changes the fields that ``validation.CHANGEABLE`` names, and returns the site as it is then.

    ``origin`` replaces all origins; other fields stay as they are now, whatever they are in ``site``. Raises Invalid,
    and UnknownSite where the site was deleted in the meantime.
    """
    changed = await sites.change_site(site.site_id, checked_changes(changes))
    if changed is None:
        raise UnknownSite(f"The site {site.name!r} was deleted in the meantime.")
    return changed


async def find_site(sites: SiteRepository, named: str) -> SiteRow:
    """The site that a key, a name, an origin or a host names. Raises UnknownSite, also where several fit."""
    return site_named(await sites.sites(), named)
