"""``grapevine key add``, ``list`` and ``revoke``: administers API keys."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence

from grapevine.cli.arguments import SITE_HELP, Commands
from grapevine.cli.context import CommandContext
from grapevine.cli.tables import show_table
from grapevine.domain.periods import rfc3339
from grapevine.errors import Invalid, NotFound
from grapevine.sites.api_keys import SCOPES, add_key
from grapevine.sites.lookup import site_named
from grapevine.store.base import Store
from grapevine.store.repositories.api_keys import BEFORE_ALL_KEYS, KeyPosition
from grapevine.store.rows import EVERY_SITE, KeyRow, SiteRow

_AT_ONCE = 500


def register(commands: Commands) -> None:
    """Adds the command ``key`` and its own commands to the parser."""
    group = commands.group("key", "add, list and revoke API keys")
    parser = group.add(
        "add",
        add,
        "add an API key to one site or several; its secret is shown this once",
        examples=(
            'grapevine key add "My shop" --scope read --name "weekly report"',
            'grapevine key add "My shop" "My blog" --scope read',
            'grapevine key add --every-site --scope admin --name "new customers"',
        ),
    )
    parser.add_argument("site", metavar="SITE", nargs="*", help=f"{SITE_HELP}; several for a key that reaches them all")
    parser.add_argument(
        "--every-site", action="store_true", help="reach all sites, those to come too; with the scope admin, add sites"
    )
    parser.add_argument(
        "--scope", required=True, choices=SCOPES, help="read numbers; also write events; also administer"
    )
    parser.add_argument("--name", default="", metavar="N", help="what the key is for (default: its scope)")
    parser = group.add(
        "list",
        list_keys,
        "list a site's API keys, without their secrets",
        examples=('grapevine key list "My shop"', "grapevine key list"),
        more="Keys made for it together with other sites are among them. Without a site it lists the keys of all.",
    )
    parser.add_argument("site", metavar="SITE", nargs="?", help=f"{SITE_HELP}; without it, all keys are listed")
    parser = group.add(
        "revoke",
        revoke,
        "take an API key out of force",
        examples=("grapevine key revoke Zk3vT9",),
        prints_json=False,
    )
    parser.add_argument("id", metavar="ID", help="the key's id, as `grapevine key list` shows it")


async def add(context: CommandContext, arguments: Namespace) -> int:
    """Adds an API key and prints its secret, which is shown once. Returns the exit status. Raises Invalid."""
    if bool(arguments.site) == arguments.every_site:
        raise Invalid("name the sites that the key is for, or say --every-site for all of them")
    async with context.store() as store:
        all_sites = await store.sites.sites()
        sites = None if arguments.every_site else [site_named(all_sites, named) for named in arguments.site]
        name = arguments.name or f"{arguments.scope} key"
        added = await add_key(store.api_keys, sites, arguments.scope, name, context.now())
    if arguments.json:
        context.say_json({**_as_json(added.row, all_sites), "key": added.secret})
    else:
        context.say(f"{added.secret}\n\nShown this once: only its hash is stored. Its id is {added.row.key_id}.")
    return 0


async def list_keys(context: CommandContext, arguments: Namespace) -> int:
    """Prints the API keys of a site, or all, without their secrets. Returns the exit status."""
    async with context.store() as store:
        sites = await store.sites.sites()
        site = None if arguments.site is None else site_named(sites, arguments.site)
        keys = await (_all_keys(store) if site is None else store.api_keys.keys(site.site_id))
    if arguments.json:
        context.say_json([_as_json(key, sites) for key in keys])
    else:
        headers = ("Id", "Name", "Scope", "Sites", "Since", "Last used", "Revoked")
        show_table(context, *headers, rows=[_listed(key, sites) for key in keys])
    return 0


async def _all_keys(store: Store) -> list[KeyRow]:
    found: list[KeyRow] = []
    position = BEFORE_ALL_KEYS
    while more := await store.api_keys.keys_after(position, _AT_ONCE):
        found += more
        position = KeyPosition(more[-1].created_at, more[-1].key_id)
    return found


async def revoke(context: CommandContext, arguments: Namespace) -> int:
    """Revokes an API key. Returns the exit status."""
    async with context.store() as store:
        if not await store.api_keys.revoke_key(arguments.id, context.now()):
            raise NotFound(f"no key in force has the id {arguments.id[:60]!r}; see `grapevine key list`")
    context.say(f"Revoked {arguments.id}.")
    return 0


def _listed(key: KeyRow, sites: Sequence[SiteRow]) -> tuple[str, ...]:
    named = (
        "every site"
        if key.site_id == EVERY_SITE
        else "\n".join(site.name for site in sites if key.reaches(site.site_id))
    )
    revoked = "" if key.revoked_at is None else rfc3339(key.revoked_at)[:10]
    used = "" if key.last_used_at is None else f"{rfc3339(key.last_used_at)[:16].replace('T', ' ')}"
    return key.key_id, key.name, key.scope, named, rfc3339(key.created_at)[:10], used, revoked


def _as_json(key: KeyRow, sites: Sequence[SiteRow]) -> dict[str, object]:
    every_site = key.site_id == EVERY_SITE
    return {
        "id": key.key_id,
        "name": key.name,
        "scope": key.scope,
        "sites": [] if every_site else [site.key for site in sites if key.reaches(site.site_id)],
        "every_site": every_site,
        "created_at": rfc3339(key.created_at),
        "last_used_at": None if key.last_used_at is None else rfc3339(key.last_used_at),
        "revoked_at": None if key.revoked_at is None else rfc3339(key.revoked_at),
    }
