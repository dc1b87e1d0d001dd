"""``grapevine links create`` and ``list``: makes minted links, and shows what they brought."""

from __future__ import annotations

import secrets
import sys
from argparse import Namespace
from collections.abc import Sequence
from typing import Final

from rich.text import Text

from grapevine.analytics.links import link_totals
from grapevine.api_schemas.links import ListedLink, listed
from grapevine.cli import tag_html
from grapevine.cli.arguments import SITE_HELP, Commands, count
from grapevine.cli.context import CommandContext
from grapevine.cli.links_csv import create_from_csv
from grapevine.cli.signing_site import signing_site
from grapevine.cli.tables import show_table
from grapevine.config.settings import Settings
from grapevine.domain.canonical_urls import readable
from grapevine.errors import FieldError, Invalid
from grapevine.links.answers import LinkAddresses, addresses, minted_link
from grapevine.links.bounds import LinkBound
from grapevine.links.finding import MOST_LISTED, NamesAsked, find_links, newest_first
from grapevine.links.minting import mint
from grapevine.links.new_links import check_links
from grapevine.links.schemas import MintedLink, NewLink
from grapevine.links.taken_words import WordsRefused
from grapevine.sites.cache import Site
from grapevine.sites.management import find_site
from grapevine.store.base import Store
from grapevine.store.repositories.links import LinkRow
from grapevine.writer.nonces import load_nonces

_LISTED: Final = 50
_OPTIONS: Final = {"expires_at": "--expires", "places": "--place", "external_id": "--external-id"}
"""The options that are not called as the fields of a link."""
_NONCE_BYTES: Final = 16


def register(commands: Commands) -> None:
    """Adds the command ``links`` and its own commands to the parser."""
    group = commands.group("links", "make links to hand out, and see what they brought")
    parser = group.add(
        "create",
        create,
        "make a link to a page of the site",
        more="Visits through it, and through what those visitors share, can be followed: `grapevine links list` counts "
        "them. It may run while the server does.",
        examples=(
            'grapevine links create "My shop" https://example.com/spring --label "Poster at the door"',
            'grapevine links create "My shop" https://example.com/offer --external-id contact-1842 --campaign spring',
            'grapevine links create "My shop" https://example.com/menu --place table-1 --place table-2 --word menu',
            'grapevine links create "My shop" --csv contacts.csv --campaign spring > links.csv',
        ),
    )
    parser.add_argument("site", metavar="SITE", help=SITE_HELP)
    parser.add_argument("url", metavar="URL", nargs="?", default="", help="the page that the link leads to")
    parser.add_argument(
        "--csv",
        metavar="FILE",
        help="make a link for each row of this list, which has a column url, and may have label, channel, external_id, "
        "campaign, word, places, expires_at and keep; the list is printed with the links, as CSV",
    )
    parser.add_argument("--label", metavar="TEXT", help="what the link is, in your own words")
    parser.add_argument(
        "--channel", default="link", metavar="NAME", help="what visits through it count for (default: link)"
    )
    parser.add_argument("--external-id", metavar="ID", help="your own name of what it is for: a contact, a ticket")
    parser.add_argument("--campaign", metavar="NAME", help="what it is a part of: a mailing, a season")
    parser.add_argument("--word", metavar="WORD", help="makes the short link /go/WORD, which can be said")
    parser.add_argument(
        "--place",
        action="append",
        default=[],
        metavar="NAME",
        help="a place where it will be, counted by itself; up to seven, such as table-1",
    )
    parser.add_argument(
        "--expires", metavar="TIME", help="when its short links end, such as 2026-12-31T23:00:00Z (default: never)"
    )
    parser.add_argument(
        "--keep", action="store_true", help="keep the external id, even if the link is not followed for 24 months"
    )
    parser = group.add(
        "list",
        list_links,
        "list a site's links with what they brought, the newest day first",
        examples=('grapevine links list "My shop"', 'grapevine links list "My shop" --campaign spring --json'),
    )
    parser.add_argument("site", metavar="SITE", help=SITE_HELP)
    parser.add_argument("--external-id", metavar="ID", help="only links with this external id")
    parser.add_argument("--label", metavar="TEXT", help="only links with this label")
    parser.add_argument("--campaign", metavar="NAME", help="only links of this campaign")
    parser.add_argument(
        "--limit", type=count, default=_LISTED, metavar="N", help=f"how many at most (default: {_LISTED})"
    )
    tag_html.register(group)


