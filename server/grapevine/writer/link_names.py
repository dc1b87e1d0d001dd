"""The names by which minted links are found: external ids, labels, campaigns.

They are looked up by a keyed hash, whose cell makes all links of one name lie on one shard, as a guard does.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from grapevine.domain import ids
from grapevine.store.repositories.links import LinkName, LinkRow
from grapevine.writer.nonces import Nonces

EXTERNAL_ID: Final = 1
LABEL: Final = 2
CAMPAIGN: Final = 3

KINDS: Final = {"external_id": EXTERNAL_ID, "label": LABEL, "campaign": CAMPAIGN}
"""The kinds of names, by the field of a link. The codes are stored: they are added, never changed."""


def name_key(nonces: Nonces, site_id: int, kind: int, text: str) -> int:
    """Returns the keyed hash of a name."""
    return nonces.guard_key("link-name", site_id, kind, text)


def names_of(nonces: Nonces, links: Iterable[LinkRow]) -> list[LinkName]:
    """Returns the rows by which links are found: one for each name that each of them has."""
    names = []
    for link in links:
        for field, kind in KINDS.items():
            text: str | None = getattr(link, field)
            if text is not None:
                key = name_key(nonces, link.site_id, kind, text)
                names.append(
                    LinkName(
                        site_id=link.site_id,
                        kind=kind,
                        name_key=key,
                        cell=ids.hashed_cell(key),
                        visit_id=link.visit_id,
                    )
                )
    return names
