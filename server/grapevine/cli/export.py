"""``grapevine export``: writes a table to standard output."""

from __future__ import annotations

import sys
from argparse import Namespace
from contextlib import aclosing

from grapevine.cli.arguments import SITE_HELP, Commands, day
from grapevine.cli.context import CommandContext
from grapevine.errors import Invalid
from grapevine.exports import FORMATS, TABLES, ExportRequest, make_encoder, stream
from grapevine.sites.cache import Site
from grapevine.sites.management import find_site
from grapevine.store.readers.exports import ExportRange


def register(commands: Commands) -> None:
    """Adds the command ``export`` to the parser."""
    parser = commands.add(
        "export",
        export,
        "write a table to standard output",
        examples=(
            'grapevine export "My shop" visits --format csv > visits.csv',
            'grapevine export "My shop" conversions --from 2026-11-01 --to 2026-11-30',
        ),
        more="Rows are streamed: a table of any size needs little memory. docs/exports.md has all columns.",
        prints_json=False,
    )
    parser.add_argument("site", metavar="SITE", help=SITE_HELP)
    parser.add_argument("table", metavar="TABLE", choices=tuple(TABLES), help=f"one of {', '.join(TABLES)}")
    parser.add_argument("--format", choices=tuple(FORMATS), default="ndjson", help="of the file (default: ndjson)")
    parser.add_argument("--json", dest="format", action="store_const", const="ndjson", help="as --format ndjson")
    parser.add_argument(
        "--no-bom",
        dest="bom",
        action="store_false",
        help="leave out the byte order mark at the beginning of a CSV file, by which Excel knows that it is UTF-8",
    )
    parser.add_argument(
        "--from", dest="first", type=day, metavar="D", help="first day, in UTC (default: the first one with rows)"
    )
    parser.add_argument("--to", dest="last", type=day, metavar="D", help="last day, in UTC (default: the last one)")


async def export(context: CommandContext, arguments: Namespace) -> int:
    """Writes the file piece by piece, as fast as the reader takes it."""
    if arguments.format == "parquet" and sys.stdout.isatty():
        raise Invalid(
            "Parquet is a binary format; redirect it into a file, for instance: "
            f"grapevine export {arguments.site} {arguments.table} --format parquet > {arguments.table}.parquet"
        )
    made_by = make_encoder(arguments.format, TABLES[arguments.table].columns, bom=arguments.bom)
    out = sys.stdout.buffer
    async with context.store_and_keys() as (store, settings):
        site = Site(await find_site(store.sites, arguments.site), settings.secret_keys)
        asked = ExportRequest(store, site, ExportRange.of(site.site_id, arguments.first, arguments.last))
        async with aclosing(stream(arguments.table, asked, made_by)) as pieces:
            async for piece in pieces:
                out.write(piece)
    out.flush()
    return 0
