"""Whose page is it? The site that the line names has to be known, and the page has to be on one of its addresses."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote

import msgspec

from grapevine.doctor.page.embeds import Embed, reports_to
from grapevine.doctor.page.fetch import Fetched
from grapevine.doctor.page.findings import PageFinding, cut, hint, listed, ok, problem
from grapevine.doctor.page.installation import Installation, with_origin
from grapevine.doctor.page.page import CheckedPage
from grapevine.doctor.page.snippet import line
from grapevine.store.rows import SiteRow

_LIST: Final = "On the server, grapevine site list shows the keys of its sites. The code is then:"


def check_known_site(page: CheckedPage, embed: Embed, installation: Installation) -> list[PageFinding] | None:
    """Returns what this installation knows of the site that the line names; None if it does not know the site."""
    site, only = installation.site(embed.key), installation.only
    if only is not None and embed.key != only.key:
        return [
            problem(
                "site-other",
                f"Grapevine's code names another site ({cut(embed.key, 40)}) than {cut(only.name, 60)}, so its visits "
                "are not counted here.",
                "Replace the code by:",
                line(installation.script or embed.address or "", only.key),
            )
        ]
    if site is None:
        return None
    if page.origin not in site.origins:
        return [_foreign(page, site)]
    return [ok("site-known", f"The page belongs to the site {cut(site.name, 60)}, which this server knows.")]


def _foreign(page: CheckedPage, site: SiteRow) -> PageFinding:
    led = " (the address leads there)" if page.fetched.passed else ""
    return problem(
        "origin-foreign",
        f"The page is on {cut(page.origin)}{led}, which is not an address of the site {cut(site.name, 60)}; the "
        "site has "
        f"{listed([cut(origin, 80) for origin in site.origins])}. Reports from this page are refused.",
        "On the server, name all addresses of the site anew:",
        with_origin(site, page.origin),
    )


def question(page: CheckedPage, embed: Embed) -> str:
    """Returns the URL that asks the server of the script whether it knows the site and the page."""
    return f"{reports_to(page, embed)}v1/counts?site={quote(embed.key[:100])}&url={quote(page.url[:1_500], safe='')}"


def check_answers(
    page: CheckedPage, embed: Embed, answer: Fetched | None, installation: Installation
) -> list[PageFinding]:
    """Says whether a Grapevine server takes reports where the script sends those of a known site."""
    said = _json(answer)
    if "total" in said or "code" in said:
        return []
    return [
        problem(
            "reports-unreachable",
            f"The script sends its reports to {cut(reports_to(page, embed), 120)}, and no Grapevine server answers "
            "there, so visits are lost.",
            "If a speed plugin or a CDN made a copy of the script, let it leave out widget.js. If the address is "
            "right, "
            "look at the server and the proxy in front of it. The code is:",
            line(installation.script or embed.address or "", embed.key),
        )
    ]


def check_asked(
    page: CheckedPage, embed: Embed, answer: Fetched | None, installation: Installation
) -> list[PageFinding]:
    """Returns what the server of the script answered to the question; ``answer`` is None where none came."""
    said = _json(answer)
    code = said.get("code")
    if answer is not None and answer.status == 200 and "total" in said:
        says = "The server of the script knows the site and takes reports from this page."
        if installation.sites is not None:
            says += " It is not the server whose database this command reads."
        return [ok("site-known", says)]
    if code == "unknown-site":
        return [
            problem(
                "site-unknown",
                f"The server of the script knows no site {cut(embed.key, 40)}, so reports are refused.",
                _LIST,
                line(embed.address or "", "SITE_KEY"),
            )
        ]
    if code == "invalid":
        return [
            problem(
                "origin-foreign",
                f"The page is on {cut(page.origin)}, which is not an address of the site; reports from it are refused.",
                "On the server, grapevine site list shows the addresses of the site. Name all of them anew, and "
                "this one:",
                f"grapevine site set {cut(embed.key, 40)} origin=https://… origin={page.origin}",
            )
        ]
    if installation.sites is not None:
        return [
            problem(
                "site-unknown",
                f"This server has no site {cut(embed.key, 40)}, and the script's own server did not answer.",
                _LIST,
                line(embed.address or "", "SITE_KEY"),
            )
        ]
    return [
        hint(
            "site-not-asked",
            "This check could not find out whether the site's key is known: there is no Grapevine database on this "
            "machine, and the server of the script did not say.",
            "Run the same command on the server, or use Check a page on the dashboard.",
        )
    ]


def _json(answer: Fetched | None) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(answer.body) if answer is not None else {}
    except msgspec.DecodeError:
        return {}
    return found if isinstance(found, dict) else {}
