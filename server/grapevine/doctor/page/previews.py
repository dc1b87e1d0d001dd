"""What apps make of a link to the page: its canonical address, its preview, and whether preview robots may read it."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit
from urllib.robotparser import RobotFileParser

from grapevine.doctor.page.findings import PageFinding, cut, hint, listed, ok
from grapevine.doctor.page.page import CheckedPage
from grapevine.domain.canonical_urls import canonical_path
from grapevine.domain.urls import origin_of

ROBOTS: Final = {
    "facebookexternalhit": "Facebook and Instagram",
    "Twitterbot": "X",
    "WhatsApp": "WhatsApp",
    "LinkedInBot": "LinkedIn",
    "Slackbot-LinkExpanding": "Slack",
    "TelegramBot": "Telegram",
    "Discordbot": "Discord",
}
"""Robots that fetch previews → the apps that they work for."""

_MEANING: Final = {
    "og:title": "a title (og:title)",
    "og:description": "a description (og:description)",
    "og:image": "a picture (og:image)",
}


def check_canonical(page: CheckedPage) -> list[PageFinding]:
    """Says which address a phone's own share menu takes: the canonical one, if the page names it."""
    links = [each.get("href") for each in page.markup.named("link") if "canonical" in each.get("rel").lower().split()]
    links = [link for link in links if link]
    if not links:
        return [
            hint(
                "canonical-missing",
                "The page does not say which address is its main one (canonical), so it may be shared under several.",
                "Put this into <head>, on each page with its own address:",
                f'<link rel="canonical" href="{cut(_without_query(page.url), 400)}">',
            )
        ]
    url = page.absolute(links[0])
    if url is None:
        return [
            _wrong(
                page, f"The page says that its main address (canonical) is {cut(links[0], 80)}, which is no address."
            )
        ]
    found: list[PageFinding] = []
    if len(set(links)) > 1:
        found.append(_wrong(page, "The page names several main addresses (canonical), and apps take any of them."))
    elif origin_of(url) != page.origin:
        found.append(
            _wrong(
                page,
                f"The page says that its main address (canonical) is on {cut(origin_of(url))}. A phone's own "
                "share menu takes that one, "
                "so links shared with it lead there, without a token.",
            )
        )
    elif _page_part(url) != _page_part(page.url):
        found.append(
            _wrong(
                page,
                f"The page says that its main address (canonical) is another page, {cut(url, 120)}. A phone's own "
                "share menu takes that "
                "one, so links shared with it lead there, without a token.",
            )
        )
    elif not urlsplit(links[0]).netloc:
        found.append(_wrong(page, f"The main address (canonical), {cut(links[0], 80)}, does not begin with https://."))
    return found or [ok("canonical-ok", "The page says which address is its main one (canonical).")]


def _wrong(page: CheckedPage, says: str) -> PageFinding:
    return hint(
        "canonical-other",
        says,
        "If that is not meant, write the page's own address:",
        f'<link rel="canonical" href="{cut(_without_query(page.url), 400)}">',
    )


def _without_query(url: str) -> str:
    return url.partition("?")[0]


def _page_part(url: str) -> str:
    return canonical_path(urlsplit(url).path or "/").rstrip("/")


def image_of(page: CheckedPage) -> str | None:
    """Returns the address of the preview's picture, if it is one."""
    written = page.meta("og:image", "og:image:url", "og:image:secure_url")
    return page.absolute(written) if written else None


def check_preview(page: CheckedPage, image_error: str = "") -> list[PageFinding]:
    """Says what the preview of a shared link lacks. ``image_error`` says what is wrong with its picture."""
    missing = [name for name in _MEANING if not page.meta(name, f"{name}:url")]
    found: list[PageFinding] = []
    if missing:
        found.append(
            hint(
                "preview-incomplete",
                f"The preview of a shared link lacks {listed([_MEANING[name] for name in missing])}, so apps show "
                "less, or "
                "what they guess.",
                "Put into <head>:",
                "\n".join(f'<meta property="{name}" content="…">' for name in missing),
            )
        )
    written = page.meta("og:image", "og:image:url", "og:image:secure_url")
    if written and "://" not in written[:10]:
        found.append(
            hint(
                "preview-image",
                f"The picture of the preview, {cut(written, 80)}, has no whole address; most apps need one.",
                "Write it with https:// and the host:",
                f'<meta property="og:image" content="{cut(image_of(page) or "https://…", 400)}">',
            )
        )
    elif image_error:
        found.append(
            hint("preview-image", f"The picture of the preview cannot be loaded: {image_error}", "Check og:image.")
        )
    if written and not page.meta("twitter:card"):
        found.append(
            hint(
                "preview-card",
                "X shows a small preview, because the page does not ask for a large picture.",
                "Put into <head>:",
                '<meta name="twitter:card" content="summary_large_image">',
            )
        )
    return found or [ok("preview-ok", "Previews have a title, a description and a picture.")]


def check_robots(page: CheckedPage, robots_txt: str | None) -> list[PageFinding]:
    """Says which apps may not read the page for their preview. ``robots_txt`` is None where there is none."""
    if robots_txt is None:
        return []
    rules = RobotFileParser()
    rules.parse(robots_txt.splitlines())
    refused = [app for robot, app in ROBOTS.items() if not rules.can_fetch(robot, page.url)]
    if not refused:
        return []
    return [
        hint(
            "preview-robots",
            f"robots.txt forbids the preview robots of {listed(refused)} to read this page, so links pasted there show "
            "no preview.",
            "Allow them in robots.txt:",
            "User-agent: facebookexternalhit\nUser-agent: Twitterbot\nUser-agent: WhatsApp\nAllow: /",
        )
    ]
