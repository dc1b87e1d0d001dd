"""Mails as the API takes and answers them."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from grapevine.domain.channels import CODES

MOST_BYTES: Final = 1 << 20
"""Of the HTML of one mail, in UTF-8."""

_Channel = Annotated[str, msgspec.Meta(extra_json_schema={"enum": [*CODES]})]


class MailToTag(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A mail whose own links are to be tagged, and the link that is made for it."""

    html: Annotated[str, msgspec.Meta(examples=['<a href="https://shop.example/spring">Spring</a>'])]
    """The HTML of the mail, at most 1 MiB of it, with at most 200 links to the site."""
    label: str | None = None
    """What the mail is, in your own words, 1 to 200 characters."""
    campaign: str | None = None
    """What it is a part of: a mailing, a season. 1 to 200 characters."""
    external_id: str | int | None = None
    """Your own name of the one whom it goes to, where each recipient gets an own link. 1 to 200 characters."""
    channel: _Channel = "email"
    """The channel that visits through its links count for."""


class SkippedLinks(msgspec.Struct, kw_only=True):
    """How many links of a mail were left as they are, and why."""

    elsewhere: int = 0
    """They lead to other sites, or are no addresses of pages: `mailto:`, `tel:`, a place within the mail."""
    tagged: int = 0
    """They carry a token already."""
    ignored: int = 0
    """The mail says so: they, or an element around them, have `data-grapevine-ignore`."""
    template: int = 0
    """Whose they are shows only when the mail program has filled in their placeholder: it stands before the path."""
    unusable: int = 0
    """They are longer than 2,048 characters, as no page's address is, or have no quotes, which a merge field needs."""


class TaggedMail(msgspec.Struct, frozen=True, kw_only=True):
    """A mail with the token of one minted link in each of its own links."""

    html: str
    """The HTML: not a character is changed but that the token was put into each link to the site."""
    token: str | None
    """The token of the link that was made; null where the mail has no link to tag, and none was made."""
    page: str | None
    """The page of that link: the one of the first link to the site."""
    links: int
    """How many links were tagged."""
    skipped: SkippedLinks
    """How many links were left as they are, and why."""
