"""What does the page do with the part of its address behind ``#``, where the token usually stands?

Scripts are searched, not run: for a look-up of ``location.hash`` as a selector, straight or by a variable, and for
routers that keep the page's route there. Every pattern takes time in proportion to the text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice
from typing import Final

from grapevine.doctor.page.embeds import Embed
from grapevine.doctor.page.findings import PageFinding, hint, ok
from grapevine.doctor.page.installation import Installation
from grapevine.doctor.page.page import CheckedPage
from grapevine.doctor.page.text_windows import windows

MOST_NAMES: Final = 20
"""Variables that are followed in one script."""

_HASH: Final = r"(?:(?:window|document|self|top|this)\s{0,9}\.\s{0,9}){0,2}location\s{0,9}\.\s{0,9}hash\b"
_LOOK_UP: Final = r"(?:\$|\bjQuery|\bquerySelector(?:All)?|\bclosest|\bmatches)\s{0,9}\(\s{0,9}"
DIRECT: Final = re.compile(
    rf"{_LOOK_UP}(?:decodeURI(?:Component)?\s{{0,9}}\(\s{{0,9}})?{_HASH}(?!\s{{0,9}}\.\s{{0,9}}(?:slice|substr))"
)
ASSIGNED: Final = re.compile(
    rf"([\w$]{{1,40}})\s{{0,9}}=\s{{0,9}}(?:decodeURI(?:Component)?\s{{0,9}}\(\s{{0,9}})?{_HASH}(?!\s{{0,9}}\.)"
)
_LOOKED_UP_NAME: Final = re.compile(rf"{_LOOK_UP}([\w$]{{1,40}})\s{{0,9}}[,)]")
ROUTER: Final = re.compile(
    r"createWebHashHistory|createHashHistory|createHashRouter|\bHashRouter\b|HashLocationStrategy|useHash\s{0,9}:\s{0,9}(?:true|!0)"
    r"|hashbang|hashPrefix\s{0,9}\(|page\.hashbang|location\.hash\s{0,9}=\s{0,9}[\"'`]#?!?/"
)
"""Vue Router, React Router and history, Angular, AngularJS, page.js, and routes written by hand."""


def looks_up_hash(script: str) -> bool:
    """Returns whether a script looks up the address's fragment as a selector."""
    if "hash" not in script:
        return False
    names: set[str] = set()
    for text in windows(script):
        if DIRECT.search(text):
            return True
        names.update(found[1] for found in islice(ASSIGNED.finditer(text), MOST_NAMES))
        if len(names) >= MOST_NAMES:
            break
    return bool(names) and any(
        found[1] in names for text in windows(script) for found in _LOOKED_UP_NAME.finditer(text)
    )


def routes_by_hash(page: CheckedPage, scripts: Sequence[str]) -> bool:
    """Returns whether routes of the page stand behind ``#``: links to ``#/…``, or a router that makes such routes."""
    links = (each.get("href") for each in page.markup.named("a"))
    if sum(link.startswith(("#/", "#!")) for link in links) >= 2:
        return True
    return any(ROUTER.search(text) for script in scripts for text in windows(script))


def check_fragments(
    page: CheckedPage, embed: Embed, scripts: Sequence[str], installation: Installation
) -> list[PageFinding]:
    """Says whether the token fits into this page's fragments. ``scripts`` are the texts of its scripts."""
    site = installation.site(embed.key)
    place = embed.option("place") or (site.place if site is not None else "auto")
    key = site.key if site is not None else "SITE"
    if place == "query":
        return [
            ok("fragment-free", "Tokens go into the query (data-place=query): the part behind # is the page's alone.")
        ]
    if routes_by_hash(page, scripts):
        return [
            hint(
                "fragment-routes",
                "The page keeps its routes behind # (such as #/about), where Grapevine would put its token, too.",
                "Let tokens go into the query. On the server (and take the new code to the page):",
                f"grapevine site set {key} place=query",
            )
        ]
    if not any(looks_up_hash(script) for script in scripts):
        return [ok("fragment-free", "No script of the page seems to use the part of the address behind #.")]
    if site is not None and installation.joint(site) == "=":
        return [
            hint(
                "fragment-selector",
                "A script of the page looks up what stands behind # as the name of a place in the page. This site's "
                f"tokens stand there as #{site.param}=TOKEN, on which such a script stops with an error.",
                "Let the site write tokens as a name, or put them into the query. On the server, one of:",
                f"grapevine site set {key} fragment=identifier\ngrapevine site set {key} place=query",
            )
        ]
    return [
        ok(
            "fragment-selector",
            "A script of the page looks up what stands behind # as the name of a place in the page. Tokens are written "
            "as #gv-TOKEN for that reason, so it finds no such place and goes on.",
        )
    ]
