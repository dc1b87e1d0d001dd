"""Minted links as the API takes and answers them."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from grapevine.domain.channels import CODES

MOST_LINKS: Final = 1_000
"""Links that one call makes."""
MOST_PLACES: Final = 7
"""Places of one link: a token has three bits for them, and 0 is the link without a place."""
MOST_CHARACTERS: Final = 200
"""Of a label, a campaign or an external id."""

_Channel = Annotated[str, msgspec.Meta(extra_json_schema={"enum": [*CODES]})]
_Place = Annotated[str, msgspec.Meta(pattern="^[a-z0-9-]{1,40}$", examples=["table-4"])]


class NewLink(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A link to make."""

    url: Annotated[str, msgspec.Meta(examples=["https://shop.example/spring"])]
    """The page that it leads to, on one of the site's origins. A share token in it is taken out first."""
    channel: _Channel = "link"
    """The channel of its token: what returns through it count for."""
    label: str | None = None
    """What it is, in your own words, 1 to 200 characters."""
    external_id: str | int | None = None
    """Your own name of somebody or something that it is for: a contact, a chat user, a ticket. 1 to 200 characters."""
    campaign: str | None = None
    """What it is a part of: a mailing, a season. 1 to 200 characters."""
    word: str | None = None
    """Makes the short link `/go/WORD`, which can be said. Needs a key of scope `admin`."""
    places: Annotated[list[_Place], msgspec.Meta(max_length=MOST_PLACES)] = msgspec.field(default_factory=list)
    """Names of up to seven places where it will be, counted each by itself."""
    expires_at: str | None = None
    """When its short links end (RFC 3339)."""
    keep: bool = False
    """Whether the external id stays, even where the link is not followed for 24 months."""


class NewLinks(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Links to make, all or none."""

    links: Annotated[list[NewLink], msgspec.Meta(min_length=1, max_length=MOST_LINKS)]
    """The links, up to 1,000."""


class LinkPlace(msgspec.Struct, frozen=True, kw_only=True):
    """One place of a link."""

    at: str
    """Its name, which `?at=` chooses behind the link's short link."""
    token: str
    """The token of this place."""
    url: str
    """The page's URL with that token."""
    short_url: str | None
    """The short link of this place; null as that of the link."""
    qr_url: str | None
    """The picture of its QR code; null as that of the link."""


class MintedLink(msgspec.Struct, frozen=True, kw_only=True):
    """A minted link."""

    token: Annotated[str, msgspec.Meta(examples=["8ELulSh3Pe9N6xYWSciuLsM"])]
    """Its token."""
    url: str
    """The page's URL with the token: what is handed out."""
    short_url: str | None
    """The short link; null where the server does not know its own address (`GRAPEVINE_BASE_URL`)."""
    qr_url: str | None
    """The picture of its QR code, whose scans are counted apart from clicks; null where the short link is."""
    page: str
    """The page's URL without the token."""
    visit: str
    """The id of its node in the tree."""
    channel: _Channel
    """The channel of its token."""
    label: str | None
    """What it is."""
    external_id: str | None
    """What it is for; null also once it was dropped."""
    campaign: str | None
    """What it is a part of."""
    word: str | None
    """The word of its short link."""
    places: list[LinkPlace]
    """Its places."""
    keep: bool
    """Whether the external id stays."""
    created_at: str
    """When it was made."""
    expires_at: str | None
    """When its short links end; null for never."""


class MintedLinks(msgspec.Struct, frozen=True, kw_only=True):
    """Links that were made."""

    links: list[MintedLink]
    """The links, in the order of the request."""
