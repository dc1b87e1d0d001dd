"""Runs all checks of a page: gets it and what it needs, then asks each check in turn."""

from __future__ import annotations

import asyncio
from typing import Final
from urllib.parse import urljoin

import msgspec

from grapevine.doctor.page import answers, csp, fragments, other_scripts, previews, snippet, whose
from grapevine.doctor.page.embeds import Embed, find_embeds
from grapevine.doctor.page.fetch import Fetched, FetchError, Visitor
from grapevine.doctor.page.findings import PageFinding, hint, problem
from grapevine.doctor.page.held_back import check_held_back, check_own_consent
from grapevine.doctor.page.installation import Installation, with_origin
from grapevine.doctor.page.page import CheckedPage, read_page
from grapevine.doctor.page.script import MOST_BYTES, check_own_script, check_script
from grapevine.domain.urls import UrlError, origin_of
from grapevine.errors import Invalid

MOST_SCRIPTS: Final = 6
"""Of the page's own scripts that are files: the first ones, in which what looks up the fragment usually is."""
SCRIPT_BYTES: Final = 256 << 10
ROBOTS_BYTES: Final = 64 << 10
MORE_SECONDS: Final = 20.0
"""For everything but the page itself."""
_UNREADABLE: Final = tuple(
    f"snippet-{name}" for name in ("broken", "quotes", "placeholder", "secret-key", "without-site", "without-address")
)
"""Where the line itself cannot be read, there is nothing else to say of it."""
_UNLOADABLE: Final = ("snippet-local-address", "snippet-mixed-content")
"""Where it is clear already that browsers cannot load the script."""
_ORDER: Final = ("problem", "hint", "ok")


class PageReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a check found. ``ok`` says that visits of the page are counted; ``url`` is where redirects led to."""

    ok: bool
    url: str
    site: str | None
    findings: list[PageFinding]


class _Extras(msgspec.Struct):
    """What the page names and the checks need."""

    scripts: list[str] = []
    script: Fetched | FetchError | None = None
    asked: Fetched | None = None
    was_asked: bool = False
    image_error: str = ""
    robots: str | None = None
    is_whole: bool = True


def typed_url(text: str) -> str:
    """Returns the URL that somebody typed, with the scheme if that is missing. Raises Invalid."""
    text = text.strip()
    if "://" not in text:
        scheme = "http" if text.startswith(("localhost", "127.", "[::1]")) else "https"
        text = f"{scheme}://{text}"
    try:
        origin_of(text)
    except UrlError as error:
        raise Invalid.of("URL", f"{error}; write a page's address such as https://example.com/page") from None
    return text


async def examine_page(url: str, visitor: Visitor, installation: Installation) -> PageReport:
    """Gets a page and returns what was found. What fails becomes a finding; nothing is raised."""
    try:
        fetched = await visitor.get(url)
    except FetchError as error:
        return _report(url, None, [_unfetched(error, installation)])
    unusable = answers.check_answer(fetched)
    if unusable:
        return _report(fetched.url, None, unusable)
    page = await asyncio.to_thread(read_page, fetched)
    embeds = await asyncio.to_thread(find_embeds, page, installation)
    extras = _Extras()
    try:
        async with asyncio.timeout(MORE_SECONDS):
            await _gather(page, embeds[0] if embeds else None, visitor, extras)
    except TimeoutError:
        extras.is_whole = False
    # Pure functions over hostile text: in a thread, so that they hold up nothing.
    findings = await asyncio.to_thread(_judge, page, embeds, installation, extras)
    key = embeds[0].key if embeds else None
    return _report(page.url, key if installation.site(key or "") else None, findings)


def _report(url: str, key: str | None, findings: list[PageFinding]) -> PageReport:
    ranked = sorted(findings, key=lambda finding: _ORDER.index(finding.level))
    return PageReport(ok=not any(each.level == "problem" for each in findings), url=url, site=key, findings=ranked)


def _unfetched(error: FetchError, installation: Installation) -> PageFinding:
    paste = with_origin(installation.only, error.origin) if installation.only and error.origin else ""
    return problem(error.code, str(error), error.fix, paste)


def _judge(page: CheckedPage, embeds: list[Embed], installation: Installation, extras: _Extras) -> list[PageFinding]:
    if not embeds:
        found = snippet.check_missing(page, installation, extras.scripts)
    else:
        first = embeds[0]
        found = snippet.check_line(page, embeds, installation)
        if not any(finding.level == "problem" and finding.code in _UNREADABLE for finding in found):
            found += check_held_back(first)
            found += check_own_consent(first, extras.scripts)
            known = whose.check_known_site(page, first, installation)
            found += known or whose.check_asked(page, first, extras.asked, installation)
            if known and extras.was_asked and not any(finding.code in _UNLOADABLE for finding in found):
                found += whose.check_answers(page, first, extras.asked, installation)
            if extras.script is not None and not any(finding.code in _UNLOADABLE for finding in found):
                found += check_script(first, extras.script)
            elif installation.only is not None:
                found += check_own_script(first, installation)
            found += csp.check_policies(page, first)
            found += fragments.check_fragments(page, first, extras.scripts, installation)
            found += other_scripts.check_order(page, first)
    found += previews.check_canonical(page)
    found += previews.check_preview(page, extras.image_error)
    found += previews.check_robots(page, extras.robots)
    found += answers.check_whole(page)
    if not extras.is_whole:
        found.append(
            hint(
                "page-unfinished",
                f"Not everything that the page names answered within {MORE_SECONDS:g} seconds, so some checks are "
                "missing.",
                "Check again later.",
            )
        )
    return found


async def _gather(page: CheckedPage, embed: Embed | None, visitor: Visitor, extras: _Extras) -> None:
    """Gets what the checks need into ``extras``, all at once; what is there when time is up is used."""
    extras.scripts = [each.text for each in page.scripts if each.text]
    async with asyncio.TaskGroup() as group:
        for url in _own_scripts(page, embed):
            group.create_task(_script_text(url, visitor, extras))
        if embed is not None and embed.address is not None:
            if visitor.may_visit(embed.address):
                group.create_task(_widget(embed, visitor, extras))
            if embed.key:
                group.create_task(_ask(whose.question(page, embed), visitor, extras))
        image = previews.image_of(page)
        if image is not None and visitor.may_visit(image):
            group.create_task(_image(image, visitor, extras))
        group.create_task(_robots(urljoin(page.url, "/robots.txt"), visitor, extras))


def _own_scripts(page: CheckedPage, embed: Embed | None) -> list[str]:
    found: list[str] = []
    for each in page.scripts:
        url = page.absolute(each.get("src")) if each.get("src") else None
        if url is not None and origin_of(url) == page.origin and (embed is None or url != embed.address):
            found.append(url)
    return list(dict.fromkeys(found))[:MOST_SCRIPTS]


async def _script_text(url: str, visitor: Visitor, extras: _Extras) -> None:
    answer = await _quietly(url, visitor, SCRIPT_BYTES)
    if answer is not None and answer.status == 200:
        extras.scripts.append(answer.body.decode("utf-8", "replace"))


async def _widget(embed: Embed, visitor: Visitor, extras: _Extras) -> None:
    try:
        extras.script = await visitor.get(embed.address or "", most=MOST_BYTES, accept="*/*")
    except FetchError as error:
        extras.script = error


async def _ask(url: str, visitor: Visitor, extras: _Extras) -> None:
    if visitor.may_visit(url):
        extras.was_asked = True
        extras.asked = await _quietly(url, visitor, MOST_BYTES)


async def _image(url: str, visitor: Visitor, extras: _Extras) -> None:
    try:
        answer = await visitor.get(url, most=1, accept="image/*")
    except FetchError as error:
        extras.image_error = str(error)
        return
    if answer.status != 200:
        extras.image_error = f"its server answers {answer.status}."
    elif answer.media_type and not answer.media_type.startswith("image/"):
        extras.image_error = "what is there is no picture."


async def _robots(url: str, visitor: Visitor, extras: _Extras) -> None:
    answer = await _quietly(url, visitor, ROBOTS_BYTES)
    if answer is not None and answer.status == 200 and "html" not in answer.media_type:
        extras.robots = answer.body.decode("utf-8", "replace")


async def _quietly(url: str, visitor: Visitor, most: int) -> Fetched | None:
    """Returns an answer, or None if there is none: what is missing is no finding."""
    try:
        return await visitor.get(url, most=most, accept="*/*")
    except FetchError:
        return None
