"""The progress bars of commands that play visits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

from grapevine.cli.context import CommandContext


@contextmanager
def visit_progress(context: CommandContext, visits: int) -> Iterator[Callable[[], None]]:
    """Shows a bar on standard error, if that is a terminal; yields the function to call after each visit."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=context.err, disable=not context.err.is_terminal) as progress:
        task = progress.add_task("Visits", total=visits)
        yield lambda: progress.advance(task)


@contextmanager
def item_progress(context: CommandContext, what: str, total: int) -> Iterator[Callable[[int], None]]:
    """Shows a bar on standard error, if that is a terminal; yields the function to call with how many more are done."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=context.err, disable=not context.err.is_terminal) as progress:
        task = progress.add_task(what, total=total)
        yield lambda done: progress.advance(task, done)


@contextmanager
def time_progress(context: CommandContext, what: str, start: int, end: int) -> Iterator[Callable[[int], None]]:
    """Shows a bar from the time ``start`` to ``end`` on standard error, if that is a terminal; yields the function to
    call with the time (UTC ms) that was reached."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=context.err, disable=not context.err.is_terminal) as progress:
        task = progress.add_task(what, total=end - start)
        yield lambda at: progress.update(task, completed=at - start)


@contextmanager
def byte_progress(context: CommandContext, what: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """Shows a bar of so many bytes on standard error, if that is a terminal; yields the function to call with the bytes
    that were reached. Without a ``total`` the bar says only that something happens."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=context.err, disable=not context.err.is_terminal) as progress:
        task = progress.add_task(what, total=total)
        yield lambda reached: progress.update(task, completed=reached)
