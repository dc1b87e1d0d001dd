"""``grapevine import-log``: arrivals that no script saw, from a web server's access log."""

from __future__ import annotations

import os
import secrets
import stat
import sys
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING, Final

from grapevine.cli.arguments import SITE_HELP, Commands
from grapevine.cli.context import CommandContext, counted
from grapevine.cli.progress import byte_progress
from grapevine.domain import ids
from grapevine.domain.typed_origins import parse_origin
from grapevine.domain.urls import UrlError
from grapevine.errors import GrapevineError, Invalid
from grapevine.sites.cache import Site
from grapevine.sites.management import find_site

if TYPE_CHECKING:
    from grapevine.access_logs.log_import import ImportSummary
    from grapevine.config.settings import Settings
    from grapevine.store.base import Store

_STANDARD_INPUT: Final = "-"


def register(commands: Commands) -> None:
    """Adds the command ``import-log`` to the parser."""
    parser = commands.add(
        "import-log",
        import_log,
        "read arrivals that no script saw from a web server's access log",
        examples=(
            'grapevine import-log "My shop" /var/log/nginx/access.log.1',
            'grapevine import-log "My shop" access.log.2.gz --origin https://shop.example.com',
        ),
        more="The log is in the combined format of Apache and nginx, or the JSON of Caddy; it may be compressed with "
        "gzip. Lines whose address has a share token in its query become returns, unless the widget reported the same "
        "visit; preview robots and AI assistants become link previews. The same line counts once, however often it is "
        "read: when the command is stopped, run it again. It may run while the server does.",
    )
    parser.add_argument("site", metavar="SITE", help=SITE_HELP)
    parser.add_argument("file", metavar="FILE", help="the log, as it is or compressed with gzip; - for standard input")
    parser.add_argument(
        "--origin", metavar="URL", help="the site's origin that the log is of, where its lines name no host"
    )


async def import_log(context: CommandContext, arguments: Namespace) -> int:
    """Imports the log and says what it brought. Raises Invalid for a file that is not there."""
    async with context.store_and_keys() as (store, settings):
        site = Site(await find_site(store.sites, arguments.site), settings.secret_keys)
        origin = _origin(site, arguments.origin)
        with _opened(arguments.file) as file:
            summary = await _imported(context, store, settings, site, origin, file, arguments.file)
    if arguments.json:
        context.say_json(summary)
    else:
        _say(context, summary)
        if summary.origin is not None and arguments.origin is None and len(site.origins) > 1:
            context.say(f"Lines that name no host were taken for {summary.origin}; --origin names another one.")
    return 0


async def _imported(
    context: CommandContext,
    store: Store,
    settings: Settings,
    site: Site,
    origin: str,
    file: BufferedReader,
    name: str,
) -> ImportSummary:
    from grapevine.access_logs.arrivals import ArrivalReader
    from grapevine.access_logs.log_file import LogFile, UnreadableLog
    from grapevine.access_logs.log_import import LogImport
    from grapevine.background.leases import Leases
    from grapevine.collect.visitor_hash import VisitorSalts
    from grapevine.webhooks.subscriptions import Subscriptions
    from grapevine.writer.nonces import load_nonces
    from grapevine.writer.recorder import EventRecorder

    nonces = await load_nonces(store.salts)
    # A running server sends what is posted here.
    subscriptions = Subscriptions(store.webhooks, {site.site_id: site}.get, context.now, secrets.token_bytes, _nothing)
    await subscriptions.read()
    recorder = EventRecorder(store, nonces, subscriptions=subscriptions)
    salts = VisitorSalts(store.salts)
    horizon = await store.retention.horizon() or 0
    kept = ids.day_at(context.now()) - settings.retention_days if settings.retention_days else 0
    reader = ArrivalReader(site, origin, salts, max(horizon, kept))
    work = LogImport(store, recorder, nonces, reader, salts, site.row.param, context.clock)
    size = _size(file)
    with byte_progress(context, "Reading", size) as reached:

        def on_block() -> None:
            if size is not None:
                reached(file.tell())

        try:
            if not store.shared:
                return await work.run(LogFile(file), on_block)
            leases = Leases(store.leases, context.now, f"import-log {secrets.token_hex(8)}")
            async with leases.slot(recorder.set_slot):
                return await work.run(LogFile(file), on_block)
        except UnreadableLog as error:
            done = f" What was read before ({counted(work.summary.lines, 'line')}) is stored." if work.is_log else ""
            raise GrapevineError(f"{name} cannot be read: {error}.{done}") from None


def _nothing() -> None:
    pass


def _origin(site: Site, typed: str | None) -> str:
    """Returns the origin of lines that name no host. Raises Invalid for one that is none of the site's."""
    if typed is None:
        return site.row.origins[0]
    try:
        origin = parse_origin(typed)
    except UrlError as error:
        raise Invalid.of("--origin", str(error)) from None
    if origin not in site.origins:
        raise Invalid.of(
            "--origin", f"is {origin}, but the origins of {site.row.name} are {', '.join(site.row.origins)}"
        )
    return origin


@contextmanager
def _opened(name: str) -> Iterator[BufferedReader]:
    """Opens a file or a pipe, or takes standard input. Raises Invalid where it cannot be opened."""
    if name == _STANDARD_INPUT:
        with open(sys.stdin.fileno(), "rb", closefd=False) as file:
            yield file
        return
    try:
        file = Path(name).open("rb")  # noqa: SIM115 (what is raised while it is read is no fault of its name)
    except OSError as error:
        raise Invalid.of("FILE", f"cannot be read: {name}: {error.strerror}") from None
    except ValueError:
        raise Invalid.of("FILE", "cannot be read: its name has a NUL byte") from None
    with file:
        mode = os.fstat(file.fileno()).st_mode
        if stat.S_ISCHR(mode) or stat.S_ISBLK(mode):  # some never end
            raise Invalid.of("FILE", f"cannot be read: {name}: is a device")
        yield file


def _size(file: BufferedReader) -> int | None:
    """Returns the bytes of a file; None where they cannot be known, as of a pipe."""
    found = os.fstat(file.fileno())
    return found.st_size if stat.S_ISREG(found.st_mode) else None


def _say(context: CommandContext, done: ImportSummary) -> None:
    """Says in plain words what was found."""
    from grapevine.access_logs.arrivals import REFUSALS

    context.say(f"Read {counted(done.lines, 'line')}: {counted(done.returns, 'new return')} that no script reported.")
    others = (
        (done.joined, "of visits that the widget had reported, too; they stay one visit each"),
        (done.unfurls, "by robots of messengers and networks, recorded as link previews"),
        (done.assistants, "by AI assistants, recorded as link previews"),
        (done.repeats, "counted before"),
        (done.robots, "by other robots, which count nowhere"),
        *((done.refused.get(reason, 0), said) for reason, said in REFUSALS.items()),
        (done.broken, "not readable"),
    )
    for number, said in others:
        if number:
            context.say(f"{number:>9,} {said}")
    for line in done.first_broken:
        context.say(f"Line {line.line} could not be read: {line.text}")
