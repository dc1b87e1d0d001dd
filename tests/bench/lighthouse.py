"""Lighthouse's scores of a page with the widget and of the same page without it, in interleaved pairs.

Needs Node and npm, and fetches Lighthouse once into a folder of the user's cache. The pages, the widget and its server
are on loopback; nothing is asked of any other machine. The performance score is a weighted mean of times and follows
whatever else the machine does; bytes, layout shift, accessibility and best practices do not.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from tests.support.browsers import CHROMIUM, FLAGS
from tests.support.page_server import serve_site

VERSION: Final = "12.8.2"
"""The last version that runs on Node 18 and 20."""
PAIRS: Final = int(os.environ.get("PAIRS", "5"))
CATEGORIES: Final = ("performance", "accessibility", "best-practices")
_MEASURES: Final = (
    ("total-blocking-time", "blocking time, ms"),
    ("cumulative-layout-shift", "layout shift"),
    ("total-byte-weight", "bytes"),
    ("first-contentful-paint", "first paint, ms"),
)
_TEXT: Final = "<p>Word of mouth leaves no referrer. A reader copies a link into a chat, and a friend opens it.</p>"
_SECONDS: Final = 180


def run() -> None:
    """Prints a table; exits with a sentence where Node, npm or Chromium is missing."""
    command = _lighthouse()
    found: dict[str, list[dict[str, float]]] = {"without": [], "with": []}
    with _pages() as pages:
        for _ in range(PAIRS):
            for name, url in pages.items():
                found[name].append(_audit(command, url))
    table = Table(title=f"Lighthouse {VERSION}, {PAIRS} pairs, min / median / max", title_justify="left")
    for column in ("", "without", "with", "difference of medians"):
        table.add_column(column, justify="right" if column else "left")
    for key in found["with"][0]:
        sides = [[one[key] for one in found[name]] for name in ("without", "with")]
        medians = [statistics.median(side) for side in sides]
        table.add_row(key, *(_spread(side) for side in sides), f"{medians[1] - medians[0]:+,.4g}")
    Console(width=110).print(table)


def _spread(values: list[float]) -> str:
    return " / ".join(f"{value:,.5g}" for value in (min(values), statistics.median(values), max(values)))


def _lighthouse() -> list[str]:
    """Returns the command; installs it if it is missing."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not (node and npm):
        sys.exit("Lighthouse runs on Node: install Node 18 or newer with npm, then run this again")
    if not Path(CHROMIUM).exists():
        sys.exit(f"Lighthouse drives {CHROMIUM}, which is not there: make browser")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "grapevine-bench", f"lighthouse-{VERSION}")
    script = cache / "node_modules/lighthouse/cli/index.js"
    if not script.exists():
        cache.mkdir(parents=True, exist_ok=True)
        install = [npm, "install", "--no-audit", "--no-fund", "--prefix", str(cache), f"lighthouse@{VERSION}"]
        subprocess.run(install, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603
    return [node, str(script)]


@contextmanager
def _pages() -> Iterator[dict[str, str]]:
    """The same page twice, on an origin of its own, one of them with the widget of a real server."""
    command = [sys.executable, "-m", "grapevine", "demo", "--json", "--history", "0", "--port", "0", "--site-port", "0"]
    with serve_site() as site, subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as demo:  # noqa: S603
        assert demo.stdout is not None
        facts = json.loads(demo.stdout.readline())
        try:
            _allow(facts, site.origin)
            snippet = f'<script async src="{facts["server"]}/widget.js" data-site="{facts["site"]}"></script>'
            head = '<meta name="description" content="A page"><link rel="icon" href="data:,">'
            body = f"<main><h1>A page</h1>{_TEXT * 30}</main>"
            yield {
                "without": site.page("/without", body, head=head, snippet=""),
                "with": site.page("/with", body, head=head, snippet=snippet),
            }
        finally:
            demo.terminate()


def _allow(facts: dict[str, str], origin: str) -> None:
    """Adds the origin to the demo's site, so that the widget's reports are accepted."""
    origins = (f"origin={one}" for one in (facts["site_url"], origin))
    command = [sys.executable, "-m", "grapevine", "site", "set", facts["site"], *origins]
    environment = {**os.environ, "GRAPEVINE_DATABASE": facts["database"]}
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)  # noqa: S603


def _audit(command: list[str], url: str) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        flags = " ".join(["--headless=new", *(f'"{flag}"' if " " in flag else flag for flag in FLAGS)])
        options = [f"--only-categories={','.join(CATEGORIES)}", f"--chrome-flags={flags}", "--quiet"]
        subprocess.run(  # noqa: S603
            [*command, url, "--output=json", f"--output-path={report}", *options],
            env={**os.environ, "CHROME_PATH": CHROMIUM},
            check=True,
            timeout=_SECONDS,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        answer: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    scores = {name: 100 * answer["categories"][name]["score"] for name in CATEGORIES}
    return scores | {label: answer["audits"][name]["numericValue"] for name, label in _MEASURES}
