"""Exports: the memory of each table in each format, and whether CSV, NDJSON and Parquet agree row by row.

The store is a filled one of VISITS (5,000,000) visits; what ``outcomes`` adds is for one visit in FEWER (20). Memory is
counted as by ``memory``: what the process of ``grapevine export`` had for itself, and what a server's had that sends
the table in all three formats at the same time. Its files have to be those of the command, byte for byte.
"""

from __future__ import annotations

import csv
import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, wait
from contextlib import closing
from decimal import Decimal
from itertools import zip_longest
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table

from grapevine.domain.periods import rfc3339
from grapevine.exports import TABLES
from grapevine.exports.columns import ExportColumn, Kind
from tests.bench.fill import SECRET
from tests.bench.filled_stores import FOLDER, filled, name_of
from tests.bench.ingest import free_port
from tests.bench.load import NO_LIMITS, process
from tests.bench.memory import now
from tests.bench.outcomes import add_outcomes

WANTED: Final = 150
"""MiB of the process's own memory, with five million rows."""
FORMATS: Final = ("ndjson", "csv", "parquet")

_VISITS: Final = int(os.environ.get("VISITS", "5000000"))
_FEWER: Final = int(os.environ.get("FEWER", "20"))
_EVERY_SECONDS: Final = 0.02


class Exported(NamedTuple):
    """A file that the command wrote, in how many seconds, and the most MiB that it had for itself."""

    path: Path
    seconds: float
    peak: float


Value = str | int | float | bool | None
Row = list[Value]
"""Values as every format says them; None for an empty text too."""


def run() -> None:
    """Prints a table.

    Raises ValueError when two formats differ, and SystemExit when the server's files are not the command's, or when a
    process took more memory than is wanted.
    """
    store = filled(_VISITS)
    table = Table(
        title=f"exports of {name_of(_VISITS)} visits (wanted: ≤ {WANTED} MiB of a process's own memory)",
        title_justify="left",
    )
    for column in ("table", "rows", *(f"{name}, {unit}" for name in FORMATS for unit in ("s", "MiB")), "server, MiB"):
        table.add_column(column, justify="left" if column == "table" else "right")
    most = 0.0
    with tempfile.TemporaryDirectory(dir=FOLDER) as name:
        folder = Path(name)
        database = Path(shutil.copy(store.path, folder))
        with closing(sqlite3.connect(database)) as filling:
            add_outcomes(filling, _FEWER)
        settings = {"GRAPEVINE_DATABASE": f"sqlite:///{database}", "GRAPEVINE_SECRET_KEYS": SECRET}
        port = free_port()
        serve = ("-m", "grapevine", "serve", "--port", str(port))
        with (
            ProcessPoolExecutor(1) as comparing,
            process(*serve, ready="ready", environment=settings | NO_LIMITS) as server,
        ):
            for name, (columns, _) in TABLES.items():
                exported = {fmt: export(settings, store.site, name, fmt, folder) for fmt in FORMATS}
                compared = comparing.submit(compare, {fmt: one.path for fmt, one in exported.items()}, columns)
                served = served_peak(server.pid, f"http://127.0.0.1:{port}/v1/export/{name}", store.key, exported)
                rows = compared.result()
                most = max(most, served, *(one.peak for one in exported.values()))
                figures = [text for one in exported.values() for text in (f"{one.seconds:.1f}", f"{one.peak:.0f}")]
                table.add_row(name, f"{rows:,}", *figures, f"{served:.0f}")
                sys.stderr.write(f"{name}: {rows:,} rows, {', '.join(figures)}, server {served:.0f}\n")
                for one in exported.values():
                    one.path.unlink()
    Console(width=130).print(table)
    sys.stdout.write(
        "CSV, NDJSON and Parquet agree in every row and column, and the server's files are the command's.\n"
    )
    if most > WANTED:
        raise SystemExit(f"an export took {most:.0f} MiB")


def export(settings: dict[str, str], site: str, table: str, fmt: str, folder: Path) -> Exported:
    """Runs the command. Raises RuntimeError when it fails."""
    path = folder / f"{table}.{fmt}"
    command = [sys.executable, "-m", "grapevine", "export", site, table, "--format", fmt]
    started, peak = time.perf_counter(), 0.0
    with path.open("wb") as out, subprocess.Popen(command, stdout=out, env={**os.environ, **settings}) as running:  # noqa: S603
        while running.poll() is None:
            peak = max(peak, now(running.pid).own) if Path(f"/proc/{running.pid}").exists() else peak
            time.sleep(_EVERY_SECONDS)
    if running.returncode:
        raise RuntimeError(f"the export of {table} as {fmt} ended with {running.returncode}")
    return Exported(path, time.perf_counter() - started, peak)


