"""``grapevine conversions import``: late conversions and refunds from a CRM or shop, from a CSV file."""

from __future__ import annotations

import csv
import secrets
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from grapevine.cli.arguments import SITE_HELP, Commands
from grapevine.cli.context import CommandContext, counted
from grapevine.cli.progress import byte_progress, item_progress
from grapevine.errors import Invalid
from grapevine.sites.cache import Site
from grapevine.sites.management import find_site

if TYPE_CHECKING:
    from grapevine.conversion_files.csv_import import ConversionImport
    from grapevine.store.base import Store

_SHOWN: Final = 20
_LISTED: Final = 1_000


def register(commands: Commands) -> None:
    """Adds the command ``conversions`` and its own command to the parser."""
    group = commands.group("conversions", "bring in conversions from a shop or a CRM")
    parser = group.add(
        "import",
        import_conversions,
        "read conversions and refunds from a CSV file",
        examples=(
            'grapevine conversions import "My shop" deals.csv --dry-run',
            'grapevine conversions import "My shop" deals.csv --timezone Europe/Berlin',
            'grapevine conversions import "My shop" deals.csv --skip-bad --rejects wrong.csv',
        ),
        more="The first line names the columns: goal, id, value, currency, at, and of visit, token and external_id the "
        "one that says whose it is; a refund has a value below 0 and refund_of, the id of what it takes back. Every "
        "line is checked before the first one is stored; where one is wrong, nothing is. The same goal and id count "
        "once: when the command is stopped, run it again. It may run while the server does.",
    )
    parser.add_argument("site", metavar="SITE", help=SITE_HELP)
    parser.add_argument("file", metavar="FILE.csv", type=Path, help="the file, in UTF-8, with , or ; between the cells")
    parser.add_argument("--timezone", metavar="NAME", help="that of times without one, such as Europe/Berlin")
    parser.add_argument("--dry-run", action="store_true", help="check every line, and store nothing")
    parser.add_argument("--skip-bad", action="store_true", help="store what is right, though other lines are wrong")
    parser.add_argument(
        "--rejects", metavar="FILE.csv", type=Path, help="write the wrong lines there, with what is wrong with each"
    )


async def import_conversions(context: CommandContext, arguments: Namespace) -> int:
    """Imports the file, and says what it brought. Returns 1 where a line is wrong that was not to be skipped. Raises
    Invalid for a file that cannot be read."""
    zone, rejects = _zone(arguments.timezone), _new_file(arguments.rejects)
    async with context.store_and_keys() as (store, settings):
        site = Site(await find_site(store.sites, arguments.site), settings.secret_keys)
        work = await _imported(context, store, site, arguments, zone)
        if rejects is not None and work.faults:
            _write(rejects, work)
    if arguments.json:
        context.say_json(_summary(work, arguments))
    else:
        _say(context, work, arguments)
    return 1 if work.faults and not (arguments.skip_bad and not arguments.dry_run) else 0


async def _imported(
    context: CommandContext, store: Store, site: Site, arguments: Namespace, zone: ZoneInfo | None
) -> ConversionImport:
    from grapevine.background.leases import Leases
    from grapevine.conversion_files.csv_file import ConversionFile
    from grapevine.conversion_files.csv_import import ConversionImport
    from grapevine.conversion_files.line_reader import ConversionLineReader
    from grapevine.links.named_visits import VisitFinder
    from grapevine.webhooks.subscriptions import Subscriptions
    from grapevine.writer.nonces import load_nonces
    from grapevine.writer.recorder import EventRecorder

    nonces = await load_nonces(store.salts)
    # A running server sends what is posted here.
    subscriptions = Subscriptions(store.webhooks, {site.site_id: site}.get, context.now, secrets.token_bytes, _nothing)
    await subscriptions.read()
    recorder = EventRecorder(store, nonces, subscriptions=subscriptions)
    file = ConversionFile(arguments.file)
    work = ConversionImport(
        store,
        site,
        recorder,
        VisitFinder(store.reads, store.links, nonces),
        ConversionLineReader(zone, context.now()),
        file,
    )
    with byte_progress(context, "Checking", file.size) as reached:
        await work.check(reached)
    if arguments.dry_run or (work.faults and not arguments.skip_bad):
        return work
    with item_progress(context, "Storing", work.lines - work.repeats - work.wrong_lines) as done:
        if not store.shared:
            await work.store(done)
            return work
        leases = Leases(store.leases, context.now, f"conversions import {secrets.token_hex(8)}")
        async with leases.slot(recorder.set_slot):
            await work.store(done)
    return work


def _nothing() -> None:
    pass


def _zone(name: str | None) -> ZoneInfo | None:
    if name is None:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Invalid.of("--timezone", f"is no time zone: {name[:60]!r}; they are called as Europe/Berlin is") from None


def _new_file(path: Path | None) -> Path | None:
    if path is not None and path.exists():
        raise Invalid.of("--rejects", f"names a file that is there: {path}")
    return path


def _write(path: Path, work: ConversionImport) -> None:
    """Writes the wrong lines as they are, with a column that says what is wrong. Raises Invalid."""
    from grapevine.config.private_files import make_file

    try:
        make_file(path)
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            rows = csv.writer(file, delimiter=work.file.delimiter, lineterminator="\n")
            rows.writerow([*work.file.header, "problem"])
            for line, problem in work.wrong():
                rows.writerow([*line.cells, *[""] * (len(work.file.header) - len(line.cells)), problem])
    except OSError as error:
        raise Invalid.of("--rejects", f"cannot be written: {path}: {error.strerror}") from None


def _summary(work: ConversionImport, arguments: Namespace) -> dict[str, object]:
    return {
        "lines": work.lines,
        "conversions": work.stored,
        "refunds": work.refunds,
        "repeats": work.repeats,
        "wrong": work.wrong_lines,
        "dry_run": arguments.dry_run,
        "faults": [fault._asdict() for fault in work.faults[:_LISTED]],
    }


def _say(context: CommandContext, work: ConversionImport, arguments: Namespace) -> None:
    """Says in plain words what was found and stored."""
    for fault in work.faults[:_SHOWN]:
        context.say(str(fault))
    if len(work.faults) > _SHOWN:
        context.say(f"… and {counted(len(work.faults) - _SHOWN, 'more fault')}; --rejects FILE.csv writes them all.")
    read = f"Read {counted(work.lines, 'line')}: {work.repeats:,} counted before"
    if arguments.dry_run:
        right = work.lines - work.repeats - work.wrong_lines
        context.say(
            f"{read}, {right:,} to be stored, {work.wrong_lines:,} wrong. Nothing was stored: it was a dry run."
        )
    elif work.faults and not arguments.skip_bad and not (work.stored or work.refunds):
        context.say(f"{read}, {work.wrong_lines:,} wrong.")
        context.say("Nothing was stored: put the wrong lines right, or store the others with --skip-bad.")
    else:
        stored = f"{counted(work.stored, 'new conversion')}, {counted(work.refunds, 'new refund')}"
        context.say(f"{read}, {stored}, {work.wrong_lines:,} wrong and left out.")
