"""``grapevine site add``, ``list`` and ``set``: administers sites."""

from __future__ import annotations

from argparse import ArgumentTypeError, Namespace
from typing import Final

from rich.table import Column, Table

from grapevine.cli.arguments import Commands
from grapevine.cli.context import CommandContext
from grapevine.config.settings import Settings
from grapevine.domain import ids
from grapevine.domain.periods import rfc3339
from grapevine.sites.management import add_site, change_site, find_site
from grapevine.sites.snippet import snippet
from grapevine.store.rows import SiteRow

LOCAL_URL: Final = "http://127.0.0.1:8000"
"""Where ``grapevine serve`` listens by default."""


def register(commands: Commands) -> None:
    """Adds the command ``site`` and its own commands to the parser."""
    group = commands.group("site", "add, list and change sites")
    parser = group.add(
        "add",
        add,
        "add a site; prints its public key, an admin API key (shown this once) and the snippet, as JSON",
    )
    parser.add_argument("name", metavar="NAME", help="name of the site, for people")
    parser.add_argument(
        "--origin",
        action="append",
        required=True,
        metavar="URL",
        help="an origin whose pages belong to the site, such as https://example.com; may be given several times",
    )
    parser.add_argument(
        "--contact",
        default="",
        metavar="URL-OR-MAIL",
        help="whom visitors ask to have a visit erased: a page such as https://example.com/privacy, or a mail address",
    )
    group.add("list", list_sites, "list all sites")
    parser = group.add(
        "set",
        change,
        "change a site",
        more="What is not named stays as it is. A running server follows within a second.",
    )
    parser.add_argument("site", metavar="KEY", help="the site's public key")
    parser.add_argument(
        "changes",
        metavar="name=value",
        nargs="+",
        type=_change,
        help="name=…; origin=URL (all of them anew, repeat it for several); param=… (the token's name in URLs); "
        "place=auto|fragment|query (where in the URL); fragment=identifier|parameter|auto (gv-TOKEN or gv=TOKEN in a "
        "fragment; auto: the former once no older build of the widget was seen for 14 days); query=* or the query "
        "parameters that tell pages apart; keep=… (parameters that stay in addresses although they are known to track; "
        "empty for none); element=… (what the names of the widget's elements begin with); values=all|keys (whose "
        "conversions have a value: everybody's, or only those that a server reports with an API key); "
        "contact=… (URL or mail address for visitors who want a visit erased; empty for none)",
    )


async def add(context: CommandContext, arguments: Namespace) -> int:
    """Adds a site. Always prints JSON, since the API key in it is shown only now."""
    settings = context.settings()
    async with context.store(settings) as store:
        added = await add_site(store, arguments.name, arguments.origin, context.now(), contact=arguments.contact)
    context.say_json({"site": added.row.key, "key": added.key.secret, "snippet": _snippet(added.row, settings)})
    _hint_at_base_url(context, settings)
    return 0


async def list_sites(context: CommandContext, arguments: Namespace) -> int:
    """Prints all sites. Returns the exit status."""
    settings = context.settings()
    async with context.store(settings) as store:
        sites = await store.sites.sites()
    if arguments.json:
        context.say_json([_as_json(site, settings) for site in sites])
    elif not sites:
        context.say("No site yet; add one with: grapevine site add NAME --origin https://example.com")
    else:
        table = Table(
            "Key",
            Column("Name, contact", overflow="fold"),
            Column("Origins", overflow="fold"),
            "Token",
            "Elements",
            "Pages told apart by",
            "Values",
            "Since",
            box=None,
            pad_edge=False,
            header_style="bold",
        )
        for site in sites:
            told_apart = {"*": "all but tracking and secrets", "": "path alone"}.get(site.query, site.query)
            if site.keep:
                told_apart = f"{told_apart}, and {site.keep}"
            token = f"{site.param}, {site.place}\n{_fragment(site, ids.day_at(context.now()))}"
            values = {"all": "all", "keys": "of keys alone"}[site.counted_values]
            since = rfc3339(site.created_at)[:10]
            table.add_row(
                site.key,
                f"{site.name}\n{site.contact}" if site.contact else site.name,
                "\n".join(site.origins),
                token,
                f"{site.element}-…",
                told_apart,
                values,
                since,
            )
        context.out.print(table)
    return 0


async def change(context: CommandContext, arguments: Namespace) -> int:
    """Changes fields of a site and prints its new snippet. Returns the exit status. Raises Invalid."""
    changes: dict[str, list[str]] = {}
    for field, value in arguments.changes:
        changes.setdefault(field, []).append(value)
    settings = context.settings()
    async with context.store(settings) as store:
        site = await find_site(store.sites, arguments.site)
        changed = await change_site(store.sites, site, changes)
    if arguments.json:
        context.say_json(_as_json(changed, settings))
    else:
        context.say(f"Changed {changed.name}. Its snippet:\n{_snippet(changed, settings)}")
    return 0


def _change(text: str) -> tuple[str, str]:
    field, equals, value = text.partition("=")
    if not equals:
        raise ArgumentTypeError(f"{text!r} is not name=value")
    return field, value


def _fragment(site: SiteRow, today: int) -> str:
    """Returns the form of tokens in fragments, and when an older build of the widget was last seen."""
    form = f"#{site.param}{site.joint(today)}…"
    if site.old_build_day > 0:
        form += f"\nolder build {ids.day_date(site.old_build_day).isoformat()}"
    return form


def _snippet(site: SiteRow, settings: Settings) -> str:
    return snippet(site, settings.base_url or LOCAL_URL, settings.prefix)


def _as_json(site: SiteRow, settings: Settings) -> dict[str, object]:
    return {
        "site": site.key,
        "name": site.name,
        "origins": site.origins,
        "param": site.param,
        "place": site.place,
        "fragment": site.fragment,
        "old_build_seen": ids.day_date(site.old_build_day).isoformat() if site.old_build_day > 0 else None,
        "query": site.query,
        "keep": site.keep,
        "element": site.element,
        "values": site.counted_values,
        "contact": site.contact,
        "created_at": rfc3339(site.created_at),
        "snippet": _snippet(site, settings),
    }


def _hint_at_base_url(context: CommandContext, settings: Settings) -> None:
    if settings.base_url is None:
        context.complain(f"GRAPEVINE_BASE_URL is not set, so the snippet names {LOCAL_URL}")
