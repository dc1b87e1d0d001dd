"""One row of the matrix: a page that makes life hard, and what the widget does there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from tests.engines.server import RecorderServer

ALL: Final = frozenset({"visit", "bar", "view", "copy"})
"""What the widget does on a page: reports the visit, draws the bar, reports the route, tags and reports a copy."""
NO_BAR: Final = ALL - {"bar"}
NO_VIEW: Final = ALL - {"view"}
NO_COPY: Final = ALL - {"copy"}
VISIT: Final = frozenset({"visit"})
BAR: Final = frozenset({"bar"})
"""Nothing is reported and nothing tagged: the buttons share plain URLs."""
NOTHING: Final = frozenset[str]()

PROBE: Final = '<script data-probe="" src="/probe.js"></script>'
BODY: Final = """<h1>A page</h1>
<p id="copy">Read <b>the</b> <a href="/second">second page</a> or <a href="https://example.org/">another</a>.</p>
<form id="form" action="/done"><input name="mail" value="a@b.example"/><button id="button">Send</button></form>
<div id="place"></div><textarea id="paste"></textarea>"""
OWN: Final = """
addEventListener('submit', (event) => {
  event.preventDefault();
  probe.note('form', [...new FormData(event.target)].map((entry) => entry.join('=')));
});
addEventListener('click', (event) => { if (event.target.id == 'button') probe.count('clicks'); });
"""
"""The script that each hostile page runs itself."""
HTML: Final = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"/><title>A title</title>{probe}'
    "<script>{own}</script><script>{ {script} }</script>{head}{widget}</head><body>{body}</body></html>"
)

LATE: Final = (
    '<script data-probe="">addEventListener("load", () => { const one = document.createElement("script");'
    ' one.src = "{src}"; one.dataset.site = "sitekey"; document.head.append(one) })</script>'
)


@dataclass(frozen=True)
class Odd:
    """A page. Each text may hold `{widget}` (the snippet), `{src}` (the widget's address), `{home}` (its folder) and
    `{other}` (another origin); in the copy of the page that goes without the widget the first two are empty.

    `script` runs before the widget comes; `document` replaces the whole page; `files` are more of them, by path.
    `does` is what the widget is still to do there. `server` puts its server into a mood. `known`: the
    server's answer to the visit can be used. `button`: the copy button is pressed too. `but`:
    what of the page's record is another by nature. `may`: what the widget does there in some engines.
    """

    id: str
    script: str = ""
    does: frozenset[str] = ALL
    head: str = ""
    body: str = BODY
    document: str = HTML
    own: str = OWN
    attributes: Mapping[str, str] = field(default_factory=dict)
    snippet: str = "{tag}"
    headers: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    server: Callable[[RecorderServer], None] | None = None
    query: str = ""
    button: bool = False
    known: bool = True
    but: frozenset[str] = frozenset()
    may: frozenset[str] = frozenset()

    def texts(self, *, tag: str, src: str, home: str, other: str) -> dict[str, tuple[str, str]]:
        """The page's files by path: body and type."""

        def filled(text: str) -> str:
            parts = {
                "{widget}": self.snippet if tag else "",
                "{probe}": PROBE,
                "{own}": self.own,
                "{script}": self.script,
                "{head}": self.head,
                "{body}": self.body,
            }
            for name, part in parts.items():
                text = text.replace(name, part)
            for name, part in {"{tag}": tag, "{src}": src, "{home}": home, "{other}": other}.items():
                text = text.replace(name, part)
            return text

        kind = self.headers.get("Content-Type", "text/html; charset=utf-8")
        files = {"/": (filled(self.document), kind)}
        return files | {path: (filled(text), type_) for path, (text, type_) in self.files.items()}
