"""``grapevine links create SITE --csv FILE``: makes a link for each row of a list, such as an export of contacts."""

from __future__ import annotations

import csv
import io
import secrets
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from grapevine.cli.context import CommandContext
from grapevine.cli.signing_site import SigningSite, signing_site
from grapevine.errors import FieldError, Invalid
from grapevine.links.answers import addresses, minted_link
from grapevine.links.bounds import LinkBound
from grapevine.links.mail.recipients import Recipient, RecipientList
from grapevine.links.minting import mint
from grapevine.links.new_links import CheckedLink, check_links
from grapevine.links.schemas import MOST_LINKS, MintedLink, NewLink
from grapevine.links.taken_words import WordsRefused
from grapevine.writer.nonces import load_nonces

ADDED: Final = ("token", "tagged_url", "short_url", "qr_url")
"""The columns that are added; ``tagged_url`` is what is handed out. The column ``url`` of the list is the page."""

_TEXTS: Final = ("url", "channel", "label", "external_id", "campaign", "word", "expires_at")
_YES: Final = frozenset({"1", "true", "yes", "y"})
_NONCE_BYTES: Final = 16


class _Wanted(NamedTuple):
    """A row of the list, and the link that is to be made for it."""

    row: Recipient
    link: CheckedLink


async def create_from_csv(context: CommandContext, arguments: Namespace, options: NewLink) -> int:
    """Makes a link for each row, and prints the list with these. Returns the exit status.

    A row without a value has that of ``options``. Where a row is wrong, nothing is made. Links are made a thousand at
    a time, and each thousand is printed when it is stored. Raises Invalid, RateLimited.
    """
    async with signing_site(context, arguments.site) as opened:
        given = RecipientList(Path(arguments.csv), "url")
        now = context.now()
        wanted = [await _wanted(opened, given.header, row, options, now) for row in given]
        if not wanted:
            raise Invalid(f"{arguments.csv} has no row behind the names of its columns.")
        await LinkBound(opened.store.links, context.clock).take(opened.site.site_id, len(wanted))
        made: list[MintedLink] = []
        if not arguments.json:
            _print_row(context, [*given.header, *ADDED])
        for start in range(0, len(wanted), MOST_LINKS):
            some = wanted[start : start + MOST_LINKS]
            links = await _make(opened, some, now)
            if arguments.json:
                made += links
                continue
            for each, link in zip(some, links, strict=True):
                cells = [*each.row.cells, *[""] * (len(given.header) - len(each.row.cells))]
                _print_row(context, [*cells, link.token, link.url, link.short_url or "", link.qr_url or ""])
    if arguments.json:
        context.say_json(made)
    return 0


async def _wanted(opened: SigningSite, header: Sequence[str], row: Recipient, options: NewLink, now: int) -> _Wanted:
    """Returns what is to be made for a row. Raises Invalid with the number of its line."""
    cells = {name.strip().casefold(): text.strip() for name, text in zip(header, row.cells, strict=False)}
    fields: dict[str, object] = {name: cells[name] for name in _TEXTS if cells.get(name)}
    if cells.get("places"):
        fields["places"] = cells["places"].replace(",", " ").split()
    if cells.get("keep"):
        fields["keep"] = cells["keep"].casefold() in _YES
    try:
        (checked,) = await check_links(opened.site, [msgspec.structs.replace(options, **fields)], now, is_list=False)
    except Invalid as error:
        raise _in_lines([(row.number, field, why) for field, why in error.errors]) from None
    return _Wanted(row, checked)


async def _make(opened: SigningSite, wanted: Sequence[_Wanted], now: int) -> list[MintedLink]:
    store, settings, site = opened
    nonces, nonce = await load_nonces(store.salts), secrets.token_hex(_NONCE_BYTES)
    try:
        rows = await mint(store, nonces, site, [each.link for each in wanted], now, nonce)
    except WordsRefused as refused:
        raise _in_lines([(wanted[at].row.number, "word", why) for at, why in refused.reasons.items()]) from None
    to = addresses(site.row, settings.base_url, settings.prefix, now)
    return [minted_link(to, site.tokens, row) for row in rows]


def _in_lines(wrong: Sequence[tuple[int, str, str]]) -> Invalid:
    return Invalid.of_all([FieldError(f"line {number}: {field}", why) for number, field, why in wrong])


def _print_row(context: CommandContext, cells: Sequence[str]) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    context.say(text.getvalue().removesuffix("\n"))
