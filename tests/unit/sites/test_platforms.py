"""The code to paste on each platform: it names the site and the server, and survives odd settings."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from grapevine.sites.platforms import Platform, pasted_code, platforms, widget_address
from grapevine.sites.snippet import snippet
from grapevine.store.rows import SiteRow
from tests.support import platform_guide

BASE = "https://share.example.com"
SITE = SiteRow(
    site_id=1,
    key="KEY",
    name="Lees",
    salt="00",
    param="gv",
    place="auto",
    query="*",
    created_at=1_800_000_000_000,
    origins=("https://a.example",),
)
ODD = msgspec.structs.replace(SITE, param="via", place="query", element="lees", query="""a'b "c\\ <d>é`""", keep="x")
OPTIONS = {"site": "KEY", "param": "via", "place": "query", "element": "lees", "query": ODD.query, "keep": "x"}

by_name = pytest.mark.parametrize("platform", platforms(), ids=lambda platform: platform.key)


class _Scripts(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[dict[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "script":
            self.found.append(dict(attrs))


def test_all_platforms_of_the_guide_are_there() -> None:
    assert [platform.name for platform in platforms()] == [
        "HTML", "WordPress", "Shopify", "Wix", "Tag Manager", "Next.js", "Nuxt", "Astro", "Hugo", "Single-page app",
    ]  # fmt: skip
    assert len({platform.key for platform in platforms()}) == len(platforms())
    assert all(platform.docs.startswith("https://") for platform in platforms() if platform.key != "html")


@by_name
def test_the_code_names_the_site_and_the_server(platform: Platform) -> None:
    code = pasted_code(platform, SITE, BASE, "/g")
    assert f"{BASE}/g/widget.js" in code
    assert "KEY" in code
    assert not re.search("__[A-Z]+__", code)
    assert code == code.strip()
    assert platform.steps
    assert platform.mind


@by_name
def test_a_script_element_has_every_setting_of_the_site(platform: Platform) -> None:
    """As the widget reads them: an attribute, else a parameter of the address."""
    code = pasted_code(platform, ODD, BASE)
    if platform.language != "html":
        addresses = re.findall(r"https:[^'\"\s]*", code)
        assert addresses == [widget_address(ODD, BASE)]
        address, attributes = addresses[0], dict[str, str | None]()
    else:
        parser = _Scripts()
        parser.feed(code)
        (attributes,) = parser.found
        assert "async" in attributes
        address = attributes["src"] or ""
    parameters = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    assert {name: attributes.get(f"data-{name}") or parameters.get(name) for name in OPTIONS} == OPTIONS


def test_the_address_cannot_end_the_text_that_it_stands_in() -> None:
    address = widget_address(ODD, "https://share.example.com")
    assert not set("'\"\\<>` ") & set(address)
    assert unescape(pasted_code(platforms()[3], ODD, BASE)) == f'<script async src="{address}"></script>'


def test_the_guide_says_the_same() -> None:
    assert platform_guide.in_guide() == platform_guide.rendered(), "run: python -m tests.support.platform_guide"


def test_plain_html_is_the_snippet() -> None:
    assert pasted_code(platforms()[0], SITE, BASE) == snippet(SITE, BASE)


@by_name
def test_steps_are_plain_text_with_code_and_bold_alone(platform: Platform) -> None:
    for line in (*platform.steps, *platform.mind):
        bare = re.sub(r"\*\*[^*`]+\*\*", "", re.sub("`[^`]+`", "", line))
        assert not set("*`<>[]_") & set(bare), line
        assert line[-1] in ".:"
        assert "\n" not in line
