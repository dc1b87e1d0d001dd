"""``grapevine cascade``: lists the cascades, and draws one as a tree."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

import msgspec
from rich.text import Text
from rich.tree import Tree

from grapevine.analytics.cascades import (
    MOST_CASCADES,
    SORTS,
    Cascade,
    CascadeHead,
    CascadeNode,
    list_cascades,
    read_cascade,
)
from grapevine.cli.arguments import Commands, count
from grapevine.cli.context import CommandContext, counted
from grapevine.cli.link_names import described
from grapevine.cli.tables import show_table
from grapevine.domain.canonical_urls import readable
from grapevine.domain.enums import DEEPEST
from grapevine.domain.tokens import LENGTH
from grapevine.errors import NotFound, UnknownVisit
from grapevine.sites.cache import Site
from grapevine.sites.lookup import site_named
from grapevine.store.base import Store

_LISTED: Final = 20
MOST_DRAWN: Final = 1_000
"""Visits of a tree. A visitor can make a cascade as large and as deep as they like, and a terminal only scrolls."""


def register(commands: Commands) -> None:
    """Adds the command ``cascade`` to the parser."""
    parser = commands.add(
        "cascade",
        cascade,
        "list the cascades, or draw one as a tree",
        more="A cascade is a first visit with all visits that came from its shares, and from theirs. Without ROOT all "
        "of them are listed, with the ROOT of each.",
        examples=(
            "grapevine cascade",
            'grapevine cascade --site "My shop" --sort recent --limit 50',
            "grapevine cascade 4fDzTq7LmVb",
        ),
    )
    parser.add_argument(
        "root", metavar="ROOT", nargs="?", help="the first visit of the cascade to draw, as the list shows it"
    )
    parser.add_argument("--site", metavar="SITE", help="key or name of the site (default: all of this server)")
    parser.add_argument(
        "--sort", choices=SORTS, default="size", help="what is first in the list (default: %(default)s)"
    )
    parser.add_argument(
        "--limit", type=count, default=_LISTED, metavar="N", help="most to list, of each site (default: %(default)s)"
    )


async def cascade(context: CommandContext, arguments: Namespace) -> int:
    """Prints a cascade as a tree, or the list of them. Returns the exit status."""
    async with context.store_and_keys() as (store, settings):
        every = await store.sites.sites()
        rows = every if arguments.site is None else [site_named(every, arguments.site)]
        sites = [Site(row, settings.secret_keys) for row in rows]
        if arguments.root is None:
            return await _list(context, arguments, store, sites)
        found = await _find(store, sites, arguments.root, context.now())
    if arguments.json:
        context.say_json(found)
    else:
        print_cascade(context, found)
    return 0


def print_cascade(context: CommandContext, found: Cascade) -> None:
    """Prints the numbers of a cascade and its tree."""
    context.say(_headline(found))
    drawn = [node for node in found.nodes[:MOST_DRAWN] if node.depth <= DEEPEST]
    context.out.print(_tree(drawn), soft_wrap=True)
    if len(drawn) < len(found.nodes):
        left = counted(len(found.nodes) - len(drawn), "visit")
        context.say(f"{left} not drawn: at most {MOST_DRAWN:,} are, down to depth {DEEPEST}. --json has all of them.")


async def _list(context: CommandContext, arguments: Namespace, store: Store, sites: list[Site]) -> int:
    pages = [(site, await list_cascades(store, site, context.now(), arguments.sort, arguments.limit)) for site in sites]
    if arguments.json:
        heads = [{"site": site.key, **msgspec.structs.asdict(head)} for site, page in pages for head in page.cascades]
        context.say_json({"cascades": heads, "more": any(page.next for _, page in pages)})
        return 0
    for site, page in pages:
        context.say(f"{site.row.name} ({site.key})")
        if page.cascades:
            headers = ("Root", "Visits", "Depth", "Shares", "Began", "Latest", "Page")
            show_table(context, *headers, rows=[_listed(head) for head in page.cascades])
        else:
            context.say("No cascade yet: one begins when somebody opens a link that a visitor shared.")
        if page.next is not None:
            context.say(f"There are more than these {len(page.cascades)}; --limit N shows up to {MOST_CASCADES}.")
        context.say()
    if any(page.cascades for _, page in pages):
        context.say("To draw one: grapevine cascade ROOT")
    elif not sites:
        context.say("No site yet; add one with: grapevine site add NAME --origin https://example.com")
    return 0


def _listed(head: CascadeHead) -> tuple[str, ...]:
    return (
        head.root,
        f"{head.size:,}",
        str(head.max_depth),
        f"{head.shares:,}",
        head.started_at[:16].replace("T", " "),
        head.last_at[:16].replace("T", " "),
        _page(head),
    )


def _page(head: CascadeHead) -> str:
    page = readable(head.url) if head.url else "–"
    return page if head.link is None else f"{page} (tracked link {described(head.link)})"


async def _find(store: Store, sites: list[Site], root: str, now: int) -> Cascade:
    """Returns the cascade on whichever site it grew. Raises NotFound with what to do instead."""
    reasons: list[str] = []
    for site in sites:
        try:
            return await read_cascade(store, site, root, now)
        except NotFound as error:  # says more than that a site does not have it
            reasons.insert(0, error.detail)
        except UnknownVisit as error:
            reasons.append(error.detail)
    reason = reasons[0] if reasons else "This server has no site yet."
    if len(root) == LENGTH:
        reason = f"{reason} For the link that a token belongs to, run: grapevine token inspect {root}"
    raise NotFound(f"{root[:60]!r} is not the root of a cascade. {reason} `grapevine cascade` lists all of them.")


def _headline(cascade: Cascade) -> str:
    virality = "" if cascade.structural_virality is None else f", structural virality {cascade.structural_virality:.2f}"
    value = "".join(f", {amount} {currency}" for currency, amount in cascade.value.items())
    return (
        f"{counted(cascade.size, 'visit')}, depth {cascade.max_depth}, breadth {cascade.breadth}{virality}, "
        f"{counted(cascade.shares, 'share')}, {counted(cascade.conversions, 'conversion')}{value}"
    )


def _tree(nodes: Iterable[CascadeNode]) -> Tree:
    drawn: dict[str, Tree] = {}
    top = Tree("")
    for node in nodes:  # by depth, so parents come first
        above = drawn.get(node.parent) if node.parent is not None else None
        if above is not None:
            drawn[node.visit] = above.add(_label(node))
        else:
            top = drawn[node.visit] = Tree(_label(node), guide_style="dim")
    return top


def _label(node: CascadeNode) -> Text:
    arrival = node.via.channel if node.via else node.source or "erased"
    if node.source == "link":
        arrival = "tracked link" if node.link is None else f"tracked link {described(node.link)}"
    label = Text(arrival, style="bold")
    label.append("  ")
    label.append("erased" if node.erased else _path(node.url), style="default not bold")
    facts = [f"depth {node.depth}"]
    if node.at:
        facts.append(f"{node.at[:10]} {node.at[11:16]}")
    if node.conversions:
        facts.append(counted(node.conversions, "conversion"))
    label.append(f"  {', '.join(facts)}, {node.visit}", style="dim not bold")
    return label


def _path(url: str | None) -> str:
    if url is None:
        return "–"
    parts = urlsplit(readable(url))
    return (f"{parts.path}?{parts.query}" if parts.query else parts.path) or url