async def create(context: CommandContext, arguments: Namespace) -> int:
    """Makes a link, or one for each row of a list, and prints it. Returns the exit status. Raises Invalid,
    RateLimited."""
    if bool(arguments.url) == (arguments.csv is not None):
        raise Invalid("name the page that the link leads to, or a list with --csv, and not both")
    wanted = NewLink(
        url=arguments.url,
        channel=arguments.channel,
        label=arguments.label,
        external_id=arguments.external_id,
        campaign=arguments.campaign,
        word=arguments.word,
        places=arguments.place,
        expires_at=arguments.expires,
        keep=arguments.keep,
    )
    if arguments.csv is not None:
        return await create_from_csv(context, arguments, wanted)
    now = context.now()
    async with signing_site(context, arguments.site) as (store, settings, site):
        try:
            checked = await check_links(site, [wanted], now, is_list=False)
        except Invalid as error:
            raise Invalid.of_all([FieldError(_OPTIONS.get(field, field), why) for field, why in error.errors]) from None
        await LinkBound(store.links, context.clock).take(site.site_id, 1)
        nonces = await load_nonces(store.salts)
        try:
            (row,) = await mint(store, nonces, site, checked, now, secrets.token_hex(_NONCE_BYTES))
        except WordsRefused as refused:
            raise refused.problem(is_list=False) from None
    link = minted_link(_addresses(site, settings, now), site.tokens, row)
    if arguments.json or not sys.stdout.isatty():
        context.say_json(link)
    else:
        _say_what_next(context, site, link)
    return 0


async def list_links(context: CommandContext, arguments: Namespace) -> int:
    """Prints links with what they brought. Returns the exit status. Raises Invalid."""
    names = NamesAsked(arguments.external_id, arguments.label, arguments.campaign)
    async with context.store_and_keys() as (store, settings):
        site = Site(await find_site(store.sites, arguments.site), settings.secret_keys)
        to = _addresses(site, settings, context.now())
        found, is_all = await _found(store, site, to, names, arguments.limit)
    if arguments.json:
        context.say_json(found)
    elif not found:
        context.say(
            "No link has these names."
            if names.given()
            else f'No link yet; make one with: grapevine links create "{site.row.name}" {site.row.origins[0]}/'
        )
    else:
        headers = ("Made", "Link", "Page", "Clicks", "Scans", "Returns", "All visits", "Depth", "Conversions")
        show_table(context, *headers, rows=[_shown(link) for link in found])
        if not is_all:
            context.complain(f"there are more links; --limit {10 * arguments.limit} shows more of them")
    return 0


async def _found(
    store: Store, site: Site, to: LinkAddresses, names: NamesAsked, limit: int
) -> tuple[list[ListedLink], bool]:
    """Returns up to ``limit`` links, the newest first as far as a page of them reaches, and whether these are all."""
    if limit < 1:
        raise Invalid.of("--limit", "must be at least 1")
    nonces = await load_nonces(store.salts)
    rows: list[LinkRow] = []
    cursor = None
    while True:
        found = await find_links(store.links, nonces, site.site_id, names, MOST_LISTED, cursor)
        rows += found.rows
        cursor = found.next
        if cursor is None or len(rows) >= limit:
            break
    shown = sorted(rows, key=newest_first)[:limit]
    links: list[ListedLink] = []
    for start in range(0, len(shown), MOST_LISTED):
        some = shown[start : start + MOST_LISTED]
        totals = await link_totals(store.reads, site, [row.visit_id for row in some])
        links += [listed(minted_link(to, site.tokens, row), totals[row.visit_id]) for row in some]
    return links, cursor is None and len(rows) <= limit


def _addresses(site: Site, settings: Settings, now: int) -> LinkAddresses:
    return addresses(site.row, settings.base_url, settings.prefix, now)


def _say_what_next(context: CommandContext, site: Site, link: MintedLink) -> None:
    """Says what to hand out. What is to be copied stands alone, and is never folded."""
    lines: list[tuple[str, Sequence[str]]] = [("Hand out this link:", (link.url,))]
    if link.short_url is not None and link.qr_url is not None:
        lines.append(("Or this short form, whose clicks are counted as well:", (link.short_url,)))
        lines.append(("To print it, this picture of its QR code:", (link.qr_url,)))
        if link.places:
            lines.append(("The short form and the picture of each place:", _places(link)))
    elif link.places:
        lines.append(("Of each place:", [f"{place.at}  {place.url}" for place in link.places]))
    else:
        lines.append(("It has a short form and a QR code when the server knows its own address:", (_BASE_URL,)))
    named = f' --campaign "{link.campaign}"' if link.campaign else f' --label "{link.label}"' if link.label else ""
    lines.append(("What it brings:", (f'grapevine links list "{site.row.name}"{named}',)))
    for sentence, copied in lines:
        context.out.print(Text(sentence))
        context.say()
        for text in copied:
            context.say(text)
        context.say()


_BASE_URL: Final = "export GRAPEVINE_BASE_URL=https://share.example.com"


def _places(link: MintedLink) -> list[str]:
    longest = max(len(place.at) for place in link.places)
    return [
        f"{name:{longest}}  {address}"
        for place in link.places
        for name, address in ((place.at, place.short_url), ("", place.qr_url))
    ]


def _shown(link: ListedLink) -> tuple[str, ...]:
    names = (link.label, link.external_id, link.campaign)
    return (
        link.created_at[:10],
        "\n".join([*filter(None, names), link.url if link.short_url is None else link.short_url]),
        readable(link.page),
        f"{link.clicks:,}",
        f"{link.scans:,}",
        f"{link.returns:,}",
        f"{link.visits:,}",
        f"{link.max_depth:,}",
        f"{link.conversions:,}",
    )
