"""``grapevine copy``: copies a whole store into another database."""

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
    from grapevine.store.copy.copier import CopyProgress, CopySummary, Phase

_AGAIN: Final = "run the same command again, which starts over"
_DOING: Final[dict[Phase, str]] = {"copy": "Copying", "compare": "Comparing"}
_KEYS: Final = (
    "What tokens are signed with is not in the database: give the servers of the new one the same secret keys "
    "(the file secret-keys beside a SQLite database, or GRAPEVINE_SECRET_KEYS), or links that were shared stop working."
)


def register(commands: Commands) -> None:
    """Adds the command ``copy`` to the parser."""
    parser = commands.add(
        "copy",
        copy,
        "copy a whole store into another database, and compare every row",
        examples=(
            "grapevine copy --from sqlite:////var/lib/grapevine/grapevine.sqlite3 --to postgresql://grapevine@db/grapevine",
        ),
        more="From SQLite to PostgreSQL, back, or within a kind. To move, stop the servers first: what they store "
        "after the copy has begun is not copied. An interrupted copy starts over when the same command is run again. "
        "Exit status 0 when every row of both was compared and is the same.",
    )
    parser.add_argument(
        "--from",
        dest="source",
        type=_database,
        required=True,
        metavar="URL",
        help="the database to copy, such as sqlite:////var/lib/grapevine/grapevine.sqlite3",
    )
    parser.add_argument(
        "--to",
        dest="target",
        type=_database,
        required=True,
        metavar="URL",
        help="where to copy it: a database that is empty or not there yet, such as postgresql://HOST/DATABASE",
    )


async def copy(context: CommandContext, arguments: Namespace) -> int:
    """Copies and compares the stores, and prints a summary."""
    from grapevine.store.copy.copier import copy_store, endpoint

    try:
        async with endpoint(arguments.source) as source, endpoint(arguments.target) as target:
            with copy_progress(context) as progress:
                done = await copy_store(source, target, progress, context.now())
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


def _say(context: CommandContext, done: CopySummary) -> None:
    tables = counted(sum(1 for table in done.tables if table.rows), "table")
    context.say(
        f"Copied {counted(done.rows, 'row')} of {tables} from {done.source} to {done.target}: "
        f"{_pace(done.rows, done.copy_seconds)}."
    )
    if done.verified:
        context.say(f"Compared every row of both; all are the same: {_pace(done.rows, done.compare_seconds)}.")
        context.say(f"What a server stored in {done.source} after the copy had begun is not in {done.target}.")
        context.say(_KEYS)


def _pace(rows: int, seconds: float) -> str:
    return f"{seconds:,.1f} s, {rows / seconds:,.0f} rows/s" if rows and seconds else f"{seconds:,.1f} s"


def _complain(context: CommandContext, done: CopySummary) -> None:
    context.complain(f"{counted(done.differing, 'row')} of {done.source} and {done.target} differ:")
    for difference in done.differences:
        context.complain(f"- {difference}")
    context.complain(
        "Something else wrote to the target, which stays marked as an unfinished copy: stop what uses it, and run the "
        "same again, which starts over"
    )


def _database(text: str) -> str:
    (setting,) = (each for each in SETTINGS if each.name == "database")
    try:
        return str(setting.parse(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


@contextmanager
def copy_progress(context: CommandContext) -> Iterator[CopyProgress]:
    """Shows a bar on a terminal, else prints a line per table."""
    if not context.err.is_terminal:
        yield Lines(context)
        return
    columns = (
        TextColumn("{task.description:<9}"),
        BarColumn(bar_width=None),
        TextColumn("{task.percentage:>3.0f} %"),
        TextColumn("{task.completed:,.0f} of {task.total:,.0f}"),
        TimeRemainingColumn(compact=True),
        TextColumn("{task.fields[table]:<13}", style="dim"),
    )
    with Progress(*columns, console=context.err, expand=True) as progress:
        yield Bars(progress)


class Bars:
    """Shows a bar for each phase, over the rows of all tables, and the name of the table that is being read."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task = TaskID(0)

    def phase(self, name: Phase, rows: int) -> None:
        """Adds a bar; the one before stays, full."""
        for task in self._progress.task_ids:
            self._progress.update(task, table="")
        self._task = self._progress.add_task(_DOING[name], total=rows, table="")

    def table(self, name: str, rows: int) -> None:  # noqa: ARG002
        """Shows the table's name next to the bar."""
        self._progress.update(self._task, table=name)

    def advance(self, rows: int) -> None:
        """Moves the bar on by so many rows."""
        self._progress.advance(self._task, rows)


class Lines:
    """Prints a line for each table that has rows."""

    def __init__(self, context: CommandContext) -> None:
        self._context = context
        self._doing = ""

    def phase(self, name: Phase, rows: int) -> None:  # noqa: ARG002
        """Sets the verb of the next lines."""
        self._doing = _DOING[name]

    def table(self, name: str, rows: int) -> None:
        """Prints the name and size of a table that has rows."""
        if rows:
            self._context.err.print(f"{self._doing} {name}: {counted(rows, 'row')}")

    def advance(self, rows: int) -> None:
        """Does nothing: lines are printed for whole tables only."""
