"""``grapevine cascade``: draws one cascade as a tree."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

from rich.text import Text
from rich.tree import Tree

from grapevine.analytics.cascades import Cascade, CascadeNode, read_cascade
from grapevine.cli.arguments import Commands
from grapevine.cli.context import CommandContext, counted
from grapevine.domain.canonical_urls import readable
from grapevine.domain.enums import DEEPEST
from grapevine.errors import NotFound, UnknownVisit
from grapevine.sites.cache import Site
from grapevine.sites.management import find_site
from grapevine.store.base import Store

MOST_DRAWN: Final = 1_000
"""Visits of a tree. A visitor can make a cascade as large and as deep as they like, and a terminal only scrolls."""


def register(commands: Commands) -> None:
    """Adds the command ``cascade`` to the parser."""
    parser = commands.add("cascade", cascade, "draw one cascade as a tree")
    parser.add_argument("root", metavar="ROOT", help="the id of its first visit, as the dashboard and the API show it")
    parser.add_argument("--site", metavar="KEY", help="the site it grew on (default: any of this server)")


async def cascade(context: CommandContext, arguments: Namespace) -> int:
    """Prints a cascade as a tree. Returns the exit status."""
    async with context.store_and_keys() as (store, settings):
        if arguments.site is None:
            rows = await store.sites.sites()
        else:
            rows = [await find_site(store.sites, arguments.site)]
        sites = [Site(row, settings.secret_keys) for row in rows]
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


async def _find(store: Store, sites: list[Site], root: str, now: int) -> Cascade:
    error: NotFound | UnknownVisit = NotFound("this server has no site yet")
    for site in sites:
        try:
            return await read_cascade(store, site, root, now)
        except (NotFound, UnknownVisit) as found:
            error = found
    raise error


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
