"""Pages for tests of the checks: HTML, headers and an address, without a server."""

from __future__ import annotations

from grapevine.doctor.page.embeds import Embed, find_embeds
from grapevine.doctor.page.fetch import Fetched
from grapevine.doctor.page.findings import PageFinding
from grapevine.doctor.page.installation import Installation
from grapevine.doctor.page.page import CheckedPage, read_page
from grapevine.store.rows import SiteRow

SCRIPT = "https://share.example/widget.js"
KEY = "abcdefgh12345678"
LINE = f'<script async src="{SCRIPT}" data-site="{KEY}"></script>'
SITE = SiteRow(
    site_id=1,
    key=KEY,
    name="Lees",
    salt="",
    param="gv",
    place="auto",
    query="*",
    created_at=0,
    origins=("https://a.example",),
)
HERE = Installation(sites=(SITE,), script=SCRIPT, now=1_800_000_000_000)
NOWHERE = Installation()


def page_of(html: str, url: str = "https://a.example/page", **headers: str) -> CheckedPage:
    """The page at ``url``; in names of headers ``_`` stands for ``-``."""
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return read_page(Fetched(url, 200, (("content-type", "text/html"), *named), html.encode()))


def embed_of(page: CheckedPage, installation: Installation = HERE) -> Embed:
    """The page's first line of ours."""
    return find_embeds(page, installation)[0]


def codes(findings: list[PageFinding]) -> dict[str, str]:
    """The codes of findings with their levels."""
    return {finding.code: finding.level for finding in findings}
