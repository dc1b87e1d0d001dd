"""``grapevine site add``, ``list`` and ``set``: administers sites."""

from __future__ import annotations

import sys
from argparse import ArgumentTypeError, Namespace
from collections.abc import Sequence
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from rich.text import Text

from grapevine.cli import site_delete
from grapevine.cli.arguments import SITE_HELP, Commands
from grapevine.cli.context import CommandContext, shown_database
from grapevine.cli.tables import show_table
from grapevine.config.settings import Settings
from grapevine.domain import ids
from grapevine.domain.did_you_mean import did_you_mean
from grapevine.domain.periods import rfc3339
from grapevine.sites.lookup import called_alike, described, site_named
from grapevine.sites.management import NewSite, add_site, change_site, find_site
from grapevine.sites.snippet import snippet
from grapevine.sites.validation import CHANGEABLE
from grapevine.store.rows import SiteRow

_INSIDE: Final = (".localhost", ".local", ".internal", ".test", ".lan")
LOCAL_URL: Final = "http://127.0.0.1:8000"
"""Where ``grapevine serve`` listens by default."""


def register(commands: Commands) -> None:
    """Adds the command ``site`` and its own commands to the parser."""
    group = commands.group("site", "add, list, change and delete sites")
    parser = group.add(
        "add",
        add,
        "add a site; shows the line to paste into its pages, and an API key, this once",
        more="On a terminal it says what to do next. Piped into a program, or with --json, it prints JSON: site (the "
        "public key), key (an admin API key) and snippet (the line to paste).",
        examples=(
            'grapevine site add "My shop" --origin https://example.com --origin https://www.example.com',
            'grapevine site add "My shop" --origin https://example.com --contact privacy@example.com --json',
        ),
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
    parser = group.add(
        "snippet",
        show_snippet,
        "print the line to paste into a site's pages, and nothing else",
        examples=('grapevine site snippet "My shop"',),
    )
    parser.add_argument("site", metavar="SITE", help=SITE_HELP)
    group.add("list", list_sites, "list all sites", examples=("grapevine site list", "grapevine site list --json"))
    site_delete.register(group)
    parser = group.add(
        "set",
        change,
        "change a site",
        more="What is not named stays as it is. A running server follows within a second.",
        examples=(
            'grapevine site set "My shop" name="My new shop" contact=privacy@example.com',
            'grapevine site set "My shop" origin=https://example.com origin=https://www.example.com',
            'grapevine site set "My shop" query="id page"',
        ),
    )
    parser.add_argument("site", metavar="SITE", help=SITE_HELP)
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
        "contact=… (URL or mail address for visitors who want a visit erased; empty for none); webmention=off|on "
        "(whether pages elsewhere may report that they link to this site)",
    )


async def add(context: CommandContext, arguments: Namespace) -> int:
    """Adds a site and shows its key, which is shown only now. Returns the exit status."""
    settings = context.settings()
    async with context.store(settings, make=True) as store:
        before = await store.sites.sites()
        added = await add_site(store, arguments.name, arguments.origin, context.now(), contact=arguments.contact)
    line = _snippet(added.row, settings)
    if arguments.json or not sys.stdout.isatty():
        context.say_json({"site": added.row.key, "key": added.key.secret, "snippet": line})
    else:
        _say_what_next(context, settings, added, line)
    _warn_of_twins(context, before, added.row)
    _hint_at_base_url(context, settings, added.row)
    return 0


async def show_snippet(context: CommandContext, arguments: Namespace) -> int:
    """Prints the line to paste. Returns the exit status."""
    settings = context.settings()
    async with context.store(settings) as store:
        site = await find_site(store.sites, arguments.site)
    line = _snippet(site, settings)
    if arguments.json:
        context.say_json({"site": site.key, "snippet": line})
    else:
        context.say(line)
    return 0


