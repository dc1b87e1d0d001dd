"""``grapevine feeds list``, ``add`` and ``remove``: the feeds that are read for mentions of a site's pages."""

from __future__ import annotations

import secrets
from argparse import Namespace

import msgspec

from grapevine.cli.arguments import SITE_HELP, Commands
from grapevine.cli.context import CommandContext
from grapevine.cli.tables import show_table
from grapevine.errors import Invalid
from grapevine.mentions.feeds import administration
from grapevine.mentions.feeds.schemas import MOST_NAME, FeedView, NewFeed
from grapevine.sites.management import find_site


def register(commands: Commands) -> None:
    """Adds the command ``feeds`` and its own commands to the parser."""
    group = commands.group("feeds", "list, add and remove the feeds that are read for mentions")
    parser = group.add(
        "list",
        list_feeds,
        "list a site's feeds, and what was wrong with them",
        examples=('grapevine feeds list "My shop"',),
    )
    parser.add_argument("site", metavar="SITE", help=SITE_HELP)
    parser = group.add(
        "add",
        add,
        "name an RSS or Atom feed: its entries that link to a page of the site become mentions",
        examples=('grapevine feeds add "My shop" https://mastodon.social/tags/bread.rss --name "#bread"',),
        more="A running server reads it within a minute, and every 15 minutes from then on.",
    )
    parser.add_argument("site", metavar="SITE", help=SITE_HELP)
    parser.add_argument("url", metavar="URL", help="the feed's http(s) address")
    parser.add_argument("--name", default="", metavar="N", help="what to call it (default: its host)")
    parser = group.add(
        "remove",
        remove,
        "remove a feed; the mentions that it brought stay",
        examples=('grapevine feeds remove "My shop" feed_5b2f0f7c7b1e4a0f9d3c2b1a09f8e7d6',),
        prints_json=False,
    )
    parser.add_argument("site", metavar="SITE", help=SITE_HELP)
    parser.add_argument("id", metavar="ID", help="the feed's id, as `grapevine feeds list` shows it")


async def list_feeds(context: CommandContext, arguments: Namespace) -> int:
    """Prints a site's feeds, the oldest first. Returns the exit status."""
    async with context.store() as store:
        site = await find_site(store.sites, arguments.site)
        feeds = await administration.list_feeds(store.feeds, site.site_id)
    if arguments.json:
        context.say_json(msgspec.to_builtins(feeds))
    elif feeds:
        show_table(
            context,
            "Id",
            "Name",
            "Address",
            "Last read (UTC)",
            "What was wrong",
            rows=[_listed(feed) for feed in feeds],
        )
    else:
        context.say("This site has no feeds; add one with `grapevine feeds add`.")
    return 0


async def add(context: CommandContext, arguments: Namespace) -> int:
    """Adds a feed and prints its id. Returns the exit status. Raises Invalid."""
    async with context.store() as store:
        site = await find_site(store.sites, arguments.site)
        if len(arguments.name) > MOST_NAME:
            raise Invalid(f"--name must have at most {MOST_NAME} characters; this one has {len(arguments.name)}")
        added = await administration.add(
            store.feeds,
            administration.feed_egress(context.settings()),
            site.site_id,
            NewFeed(arguments.url, arguments.name or None),
            context.now(),
            secrets.token_bytes,
        )
    if arguments.json:
        context.say_json(msgspec.to_builtins(added))
    else:
        context.say(f"{added.id}\n\nA running server reads {added.url} within a minute.")
    return 0


async def remove(context: CommandContext, arguments: Namespace) -> int:
    """Removes a feed. Returns the exit status. Raises NotFound."""
    async with context.store() as store:
        site = await find_site(store.sites, arguments.site)
        await administration.remove(store.feeds, site.site_id, arguments.id)
    context.say(f"Removed {arguments.id}.")
    return 0


def _listed(feed: FeedView) -> tuple[str, ...]:
    read = "" if feed.checked_at is None else feed.checked_at[:16].replace("T", " ")
    return feed.id, feed.name, feed.url, read, feed.error or ""
