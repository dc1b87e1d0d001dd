"""``grapevine erase``: erases one visit, or the minted links of a person or thing."""

from __future__ import annotations

import secrets
from argparse import Namespace
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from grapevine.background.leases import Leases
from grapevine.cli.arguments import SITE_HELP, Commands
from grapevine.cli.context import CommandContext
from grapevine.domain import ids
from grapevine.domain.printable import name_text
from grapevine.domain.tokens import TokenError
from grapevine.errors import Invalid
from grapevine.links.deletion import delete_links
from grapevine.links.finding import MOST_LISTED, NamesAsked, find_links
from grapevine.sites.cache import Site
from grapevine.sites.management import find_site
from grapevine.store.base import Store
from grapevine.writer.eraser import Eraser
from grapevine.writer.erasure import Erased
from grapevine.writer.nonces import Nonces, load_nonces
from grapevine.writer.recorder import EventRecorder


def register(commands: Commands) -> None:
    """Adds the command ``erase`` to the parser."""
    parser = commands.add(
        "erase",
        erase,
        "erase one visit, or the links that were made for somebody",
        examples=(
            'grapevine erase "My shop" --external-id contact-1842',
            'grapevine erase "My shop" 4fDzTq7LmVb',
            'grapevine erase "My shop" 1r6JZQm2vKc9XtB4nWs8LdP',
        ),
        more="Its page, visitor mark, views, shares, conversions and answers go; a stub keeps the tree connected, and "
        "visits through its shares stay returns. It may run while the server does. Exit status 1 when the visit is not "
        "there. With --external-id all tracked links that were made with that id are deleted, with their clicks and "
        "names; visits through them stay returns.",
    )
    parser.add_argument("site", metavar="SITE", help=SITE_HELP)
    parser.add_argument(
        "visit", metavar="TOKEN-OR-VISIT", nargs="?", help="a token of the visit, or its id of 11 characters"
    )
    parser.add_argument("--external-id", metavar="ID", help="the external id of tracked links, such as contact-1842")


async def erase(context: CommandContext, arguments: Namespace) -> int:
    """Erases a visit, or the links with an external id. Returns the exit status. Raises Invalid."""
    if (arguments.visit is None) == (arguments.external_id is None):
        raise Invalid.of("TOKEN-OR-VISIT", "or --external-id has to be given, and not both")
    if arguments.external_id is not None:
        return await _erase_links(context, arguments)
    async with context.store_and_keys() as (store, settings):
        site = Site(await find_site(store.sites, arguments.site), settings.secret_keys)
        try:
            visit_id = site.tokens.visit_named(arguments.visit)
        except TokenError as error:
            raise Invalid.of(
                "TOKEN-OR-VISIT", f"is neither the id of a visit nor a token of this site: {error}"
            ) from None
        async with _eraser(context, store) as (eraser, _):
            erased = await eraser.erase(site.site_id, visit_id)
    visit = ids.visit_text(visit_id)
    if arguments.json:
        context.say_json({"visit": visit, "erased": erased is Erased.NOW})
    elif erased is Erased.NOW:
        context.say(
            f"Erased the visit {visit}. Its position in the tree stays, and visits through its shares stay returns."
        )
    else:
        reason = "it was erased before" if erased is Erased.BEFORE else "it is past retention, or was never this site's"
        context.say(f"The visit {visit} is not here: {reason}.")
    return 0 if erased is Erased.NOW else 1


async def _erase_links(context: CommandContext, arguments: Namespace) -> int:
    text = name_text(arguments.external_id)
    deleted = 0
    async with context.store_and_keys() as (store, _):
        site_id = (await find_site(store.sites, arguments.site)).site_id
        async with _eraser(context, store) as (eraser, nonces):
            is_last = False
            while not is_last:
                found = await find_links(store.links, nonces, site_id, NamesAsked(external_id=text), MOST_LISTED)
                deleted += await delete_links(eraser, found.rows)
                is_last = found.next is None
    if arguments.json:
        context.say_json({"external_id": text, "deleted": deleted})
    elif deleted:
        links = "link was" if deleted == 1 else "links were"
        context.say(f"{deleted:,} {links} deleted, with clicks and names. Visits through them stay returns.")
    else:
        context.say(f"No link of this site has the external id {text}.")
    return 0 if deleted else 1


@asynccontextmanager
async def _eraser(context: CommandContext, store: Store) -> AsyncIterator[tuple[Eraser, Nonces]]:
    """What erases in this process, and what makes the keys of names."""
    nonces = await load_nonces(store.salts)
    recorder = EventRecorder(store, nonces)
    eraser = Eraser(store, recorder, context.now)
    if not store.shared:
        yield eraser, nonces
        return
    leases = Leases(store.leases, context.now, f"erase {secrets.token_hex(8)}")
    async with leases.slot(recorder.set_slot):
        yield eraser, nonces
