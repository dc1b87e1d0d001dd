"""Finds our line in a page: the script element that loads the widget, wherever and however broken it stands there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple
from urllib.parse import parse_qs, urlsplit

from grapevine.doctor.page.installation import WIDGET_FILE, Installation
from grapevine.doctor.page.markup import Element
from grapevine.doctor.page.page import CheckedPage
from grapevine.doctor.page.text_windows import windows

HELD_ADDRESSES: Final = tuple(
    "src data-src data-rocket-src data-cmplz-src data-cookieblock-src data-cmp-src data-litespeed-src data-lazy-src "
    "data-two_delay_src data-wpmeteor-src data-phast-src data-pagespeed-orig-src data-suppressedsrc "
    "consent-original-src-_ data-wpfc-original-src data-perfmatters-src data-uc-src".split()
)
"""Attributes in which a consent manager or an optimiser keeps the address of a script that it holds back."""

_LINE_IN_TEXT: Final = re.compile(
    r"<script[^<>]{0,400}widget[^<>]{0,40}\.js|<script[^<>]{0,400}data-site", re.IGNORECASE
)
_ADDED_BY_SCRIPT: Final = re.compile(r"/widget(?:\.[0-9a-f]{6,20})?\.js(?!\w)")
_KEY_IN_TEXT: Final = re.compile(r"(?:data-site|dataset\.site|[?&\\]site|data-endpoint)\b")


class Embed(NamedTuple):
    """A script element that is ours: ``address`` is its whole URL, None where that cannot be read.

    ``key`` may be empty; ``attribute`` is where the address was found.
    """

    element: Element
    attribute: str
    address: str | None
    key: str

    @property
    def origin(self) -> str:
        """The origin of the address, as it is written into a security policy."""
        parts = urlsplit(self.address or "")
        return f"{parts.scheme}://{parts.netloc}"

    def option(self, name: str) -> str:
        """Returns an option as the widget reads it: the attribute, else the parameter of the address."""
        value = self.element.attributes.get(f"data-{name}")
        if value is not None:
            return value.strip()
        return parse_qs(urlsplit(self.address or "").query, max_num_fields=None).get(name, [""])[0]

    @property
    def ignores_visitors(self) -> bool:
        """Returns whether the widget takes `data-ignore` as a yes: its pattern is in consentState.js."""
        value = self.element.attributes.get("data-ignore")
        if value is None:
            query = parse_qs(urlsplit(self.address or "").query, keep_blank_values=True)
            value = query.get("ignore", ["off"])[0]
        return value.lower() in {"on", "true", "1", ""}

    @property
    def folder(self) -> str:
        """The URL of the script's folder, from which the widget loads its parts and to which it reports."""
        return (self.address or "").partition("?")[0].rpartition("/")[0] + "/"


def reports_to(page: CheckedPage, embed: Embed) -> str:
    """Returns the URL, with a slash at its end, below which the widget sends its reports."""
    endpoint = embed.option("endpoint")
    target = page.absolute(endpoint) if endpoint else None
    return f"{target.rstrip('/')}/" if target is not None else embed.folder


def find_embeds(page: CheckedPage, installation: Installation) -> list[Embed]:
    """Returns the scripts of the page that are ours, in their order; those inside a ``template`` are not among them."""
    found = (_embed(page, each, installation) for each in page.scripts)
    return [embed for embed in found if embed is not None]


def _embed(page: CheckedPage, element: Element, installation: Installation) -> Embed | None:
    attribute = next((name for name in HELD_ADDRESSES if element.get(name)), "src")
    written = element.get(attribute)
    address = page.absolute(written) if written else None
    key = element.get("data-site")
    try:
        parts = urlsplit(address or "")
        key = key or parse_qs(parts.query).get("site", [""])[0]
    except ValueError:
        parts = urlsplit("")
    is_widget = WIDGET_FILE.search(parts.path) is not None or "widget.js" in written
    if (is_widget and key) or installation.serves(address) or installation.site(key) is not None:
        return Embed(element, attribute, address, key)
    if is_widget and any(name in element.attributes for name in ("data-buttons", "data-position", "data-consent")):
        return Embed(element, attribute, address, key)
    return None


def holds_line(text: str) -> bool:
    """Returns whether a text holds the beginning of our line as HTML."""
    return any(_LINE_IN_TEXT.search(each) for each in windows(text))


def added_by_script(page: CheckedPage, scripts: Sequence[str]) -> str | None:
    """Returns which script of the page names the widget's file, so that it may add our line in the browser.

    ``scripts`` are the texts of all scripts that were read, those of files among them.
    """
    for each in page.scripts:
        if _names_widget(each.text) or any(_ADDED_BY_SCRIPT.search(value) for value in each.attributes.values()):
            return f"The script in line {each.line} of the page"
    return "A script of the page" if any(_names_widget(text) for text in scripts) else None


def _names_widget(script: str) -> bool:
    return any(_ADDED_BY_SCRIPT.search(text) and _KEY_IN_TEXT.search(text) for text in windows(script))
