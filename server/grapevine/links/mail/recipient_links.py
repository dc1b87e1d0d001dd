"""One minted link for each recipient of a mailing, however often it is prepared."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Final

import msgspec

from grapevine.domain.channels import CODES
from grapevine.domain.printable import name_text
from grapevine.links.bounds import LinkBound
from grapevine.links.finding import MOST_LISTED, NamesAsked, find_links
from grapevine.links.minting import mint
from grapevine.links.new_links import check_links
from grapevine.links.schemas import NewLink
from grapevine.sites.cache import Site
from grapevine.store.base import Store
from grapevine.writer.nonces import Nonces

AT_ONCE: Final = 1_000
"""Links that are made in one transaction, all or none."""
_NONCE_BYTES: Final = 16


class RecipientLinks:
    """Makes the links of a mailing like ``link``, one for each external id.

    Where ``link`` has a campaign, a recipient who has a link of that campaign with the same label and channel keeps it:
    a command that was stopped goes on where it was, and one that is repeated makes nothing.
    """

    def __init__(self, store: Store, nonces: Nonces, site: Site, bound: LinkBound, link: NewLink) -> None:
        self._store = store
        self._nonces = nonces
        self._site = site
        self._bound = bound
        self._link = link
        self._known: dict[str | None, int] = {}
        self.made = 0
        """How many links were made."""

    async def read_known(self) -> None:
        """Reads which links the campaign has."""
        if self._link.campaign is None:
            return
        names, code = NamesAsked(campaign=self._link.campaign), CODES[self._link.channel]
        label = None if self._link.label is None else name_text(self._link.label)
        cursor = None
        while True:
            found = await find_links(self._store.links, self._nonces, self._site.site_id, names, MOST_LISTED, cursor)
            for row in found.rows:
                if row.label == label and row.channel == code:
                    self._known[row.external_id] = row.visit_id
            cursor = found.next
            if cursor is None:
                return

    async def tokens(self, recipients: Sequence[str | None], now: int) -> list[str]:
        """Returns the tokens of up to a thousand recipients, in their order; makes those links that are missing, all or
        none. Raises Invalid, RateLimited."""
        missing = list(dict.fromkeys(each for each in recipients if each not in self._known))
        wanted = [msgspec.structs.replace(self._link, external_id=each) for each in missing]
        if wanted:
            checked = await check_links(self._site, wanted, now, is_list=False)
            await self._bound.take(self._site.site_id, len(checked))
            nonce = secrets.token_hex(_NONCE_BYTES)
            rows = await mint(self._store, self._nonces, self._site, checked, now, nonce)
            self._known.update((each, row.visit_id) for each, row in zip(missing, rows, strict=True))
            self.made += len(rows)
        code = CODES[self._link.channel]
        return [self._site.tokens.mint_one(self._known[each], code) for each in recipients]
