"""Bytes on disk per visit: the whole file after a checkpoint, and the part of each table and index."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from tests.bench.filled_stores import SIZES, filled, name_of

WANTED: Final = 140
_SMALL: Final = 0.05
_INDEX_NAMES: Final = {"sqlite_autoindex_visits_1": "visits, primary key"}


def run() -> None:
    """Prints bytes a visit."""
    stores = [filled(size) for size in SIZES]
    whole, parts, counts = [], [], []
    for store in stores:
        with closing(sqlite3.connect(store.path)) as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            ((visits,),) = database.execute("SELECT count(*) FROM visits").fetchall()
            parts.append(dict(database.execute("SELECT name, sum(pgsize) * 1.0 FROM dbstat GROUP BY name").fetchall()))
        counts.append(visits)
        whole.append(Path(store.path).stat().st_size / visits)
    table = Table(title=f"Bytes a visit on disk (wanted: ≤ {WANTED})", title_justify="left")
    table.add_column("table or index")
    for size in SIZES:
        table.add_column(f"{name_of(size)} visits", justify="right")
    rest = [0.0] * len(stores)
    for name in sorted(parts[-1], key=lambda name: -parts[-1][name]):
        shares = [part.get(name, 0) / visits for part, visits in zip(parts, counts, strict=True)]
        if shares[-1] < _SMALL:
            rest = [sum(pair) for pair in zip(rest, shares, strict=True)]
        else:
            table.add_row(_INDEX_NAMES.get(name, name), *(f"{share:.1f}" for share in shares))
    table.add_row("everything else", *(f"{share:.1f}" for share in rest))
    table.add_section()
    table.add_row("the whole file", *(f"{share:.1f}" for share in whole))
    table.add_row("visits stored", *(f"{visits:,}" for visits in counts))
    Console(width=100).print(table)
