"""``grapevine key add``, ``list`` and ``revoke``: administers API keys."""

from __future__ import annotations

from argparse import Namespace

from grapevine.cli.arguments import SITE_HELP, Commands
from grapevine.cli.context import CommandContext
from grapevine.cli.tables import show_table
from grapevine.domain.periods import rfc3339
from grapevine.errors import NotFound
from grapevine.sites.api_keys import SCOPES, add_key
from grapevine.sites.management import find_site
from grapevine.store.rows import KeyRow


def register(commands: Commands) -> None:
    """Adds the command ``key`` and its own commands to the parser."""
    group = commands.group("key", "add, list and revoke API keys")
    parser = group.add(
        "add",
        add,
        "add an API key to a site; its secret is shown this once",
        examples=('grapevine key add "My shop" --scope read --name "weekly report"',),
    )
    parser.add_argument("site", metavar="SITE", help=SITE_HELP)
    parser.add_argument(
        "--scope", required=True, choices=SCOPES, help="read numbers; also write events; also administer"
    )
    parser.add_argument("--name", default="", metavar="N", help="what the key is for (default: its scope)")
    parser = group.add(
        "list",
        list_keys,
        "list a site's API keys, without their secrets",
        examples=('grapevine key list "My shop"',),
    )
    parser.add_argument("site", metavar="SITE", help=SITE_HELP)
    parser = group.add(
        "revoke",
        revoke,
        "take an API key out of force",
        examples=("grapevine key revoke Zk3vT9",),
        prints_json=False,
    )
    parser.add_argument("id", metavar="ID", help="the key's id, as `grapevine key list` shows it")


async def add(context: CommandContext, arguments: Namespace) -> int:
    """Adds an API key and prints its secret, which is shown once. Returns the exit status."""
    async with context.store() as store:
        site = await find_site(store.sites, arguments.site)
        name = arguments.name or f"{arguments.scope} key"
        added = await add_key(store.api_keys, site, arguments.scope, name, context.now())
    if arguments.json:
        context.say_json({**_as_json(added.row), "key": added.secret})
    else:
        context.say(f"{added.secret}\n\nShown this once: only its hash is stored. Its id is {added.row.key_id}.")
    return 0


async def list_keys(context: CommandContext, arguments: Namespace) -> int:
    """Prints the API keys of a site, without their secrets. Returns the exit status."""
    async with context.store() as store:
        site = await find_site(store.sites, arguments.site)
        keys = await store.api_keys.keys(site.site_id)
    if arguments.json:
        context.say_json([_as_json(key) for key in keys])
    else:
        rows = []
        for key in keys:
            revoked = "" if key.revoked_at is None else rfc3339(key.revoked_at)[:10]
            used = "" if key.last_used_at is None else f"{rfc3339(key.last_used_at)[:16].replace('T', ' ')}"
            rows.append((key.key_id, key.name, key.scope, rfc3339(key.created_at)[:10], used, revoked))
        show_table(context, "Id", "Name", "Scope", "Since", "Last used", "Revoked", rows=rows)
    return 0


async def revoke(context: CommandContext, arguments: Namespace) -> int:
    """Revokes an API key. Returns the exit status."""
    async with context.store() as store:
        if not await store.api_keys.revoke_key(arguments.id, context.now()):
            raise NotFound(f"no key in force has the id {arguments.id[:60]!r}; see `grapevine key list SITE`")
    context.say(f"Revoked {arguments.id}.")
    return 0


def _as_json(key: KeyRow) -> dict[str, object]:
    return {
        "id": key.key_id,
        "name": key.name,
        "scope": key.scope,
        "created_at": rfc3339(key.created_at),
        "last_used_at": None if key.last_used_at is None else rfc3339(key.last_used_at),
        "revoked_at": None if key.revoked_at is None else rfc3339(key.revoked_at),
    }