def served_peak(pid: int, url: str, key: str, exported: dict[str, Exported]) -> float:
    """Gets the table from the server in all formats at the same time. Returns the most MiB that it had for itself.

    Raises SystemExit for a file that is not the one in ``exported``.
    """
    with ThreadPoolExecutor(len(exported)) as threads:
        digests = {fmt: threads.submit(_digest_of, f"{url}?format={fmt}", key) for fmt in exported}
        peak = now(pid).own
        while wait(digests.values(), _EVERY_SECONDS).not_done:
            peak = max(peak, now(pid).own)
    for fmt, one in exported.items():
        with one.path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").digest() != digests[fmt].result():
                raise SystemExit(f"the server sends another file than {one.path.name}")
    return peak


def _digest_of(url: str, key: str) -> bytes:
    digest = hashlib.sha256()
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {key}"})  # noqa: S310
    with urllib.request.urlopen(request) as response:  # noqa: S310
        while piece := response.read(1 << 16):
            digest.update(piece)
    return digest.digest()


def compare(paths: dict[str, Path], columns: tuple[ExportColumn, ...]) -> int:
    """Returns the number of rows in which the files agree. Raises ValueError at the first one in which they do not."""
    readers = [READERS[fmt](path, columns) for fmt, path in paths.items()]
    number = 0
    for number, rows in enumerate(zip_longest(*readers), 1):  # the last one is returned
        if any(row != rows[0] for row in rows):
            told = "\n".join(f"{fmt}: {row}" for fmt, row in zip(paths, rows, strict=True))
            raise ValueError(f"row {number} differs:\n{told}")
    return number


def _ndjson(path: Path, columns: tuple[ExportColumn, ...]) -> Iterator[Row]:
    names = [column.name for column in columns]
    money = _places(columns, "money")
    decode = msgspec.json.Decoder(dict[str, Value]).decode
    with path.open("rb") as file:
        for line in file:
            values = decode(line)
            if list(values) != names:
                raise ValueError(f"{path.name} has the columns {list(values)}")
            row = [None if value == "" else value for value in values.values()]
            for at in money:
                row[at] = _amount(row[at])
            yield row


def _csv(path: Path, columns: tuple[ExportColumn, ...]) -> Iterator[Row]:
    """CSV has an apostrophe in front of what a spreadsheet would run, and does not tell an empty text from none."""
    parse: dict[Kind, Callable[[str], Value]] = {
        "whole": int,
        "number": float,
        "yes": lambda text: text == "true",
        "money": _amount,
    }
    parsed = [(at, parse[column.kind]) for at, column in enumerate(columns) if column.kind in parse]
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = csv.reader(file)
        names = next(lines)
        if names != [column.name for column in columns]:
            raise ValueError(f"{path.name} has the columns {names}")
        for texts in lines:
            row: Row = [None if text == "" else text[1:] if text[0] == "'" else text for text in texts]
            for at, convert in parsed:
                if texts[at]:
                    row[at] = convert(texts[at])
            yield row


def _parquet(path: Path, columns: tuple[ExportColumn, ...]) -> Iterator[Row]:
    money = _places(columns, "money")
    for batch in pq.ParquetFile(path).iter_batches(batch_size=10_000):
        found = [
            map(_time, each.cast(pa.int64()).to_pylist()) if column.kind == "time" else each.to_pylist()
            for each, column in zip(batch.columns, columns, strict=True)
        ]
        for values in zip(*found, strict=True):
            row: Row = [None if value == "" else value for value in values]
            for at in money:
                row[at] = _amount(row[at])
            yield row


def _places(columns: tuple[ExportColumn, ...], kind: Kind) -> list[int]:
    return [at for at, column in enumerate(columns) if column.kind == kind]


def _time(at: int | None) -> str | None:
    return None if at is None else rfc3339(at)


def _amount(value: Any) -> str | None:
    return None if value is None else str(Decimal(value).normalize())


READERS: Final[dict[str, Callable[[Path, tuple[ExportColumn, ...]], Iterator[Row]]]] = {
    "ndjson": _ndjson,
    "csv": _csv,
    "parquet": _parquet,
}
