"""From the command to the ready line, compared with starting Python and its web framework; interleaved rounds."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Final

from rich.console import Console
from rich.table import Table

from tests.bench.ingest import ORIGIN, free_port, grapevine
from tests.bench.load import process

_ROUNDS: Final = int(os.environ.get("ROUNDS", "11"))
_FRAMEWORK: Final = "import uvicorn, uvloop, httptools, starlette.applications"


def run() -> None:
    """Prints milliseconds and ratios."""
    with tempfile.TemporaryDirectory() as folder:
        settings = {"GRAPEVINE_DATABASE": f"sqlite:///{folder}/bench.sqlite3"}
        grapevine(settings, "site", "add", "Bench", "--origin", ORIGIN)
        port = str(free_port())

        def serve() -> float:
            start = time.perf_counter()
            with process("-m", "grapevine", "serve", "--port", port, ready="ready", environment=settings):
                return time.perf_counter() - start

        calls: dict[str, Callable[[], float]] = {
            "python -c pass": lambda: _python("pass"),
            "importing uvicorn and Starlette": lambda: _python(_FRAMEWORK),
            "grapevine --version": lambda: _timed("-m", "grapevine", "--version"),
            "grapevine serve, until it is ready": serve,
        }
        times: dict[str, list[float]] = {name: [] for name in calls}
        for _ in range(_ROUNDS):
            for name, call in calls.items():
                times[name].append(call() * 1e3)
    _show(times)


def _show(times: dict[str, list[float]]) -> None:
    bare, framework, *_ = times
    table = Table(title=f"Start-up, {_ROUNDS} rounds", title_justify="left")
    table.add_column("what")
    for column in ("min ms", "median ms", "max ms", f"÷ {bare}", "÷ imports"):
        table.add_column(column, justify="right")
    for name, found in times.items():
        ratios = [
            statistics.median(mine / base for mine, base in zip(found, times[reference], strict=True))
            for reference in (bare, framework)
        ]
        figures = (min(found), statistics.median(found), max(found))
        table.add_row(name, *(f"{one:.0f}" for one in figures), *(f"{one:.1f}" for one in ratios))
    Console(width=120).print(table)


def _python(text: str) -> float:
    return _timed("-c", text)


def _timed(*arguments: str) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)  # noqa: S603
    return time.perf_counter() - start
