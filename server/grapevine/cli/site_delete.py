"""``grapevine site delete``: deletes a site with everything that was measured on it."""

from __future__ import annotations

import asyncio
import shlex
import sys
import unicodedata
from argparse import Namespace
from itertools import count
from pathlib import Path
from typing import Final

import msgspec
from rich.progress import Progress, TextColumn

from grapevine.cli.arguments import Commands
from grapevine.cli.context import CommandContext, counted
from grapevine.domain import ids
from grapevine.errors import Invalid, StoreError, UnknownSite
from grapevine.exports import FORMATS
from grapevine.exports.folder import export_all
from grapevine.sites.cache import Site
from grapevine.sites.deletion import SiteDeletion
from grapevine.sites.management import find_site
from grapevine.store.base import Store
from grapevine.store.repositories.site_deletion import DeletedSite, SiteAmounts

_STOPPED: Final = (
    "The deletion is not finished. Nothing is counted for this site any more; to delete the rest, run the same command "
    "again."
)
_KEPT: Final = "Nothing was deleted."


class _Report(msgspec.Struct):
    """What ``--json`` prints. ``deleted`` are the rows of this run, by table; ``from`` and ``to`` the days that were
    counted."""

    site: str
    name: str
    visits: int
    shares: int
    conversions: int
    answers: int
    keys: int
    first: str | None = msgspec.field(name="from")
    last: str | None = msgspec.field(name="to")
    exported: list[str]
    deleted: dict[str, int]


def register(commands: Commands) -> None:
    """Adds the command ``site delete`` to the parser."""
    parser = commands.add(
        "delete",
        delete,
        "delete a site with everything that was measured on it",
        examples=("grapevine site delete SITE", 'grapevine site delete SITE --yes "My shop" --export saved'),
        more="On a terminal it says what there is, offers to save it into files, and wants the site's name typed. A "
        "running server follows within a second: it refuses the site's visits, links and keys. When the command is "
        "stopped, run it again: it deletes the rest.",
    )
    parser.add_argument("site", metavar="SITE", help="the site's key, or its name where no other site has it")
    parser.add_argument(
        "--yes", metavar="NAME", help="ask nothing: the site's name, typed here; needed where there is no terminal"
    )
    parser.add_argument("--export", metavar="FOLDER", type=Path, help="save all its tables into this folder first")
    parser.add_argument("--format", choices=tuple(FORMATS), default="csv", help="of the saved files (default: csv)")


async def delete(context: CommandContext, arguments: Namespace) -> int:
    """Asks, exports and deletes. Returns the exit status. Raises Invalid where a question cannot be asked."""
    async with context.store() as store:
        site = await _find(store, arguments.site)
        amounts = await store.site_deletion.amounts(site.site_id)
        folder = arguments.export
        if arguments.yes is not None:
            _check_name(site, arguments.yes)
        else:
            _must_be_a_terminal(site, as_json=arguments.json)
            context.say(_announced(site, amounts))
            folder = folder or _asked_folder(context, site)
        files = await _export(context, store, site, folder, arguments.format)
        if files and not arguments.json:
            context.say(_saved(files))
        if arguments.yes is None and not _typed_name(context, site):
            return 1
        deleted = await _delete(context, store, site)
    if arguments.json:
        context.say_json(_report(site, amounts, files, deleted))
    else:
        context.say(
            f"Deleted {site.name} with everything that was measured on it. "
            "Take its snippet out of your pages: it does nothing there any more."
        )
    return 0


async def _find(store: Store, text: str) -> DeletedSite:
    """Returns the site, also one whose deletion was stopped. Raises UnknownSite."""
    unfinished = await store.site_deletion.unfinished()
    for site in unfinished:
        if site.key == text:
            return site
    try:
        row = await find_site(store.sites, text)
    except UnknownSite:
        named = [site for site in unfinished if _same(site.name, text)]
        if len(named) != 1:
            raise
        return named[0]
    return DeletedSite(row.site_id, row.key, row.name)


def _check_name(site: DeletedSite, given: str) -> None:
    if not _same(site.name, given):
        raise Invalid(f"--yes says {given!r}, but the site {site.key} is called {site.name!r}. {_KEPT}")