def _say_what_next(context: CommandContext, settings: Settings, added: NewSite, line: str) -> None:
    """Says what to paste and keep, and what to do then. What is to be copied stands alone, and is never folded."""
    address = settings.base_url or LOCAL_URL
    for sentence, *copied in (
        (f"Added {added.row.name} to {shown_database(settings)}. Its pages are on {' and '.join(added.row.origins)}.",),
        ("1. Paste this line into every page of the site, before </head>:", line),
        (
            "2. Keep this API key in a safe place. You sign in with it, and it is shown only this once:",
            added.key.secret,
        ),
        ("3. Start the server, if it is not running yet:", "grapevine serve"),
        ("4. Open the dashboard in a browser, and sign in with the API key:", f"{address}/"),
        ("5. When the line is in your pages, check one of them:", f"grapevine doctor {_page_to_check(added.row)}"),
    ):
        context.out.print(Text(sentence))
        context.say()
        for text in copied:
            context.say(f"{text}\n")


def _page_to_check(site: SiteRow) -> str:
    """Returns the home page, with the option that `doctor` needs for an address inside a network."""
    home = f"{site.origins[0]}/"
    host = urlsplit(home).hostname or ""
    try:
        inside = not ip_address(host).is_global
    except ValueError:
        inside = "." not in host or host.endswith(_INSIDE)
    return f"{home} --allow-private" if inside else home


def _warn_of_twins(
    context: CommandContext, sites: Sequence[SiteRow], site: SiteRow, before: SiteRow | None = None
) -> None:
    """Warns where another site has a name or an origin that is new to this one."""
    others = [other for other in sites if other.key != site.key]
    if before is None or before.name != site.name:
        for other in called_alike(others, site)[:1]:
            context.complain(
                f"another site is called {other.name}, too: {described(other)}. Commands need the key of the one you "
                f"mean; to give this one another name: grapevine site set {site.key} name=NAME"
            )
    for origin in site.origins:
        for other in [each for each in others if origin in each.origins][:1]:
            if before is None or origin not in before.origins:
                context.complain(
                    f"{origin} belongs to another site, too: {described(other)}. That is fine where different pages "
                    "carry different lines; a page with both lines is counted once by each site"
                )


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
        headers = ("Key", "Name", "Contact", "Origins", "Token", "Elements", "Pages told apart by", "Values", "Since")
        today = ids.day_at(context.now())
        show_table(context, *headers, rows=[_listed(site, today) for site in sites])
    return 0


def _listed(site: SiteRow, today: int) -> tuple[str, ...]:
    told_apart = {"*": "all but tracking and secrets", "": "path alone"}.get(site.query, site.query)
    return (
        site.key,
        site.name,
        site.contact or "",
        "\n".join(site.origins),
        f"{site.param}, {site.place}\n{_fragment(site, today)}",
        f"{site.element}-…",
        f"{told_apart}, and {site.keep}" if site.keep else told_apart,
        {"all": "all", "keys": "of keys alone"}[site.counted_values],
        rfc3339(site.created_at)[:10],
    )


async def change(context: CommandContext, arguments: Namespace) -> int:
    """Changes fields of a site and prints its new snippet. Returns the exit status. Raises Invalid."""
    changes: dict[str, list[str]] = {}
    for field, value in arguments.changes:
        changes.setdefault(field, []).append(value)
    settings = context.settings()
    async with context.store(settings) as store:
        sites = await store.sites.sites()
        site = site_named(sites, arguments.site)
        changed = await change_site(store.sites, site, changes)
    if arguments.json:
        context.say_json(_as_json(changed, settings))
    else:
        context.say(f"Changed {changed.name}. Its snippet:\n{_snippet(changed, settings)}")
    _warn_of_twins(context, sites, changed, site)
    return 0


def _change(text: str) -> tuple[str, str]:
    field, equals, value = text.partition("=")
    if not equals:
        raise ArgumentTypeError(f"{text!r} is not name=value{did_you_mean(text, CHANGEABLE)}")
    return field.strip(), value


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
        "webmention": site.webmention,
        "created_at": rfc3339(site.created_at),
        "snippet": _snippet(site, settings),
    }


def _hint_at_base_url(context: CommandContext, settings: Settings, site: SiteRow) -> None:
    if settings.base_url is None:
        context.complain(
            f"GRAPEVINE_BASE_URL is not set, so the line to paste names {LOCAL_URL}, which only this computer can "
            "open. Before you paste it into a public site, set GRAPEVINE_BASE_URL to the address of this server, such "
            f"as https://share.example.com, and print the line again: grapevine site snippet {site.key}"
        )
