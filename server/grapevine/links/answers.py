"""What a minted link looks like outside: its token, its URLs and those of its places."""

from __future__ import annotations

from typing import Final

import msgspec

from grapevine.config.public_url import public_url
from grapevine.domain import ids
from grapevine.domain.channels import CODES, NAMES
from grapevine.domain.periods import rfc3339
from grapevine.domain.token_urls import tagged
from grapevine.domain.tokens import Tokens
from grapevine.links.schemas import LinkPlace, MintedLink
from grapevine.store.repositories.links import LinkRow
from grapevine.store.rows import SiteRow

_QR: Final = CODES["qr"]


class LinkAddresses(msgspec.Struct, frozen=True, kw_only=True):
    """How the URLs of a site's links are written.

    Short links are below ``server``, the public address with the prefix of what pages call; None where it is not
    known. The others are ``SiteRow``'s.
    """

    server: str | None
    param: str
    place: str
    joint: str


def addresses(site: SiteRow, base_url: str | None, prefix: str, now: int) -> LinkAddresses:
    """Returns how the URLs of a site's links are written now. ``base_url`` is where browsers reach this server."""
    return LinkAddresses(
        server=None if base_url is None else public_url(base_url, prefix, ""),
        param=site.param,
        place=site.place,
        joint=site.joint(ids.day_at(now)),
    )


def minted_link(to: LinkAddresses, tokens: Tokens, row: LinkRow) -> MintedLink:
    """Returns a link as it is answered."""
    token = tokens.mint_one(row.visit_id, row.channel)
    short = None
    if to.server is not None:
        short = f"{to.server}/s/{token}" if row.word is None else f"{to.server}/go/{row.word}"
    return MintedLink(
        token=token,
        url=tagged(row.url, token, to.param, to.place, to.joint),
        short_url=short,
        qr_url=_qr_url(to, tokens, row.visit_id, 0),
        page=row.url,
        visit=ids.visit_text(row.visit_id),
        channel=NAMES[row.channel],
        label=row.label,
        external_id=row.external_id,
        campaign=row.campaign,
        word=row.word,
        places=[_place(to, tokens, row, name, n, short) for n, name in enumerate(row.place_names, 1)],
        keep=bool(row.keep),
        created_at=rfc3339(row.created_at),
        expires_at=None if row.expires_at is None else rfc3339(row.expires_at),
    )


def _place(to: LinkAddresses, tokens: Tokens, row: LinkRow, name: str, n: int, short: str | None) -> LinkPlace:
    token = tokens.mint_one(row.visit_id, row.channel, n)
    return LinkPlace(
        at=name,
        token=token,
        url=tagged(row.url, token, to.param, to.place, to.joint),
        short_url=None if short is None else f"{short}?at={name}",
        qr_url=_qr_url(to, tokens, row.visit_id, n),
    )


def _qr_url(to: LinkAddresses, tokens: Tokens, visit_id: int, n: int) -> str | None:
    return None if to.server is None else f"{to.server}/s/{tokens.mint_one(visit_id, _QR, n)}/qr.svg"