def _must_be_a_terminal(site: DeletedSite, *, as_json: bool) -> None:
    if as_json or not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise Invalid(
            "deleting a site cannot be undone, and there is nobody to ask here: confirm it with the site's name, "
            f"grapevine site delete {site.key} --yes {shlex.quote(site.name)}"
        )


def _announced(site: DeletedSite, amounts: SiteAmounts) -> str:
    there = ", ".join(
        counted(number, noun)
        for number, noun in (
            (amounts.visits, "visit"),
            (amounts.shares, "share"),
            (amounts.conversions, "conversion"),
            (amounts.answers, "answer"),
            (amounts.keys, "API key"),
        )
    )
    when = "" if amounts.first_day is None else f", from {_day(amounts.first_day)} to {_day(amounts.last_day)}"
    return (
        f"This deletes the site {site.name} ({site.key}) with everything that was measured on it:\n"
        f"  {there}{when}.\n"
        "Links that were shared from its pages lead nowhere afterwards. Only a backup brings any of it back."
    )


def _asked_folder(context: CommandContext, site: DeletedSite) -> Path | None:
    """Returns the folder to save the data in first; None where it is not to be saved."""
    name = f"grapevine-{site.key}-{ids.day_date(ids.day_at(context.now())).isoformat()}"
    usual = Path(name)
    for number in count(2):
        if not usual.exists():
            break
        usual = Path(f"{name}-{number}")
    answer = context.ask(f"Save its data into files first? Type yes, no, or the name of a folder [yes, into {usual}]:")
    if answer is None:
        raise Invalid(f"there was no answer. {_KEPT}")
    if answer.lower() in ("n", "no"):
        return None
    return usual if answer.lower() in ("", "y", "yes") else Path(answer)


async def _export(
    context: CommandContext, store: Store, site: DeletedSite, folder: Path | None, format_name: str
) -> list[Path]:
    row = next((row for row in await store.sites.sites() if row.site_id == site.site_id), None)
    if folder is None:
        return []
    if row is None:
        raise Invalid(f"the deletion of {site.name} has begun: what is left of it cannot be saved any more")
    settings = await context.with_keys(store, context.settings())
    return await export_all(store, Site(row, settings.secret_keys), folder, format_name)


def _saved(files: list[Path]) -> str:
    return f"Saved in {files[0].parent.absolute()}: {', '.join(file.name for file in files)}."


def _typed_name(context: CommandContext, site: DeletedSite) -> bool:
    typed = context.ask(f"To delete it, type the site's name ({site.name}):")
    if typed is not None and _same(site.name, typed):
        return True
    context.say(f"That is not the name of the site, which is {site.name}. {_KEPT}")
    return False


async def _delete(context: CommandContext, store: Store, site: DeletedSite) -> dict[str, int]:
    columns = (TextColumn("Deleting, rows so far:"), TextColumn("{task.completed:,}"))
    with Progress(*columns, console=context.err, disable=not context.err.is_terminal, transient=True) as progress:
        task = progress.add_task("rows", total=None)
        deletion = SiteDeletion(store, context.clock, on_deleted=lambda rows: progress.advance(task, rows))
        try:
            return await deletion.run(site.site_id)
        except StoreError as error:
            raise StoreError(f"{error}. {_STOPPED}") from error
        except asyncio.CancelledError:
            context.complain(_STOPPED)
            raise


def _report(site: DeletedSite, amounts: SiteAmounts, files: list[Path], deleted: dict[str, int]) -> _Report:
    return _Report(
        site=site.key,
        name=site.name,
        visits=amounts.visits,
        shares=amounts.shares,
        conversions=amounts.conversions,
        answers=amounts.answers,
        keys=amounts.keys,
        first=_day(amounts.first_day),
        last=_day(amounts.last_day),
        exported=[str(file.absolute()) for file in files],
        deleted=deleted,
    )


def _day(day: int | None) -> str | None:
    return None if day is None else ids.day_date(day).isoformat()


def _same(name: str, typed: str) -> bool:
    """Whether a name was typed right, however the keyboard puts its letters together."""
    return unicodedata.normalize("NFC", name) == unicodedata.normalize("NFC", typed.strip())
