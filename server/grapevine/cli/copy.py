"""``grapevine copy``: a whole store into another database."""

from __future__ import annotations

import argparse
import asyncio
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from grapevine.cli.arguments import Commands
from grapevine.cli.context import CommandContext, counted
from grapevine.config.settings import SETTINGS
from grapevine.errors import Interrupted

if TYPE_CHECKING:
    from grapevine.store.copy.copier import Phase, Summary, Watcher

_AGAIN: Final = "run the same command again to go on where it stopped; leave the servers stopped until it is done"
_DOING: Final[dict[Phase, str]] = {"copy": "Copying", "compare": "Comparing"}
_KEYS: Final = (
    "What tokens are signed with is not in the database: give the servers of the new one the same secret keys "
    "(the file secret-keys beside a SQLite database, or GRAPEVINE_SECRET_KEYS), or links that were shared stop working."
)


def register(commands: Commands) -> None:
    """Adds the command."""
    parser = commands.add(
        "copy",
        copy,
        "copy a whole store into another database, and compare every row",
        more="From SQLite to PostgreSQL, back, or within a kind. Stop the servers first. An interrupted copy goes on "
        "when the same command is run again. Exit status 0 when every row of both was compared and is the same.",
    )
    parser.add_argument(
        "--from", dest="source", type=_database, required=True, metavar="URL",
        help="the database to copy, such as sqlite:////var/lib/grapevine/grapevine.sqlite3",
    )  # fmt: skip
    parser.add_argument(
        "--to", dest="target", type=_database, required=True, metavar="URL",
        help="where to copy it: a database that is empty or not there yet, such as postgresql://HOST/DATABASE",
    )  # fmt: skip
    parser.add_argument(
        "--restart", action="store_true", help="delete what an unfinished copy has left in the target, and begin anew"
    )


async def copy(context: CommandContext, arguments: Namespace) -> int:
    """Copies, compares, and says what it did."""
    from grapevine.store.copy.copier import move
    from grapevine.store.copy.opening import opened

    try:
        async with opened(arguments.source) as source, opened(arguments.target) as target:
            with _watching(context) as watcher:
                done = await move(source, target, watcher, context.now(), restart=arguments.restart)
    except Interrupted as error:
        raise Interrupted(f"{error}; {_AGAIN}") from error
    except asyncio.CancelledError:
        context.complain(f"interrupted; {_AGAIN}")
        raise
    if arguments.json:
        context.say_json(done)
    else:
        _say(context, done)
    if not done.verified:
        _complain(context, done)
    return 0 if done.verified else 1


def _say(context: CommandContext, done: Summary) -> None:
    tables = counted(sum(1 for table in done.tables if table.rows), "table")
    before = f", {counted(done.rows - done.copied, 'row')} of them in an earlier run" if done.resumed else ""
    context.say(
        f"Copied {counted(done.rows, 'row')} of {tables} from {done.source} to {done.target}{before}: "
        f"{_pace(done.copied, done.copy_seconds)}."
    )
    if done.verified:
        context.say(f"Compared every row of both; all are the same: {_pace(done.rows, done.compare_seconds)}.")
        context.say(_KEYS)


def _pace(rows: int, seconds: float) -> str:
    return f"{seconds:,.1f} s, {rows / seconds:,.0f} rows/s" if rows and seconds else f"{seconds:,.1f} s"


def _complain(context: CommandContext, done: Summary) -> None:
    context.complain(f"{counted(done.differing, 'row')} of {done.source} and {done.target} differ:")
    for difference in done.differences:
        context.complain(f"- {difference}")
    context.complain(
        "Something was written to one of them after the copy had begun. Nothing was mended, as nothing tells which is "
        "right; to delete what is in the target and begin anew, run the same with --restart"
    )


def _database(text: str) -> str:
    (setting,) = (each for each in SETTINGS if each.name == "database")
    try:
        return str(setting.parse(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


@contextmanager
def _watching(context: CommandContext) -> Iterator[Watcher]:
    """A bar on a terminal, else a line per table."""
    if not context.err.is_terminal:
        yield Lines(context)
        return
    columns = (
        TextColumn("{task.description:<9}"), BarColumn(bar_width=None), TextColumn("{task.percentage:>3.0f} %"),
        TextColumn("{task.completed:,.0f} of {task.total:,.0f}"), TimeRemainingColumn(compact=True),
        TextColumn("{task.fields[table]:<13}", style="dim"),
    )  # fmt: skip
    with Progress(*columns, console=context.err, expand=True) as progress:
        yield Bars(progress)


class Bars:
    """A bar for each phase, over the rows of all tables; behind it stands the table it is at."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task = TaskID(0)

    def phase(self, name: Phase, rows: int) -> None:
        """A new bar; the one before stays, full."""
        for task in self._progress.task_ids:
            self._progress.update(task, table="")
        self._task = self._progress.add_task(_DOING[name], total=rows, table="")

    def table(self, name: str, rows: int) -> None:  # noqa: ARG002
        """The bar names the table."""
        self._progress.update(self._task, table=name)

    def advance(self, rows: int) -> None:
        """The bar grows."""
        self._progress.advance(self._task, rows)


class Lines:
    """A line for each table that has rows."""

    def __init__(self, context: CommandContext) -> None:
        self._shell = context
        self._doing = ""

    def phase(self, name: Phase, rows: int) -> None:  # noqa: ARG002
        """What the next lines begin with."""
        self._doing = _DOING[name]

    def table(self, name: str, rows: int) -> None:
        """One line."""
        if rows:
            self._shell.err.print(f"{self._doing} {name}: {counted(rows, 'row')}")

    def advance(self, rows: int) -> None:
        """Nothing: lines do not grow."""
