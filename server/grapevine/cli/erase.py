"""``grapevine erase``: erases one visit."""

from __future__ import annotations

import secrets
from argparse import Namespace

from grapevine.background.leases import Leases
from grapevine.cli.arguments import SITE_HELP, Commands
from grapevine.cli.context import CommandContext
from grapevine.domain import ids
from grapevine.domain.tokens import TokenError
from grapevine.errors import Invalid
from grapevine.sites.cache import Site
from grapevine.sites.management import find_site
from grapevine.store.base import Store
from grapevine.writer.eraser import Eraser
from grapevine.writer.erasure import Erased
from grapevine.writer.nonces import Nonces
from grapevine.writer.recorder import EventRecorder


def register(commands: Commands) -> None:
    """Adds the command ``erase`` to the parser."""
    parser = commands.add(
        "erase",
        erase,
        "erase one visit",
        examples=('grapevine erase "My shop" 4fDzTq7LmVb', 'grapevine erase "My shop" 1r6JZQm2vKc9XtB4nWs8LdP'),
        more="Its page, visitor mark, views, shares, conversions and answers go; a stub keeps the tree connected, and "
        "visits through its shares stay returns. It may run while the server does. Exit status 1 when the visit is not "
        "there.",
    )
    parser.add_argument("site", metavar="SITE", help=SITE_HELP)
    parser.add_argument("visit", metavar="TOKEN-OR-VISIT", help="a token of the visit, or its id of 11 characters")


async def erase(context: CommandContext, arguments: Namespace) -> int:
    """Erases a visit and says what stays. Returns the exit status. Raises Invalid."""
    async with context.store_and_keys() as (store, settings):
        site = Site(await find_site(store.sites, arguments.site), settings.secret_keys)
        try:
            visit_id = site.tokens.visit_named(arguments.visit)
        except TokenError as error:
            raise Invalid.of(
                "TOKEN-OR-VISIT", f"is neither the id of a visit nor a token of this site: {error}"
            ) from None
        erased = await _erased(context, store, site, visit_id)
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


async def _erased(context: CommandContext, store: Store, site: Site, visit_id: int) -> Erased:
    nonce_key = bytes.fromhex(await store.salts.salt("nonce", 0, secrets.token_hex(32)))
    recorder = EventRecorder(store, Nonces(nonce_key))
    eraser = Eraser(store, recorder, context.now)
    if not store.shared:
        return await eraser.erase(site.site_id, visit_id)
    leases = Leases(store.leases, context.now, f"erase {secrets.token_hex(8)}")
    async with leases.slot(recorder.set_slot):
        return await eraser.erase(site.site_id, visit_id)
