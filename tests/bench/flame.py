"""Where the time of collecting goes: a flame graph of a server under load, from py-spy's samples.

``make bench ARGS=flame`` writes ``docs/images/flame.svg``. py-spy is not among the project's packages; install it
in addition (``pip install py-spy``).
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

from tests.bench.ingest import ORIGIN, free_port, grapevine, seed
from tests.bench.load import NO_LIMITS, offer, process

OUT: Final = Path(__file__).parents[2] / "docs" / "images" / "flame.svg"
_SECONDS: Final = int(os.environ.get("SECONDS", "8"))
_WIDTH, _ROW, _EDGE = 1200, 19, 12
_NARROWEST: Final = 2.0
_LOOP: Final = "Runner.run (asyncio/runners.py)"
_LINE: Final = re.compile(r":\d+\)")

# The group of a frame, by a part of its file's name; the first match decides.
_AREAS: Final = (
    ("grapevine/domain/tokens", "token", "minting and reading tokens"),
    ("grapevine/domain/ids", "token", ""),
    ("grapevine/store", "store", "SQLite"),
    ("grapevine/writer", "writer", "what a batch changes"),
    ("grapevine/collect", "collect", "checking, classifying, answering"),
    ("grapevine/web", "web", "HTTP, the fast path"),
    ("grapevine/serving", "web", ""),
    ("uvicorn", "web", ""),
)
_STYLE: Final = """
  text { font: 11px system-ui, sans-serif; fill: #1b1b1b } rect { stroke: #fff; stroke-width: .6 }
  .token { fill: #c9a6e4 } .store { fill: #f2b66d } .writer { fill: #f0d878 } .collect { fill: #9ccf8c }
  .web { fill: #93bfe8 } .other { fill: #d4d4d4 } .page { fill: #fff; stroke: none }
  .head { font-size: 14px; font-weight: 600 }
  @media (prefers-color-scheme: dark) {
    .page { fill: #16181c } rect { stroke: #16181c } .legend, .head { fill: #e8e8e8 }
  }
"""


class Frame:
    """A function with its callees."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.samples = 0
        self.inside: dict[str, Frame] = {}

    def add(self, names: Iterable[str], samples: int) -> None:
        """Counts a stack, outermost function first."""
        frame = self
        frame.samples += samples
        for name in names:
            frame = frame.inside.setdefault(name, Frame(name))
            frame.samples += samples

    @property
    def height(self) -> int:
        """The depth of the call stack."""
        return 1 + max((frame.height for frame in self.inside.values()), default=0)


def run() -> None:
    """Profiles the server under load and writes the flame graph."""
    spy = shutil.which("py-spy")
    if spy is None:
        raise SystemExit("the flame graph needs py-spy on the PATH: pip install py-spy")
    with tempfile.TemporaryDirectory() as folder:
        samples = Path(folder) / "samples"
        settings = {
            "GRAPEVINE_DATABASE": f"sqlite:///{folder}/bench.sqlite3",
            **NO_LIMITS,
            "GRAPEVINE_CONNECTIONS": "0",
        }
        site = json.loads(grapevine(settings, "site", "add", "Bench", "--origin", ORIGIN))["site"]
        port = free_port()
        with process("-m", "grapevine", "serve", "--port", str(port), ready="ready", environment=settings) as server:
            url = f"http://127.0.0.1:{port}"
            traffic = seed(url, site, Path(folder)) | {"SEED": "1", "CALL": "visits"}
            command = [spy, "record", "-F", "-d", str(_SECONDS), "-r", "500", "-f", "raw", "-o", str(samples)]
            watching = subprocess.Popen([*command, "-p", str(server.pid)], stdout=subprocess.DEVNULL)  # noqa: S603
            offer(url, 64, _SECONDS + 1, traffic)
            watching.wait()
        OUT.write_text(picture(samples.read_text()))
    sys.stdout.write(f"wrote {OUT.relative_to(Path.cwd()) if OUT.is_relative_to(Path.cwd()) else OUT}\n")


def picture(samples: str) -> str:
    """An SVG of the event loop's samples (``frame;frame;… number`` a line), the widest part of each function on top."""
    whole = Frame("the event loop")
    for line in samples.splitlines():
        stack, _, number = line.rpartition(" ")
        names = _LINE.sub(")", stack).split(";")
        if _LOOP in names:
            whole.add(names[names.index(_LOOP) + 1 :], int(number))
    top, rows = 62, whole.height
    bottom = top + rows * _ROW
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {bottom + _EDGE}" role="img">',
        f"<title>Where the time of POST /v1/visits goes</title><style>{_STYLE}</style>",
        f'<rect class="page" width="{_WIDTH}" height="{bottom + _EDGE}"/>',
        f'<text class="head" x="{_EDGE}" y="24">POST /v1/visits under load: the event loop, by function</text>',
        *_legend(),
        *_boxes(whole, _EDGE, _WIDTH - 2 * _EDGE, bottom - _ROW),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _legend() -> Iterator[str]:
    x = _EDGE
    for area, words in [(area, words) for _, area, words in _AREAS if words] + [("other", "everything else")]:
        yield f'<rect class="{area}" x="{x}" y="36" width="12" height="12"/>'
        yield f'<text class="legend" x="{x + 17}" y="46">{words}</text>'
        x += 40 + 6 * len(words)


def _boxes(frame: Frame, x: float, width: float, y: int) -> Iterator[str]:
    area = next((area for part, area, _ in _AREAS if part in frame.name), "other")
    share = f"{width / (_WIDTH - 2 * _EDGE):.1%}"
    yield f'<g><title>{escape(frame.name)}: {share}</title><rect class="{area}" x="{x:.1f}" y="{y}" '
    yield f'width="{width:.1f}" height="{_ROW}"/>'
    letters = int((width - 6) / 6.2)
    name = frame.name.partition(" (")[0]
    if letters > 2:
        shown = name if len(name) <= letters else name[: letters - 1] + "…"
        yield f'<text x="{x + 3:.1f}" y="{y + 13}">{escape(shown)}</text>'
    yield "</g>"
    for inside in sorted(frame.inside.values(), key=lambda each: -each.samples):
        wide = width * inside.samples / frame.samples
        if wide >= _NARROWEST:
            yield from _boxes(inside, x, wide, y - _ROW)
        x += wide
