"""Requests and responses of ``/v1/sites``."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from grapevine.sites.validation import COUNTED_VALUES, FRAGMENTS, PLACES, SWITCH

MOST_LISTED: Final = 1_000

SiteKey = Annotated[str, msgspec.Meta(examples=["Qb7uZk3vT9wLxN2a"])]
Place = Annotated[str, msgspec.Meta(extra_json_schema={"enum": [*PLACES]})]
Fragment = Annotated[str, msgspec.Meta(extra_json_schema={"enum": [*FRAGMENTS]})]
Values = Annotated[str, msgspec.Meta(extra_json_schema={"enum": [*COUNTED_VALUES]})]
Switch = Annotated[str, msgspec.Meta(extra_json_schema={"enum": [*SWITCH]})]
Origins = Annotated[list[str], msgspec.Meta(min_length=1, max_length=100, examples=[["https://www.example.com"]])]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=100, examples=["My shop"])]
Names = Annotated[list[str], msgspec.Meta(max_length=100, examples=[["id", "page"]])]


class SitePath(msgspec.Struct, frozen=True):
    """The path of a call about one site."""

    site: SiteKey
    """The site's public key, as it stands in the snippet."""


class SitesQuery(msgspec.Struct, frozen=True, kw_only=True):
    """The parameters of ``GET /v1/sites``."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=MOST_LISTED)] = 100
    """How many sites at most."""
    cursor: str | None = None
    """The `next` of the page before."""


class DeleteSiteQuery(msgspec.Struct, frozen=True, kw_only=True):
    """The parameters of ``DELETE /v1/sites/{site}``."""

    confirm: Annotated[str, msgspec.Meta(examples=["My shop"])]
    """The site's name, so that no slip of a finger deletes another site."""


class NewSiteRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of ``POST /v1/sites``."""

    name: Name
    """What you call the site; 1 to 100 printable characters."""
    origins: Origins
    """The origins whose pages belong to it."""
    contact: Annotated[str, msgspec.Meta(examples=["privacy@example.com"])] | None = None
    """Whom visitors ask to have a visit erased: a URL or a mail address."""


class SiteChanges(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of ``PATCH /v1/sites/{site}``: what is left out, or null, stays as it is."""

    name: Name | None = None
    """What you call the site."""
    origins: Origins | None = None
    """All of its origins anew."""
    param: Annotated[str, msgspec.Meta(extra_json_schema={"pattern": "^[A-Za-z][0-9A-Za-z_-]{0,15}$"})] | None = None
    """The token's name in URLs."""
    place: Place | None = None
    """Where in a URL the token stands."""
    fragment: Fragment | None = None
    """How it is written in a fragment: `gv-TOKEN` (`identifier`) or `gv=TOKEN` (`parameter`)."""
    query: Names | None = None
    """The query parameters that tell pages apart; `["*"]` for all but tracking and secrets."""
    keep: Names | None = None
    """Parameters that stay in addresses although they are known to track."""
    element: Annotated[str, msgspec.Meta(min_length=1, max_length=20, examples=["grapevine"])] | None = None
    """What the names of the widget's elements begin with."""
    values: Values | None = None
    """Whose conversions have a value: `all`, or only those that `keys` report."""
    contact: Annotated[str, msgspec.Meta(max_length=254)] | None = None
    """Whom visitors ask to have a visit erased; an empty text takes the contact away."""
    webmention: Switch | None = None
    """Whether webmentions of its pages are taken."""


class SiteView(msgspec.Struct, frozen=True, kw_only=True):
    """A site as its administrators see it."""

    site: SiteKey
    """Its public key."""
    name: Name
    """What its owner calls it."""
    origins: list[str]
    """The origins whose pages belong to it."""
    param: str
    """The token's name in URLs."""
    place: Place
    """Where in a URL the token stands."""
    fragment: Fragment
    """How it is written in a fragment."""
    query: list[str]
    """The query parameters that tell pages apart; `["*"]` for all but tracking and secrets."""
    keep: list[str]
    """Parameters that stay in addresses although they are known to track."""
    element: str
    """What the names of the widget's elements begin with."""
    values: Values
    """Whose conversions have a value."""
    contact: str | None
    """Whom visitors ask to have a visit erased."""
    webmention: Switch
    """Whether webmentions of its pages are taken."""
    created_at: str
    """When it was added."""
    snippet: str | None
    """The line to paste into its pages; null behind a proxy while `GRAPEVINE_BASE_URL` is not set, since the server
    does not know its address then."""


class NewSiteResponse(msgspec.Struct, frozen=True, kw_only=True):
    """A site that was added, with its first API key."""

    site: SiteView
    """The site."""
    key: Annotated[str, msgspec.Meta(examples=["gv_…"])]
    """An API key of scope `admin` for this site. It is shown this once: only its hash is stored."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(site={self.site!r}, key=<hidden>)"


class SiteList(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the sites that the API key reaches, the oldest first."""

    sites: list[SiteView]
    """The sites."""
    next: str | None
    """The `cursor` of the next page; null on the last one."""


class DeletionStarted(msgspec.Struct, frozen=True, kw_only=True):
    """A deletion that has begun: the site is out of use, and the server deletes its rows."""

    site: SiteKey
    """The site's public key, which names nothing any more."""
    name: str
    """Its name."""
