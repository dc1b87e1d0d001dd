"""Filled stores of several sizes, kept for the next run in ``$STORES`` (default: among the temporary files)."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

import msgspec

from grapevine.store import sql_loader
from tests.bench.fill import FilledStore

FOLDER: Final = Path(os.environ.get("STORES", str(Path(tempfile.gettempdir(), "grapevine-bench"))))
SIZES: Final = tuple(int(size) for size in os.environ.get("SIZES", "100000,1000000").split(","))


def filled(visits: int) -> FilledStore:
    """Returns the store with about so many visits; a separate process fills it when it is missing."""
    path = FOLDER / f"{visits}-{_fingerprint()}.sqlite3"
    facts = path.with_suffix(".json")
    if not facts.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        for left in FOLDER.glob(f"{path.name}*"):
            left.unlink()
        sys.stderr.write(f"filling a store with {visits:,} visits …\n")
        command = ["nice", "-n", "15", sys.executable, "-m", "tests.bench.fill", str(visits), str(path)]
        facts.write_bytes(subprocess.run(command, capture_output=True, check=True).stdout)  # noqa: S603
    return msgspec.json.decode(facts.read_bytes(), type=FilledStore)


def name_of(visits: int) -> str:
    """``10⁵`` for 100,000; other numbers as they are."""
    power = len(str(visits)) - 1
    superscripts = "⁰¹²³⁴⁵⁶⁷⁸⁹"
    return f"10{superscripts[power]}" if visits == 10**power else f"{visits:,}"


def _fingerprint() -> str:
    """Returns a hash of the schema and of the code that fills the store, so that no run measures an outdated store."""
    here = Path(__file__).parent
    texts = [migration.text for migration in sql_loader.migrations()]
    texts += [(here / name).read_text("utf-8") for name in ("fill.py", "filler.py", "scenario.py")]
    return hashlib.sha256("".join(texts).encode()).hexdigest()[:10]
