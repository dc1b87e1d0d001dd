"""Lists of minted links, and the parameters by which they are found."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from msgspec.structs import asdict

from grapevine.analytics.links import LinkGeneration, LinkNumbers, LinkTotals, PlaceNumbers
from grapevine.domain.money import Amounts
from grapevine.links.finding import MOST_LISTED
from grapevine.links.schemas import MintedLink

LISTED: Final = 100

_Name = Annotated[str, msgspec.Meta(min_length=1)]


class LinkPath(msgspec.Struct, frozen=True):
    """The path of one link."""

    token: Annotated[str, msgspec.Meta(examples=["8ELulSh3Pe9N6xYWSciuLsM"])]
    """The link's token, that of one of its places or of its QR code, or the id of its node."""


class LinksQuery(msgspec.Struct, frozen=True, kw_only=True):
    """The parameters of ``GET /v1/links``."""

    external_id: _Name | None = None
    """Only links with this external id."""
    label: _Name | None = None
    """Only links with this label."""
    campaign: _Name | None = None
    """Only links of this campaign."""
    limit: Annotated[int, msgspec.Meta(ge=1, le=MOST_LISTED)] = LISTED
    """How many links at most. With several names a page may have fewer, although there is a next one."""
    cursor: str | None = None
    """Where the page begins: `next` of the page before."""


class DeleteLinksQuery(msgspec.Struct, frozen=True, kw_only=True):
    """The parameters of ``DELETE /v1/links``."""

    campaign: Annotated[_Name | None, msgspec.Meta(examples=["spring"])] = None
    """Whose links are deleted."""
    external_id: _Name | None = None
    """Of whom or what links are deleted."""


class DeletedLinks(msgspec.Struct, frozen=True, kw_only=True):
    """What ``DELETE /v1/links`` did."""

    deleted: int
    """How many links were deleted."""
    more: bool
    """Whether there are others: the same call deletes them."""


class ListedLink(MintedLink, frozen=True, kw_only=True):
    """A minted link and what it brought (``analytics.links.LinkTotals``)."""

    clicks: int
    """How often people followed its short links, without the scans of its QR codes."""
    scans: int
    """How often people scanned its QR codes."""
    returns: int
    """Visits through it, without self-returns."""
    visits: int
    """All visits that grew from it, in all generations, without self-returns."""
    max_depth: int
    """The depth of the deepest of them: 1 where none of its visitors shared it further, 0 without a visit."""
    conversions: int
    """Goals that its visits reached."""


class LinkReport(ListedLink, frozen=True, kw_only=True):
    """A minted link and all that it brought (``analytics.links.LinkNumbers``)."""

    self_returns: int
    """Visits through it by somebody whom the browser knows as its sharer."""
    networks: int
    """From how many networks its returns came, each counted once a day."""
    shares: int
    """Shares that its visits made, those of self-returns included. Its own tokens are none of them."""
    value: Amounts
    """The value of its conversions by currency."""
    generations: list[LinkGeneration]
    """Its visits by depth."""
    unfurls: dict[str, int]
    """Previews of the link by the app that drew them."""
    by_place: list[PlaceNumbers]
    """What each of its places brought."""
    clicked_at: str | None
    """When it was last followed or scanned; null for never."""


class LinkList(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Minted links, those of the newest day first."""

    links: list[ListedLink]
    """The links."""
    next: str | None = None
    """The cursor of the next page; absent where this is the last."""


def listed(link: MintedLink, totals: LinkTotals) -> ListedLink:
    """Returns a link with what it brought."""
    return ListedLink(**asdict(link), **asdict(totals))


def reported(link: MintedLink, numbers: LinkNumbers) -> LinkReport:
    """Returns a link with all that it brought."""
    return LinkReport(**asdict(link), **asdict(numbers))
