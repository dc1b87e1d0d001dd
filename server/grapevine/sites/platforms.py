"""How the widget is pasted into a page on each platform: the one source of the dashboard's tabs and of the guide."""

from __future__ import annotations

from functools import cache
from html import escape
from importlib.resources import files
from typing import Final, Literal
from urllib.parse import quote

import msgspec

from grapevine.sites.snippet import script_url, snippet, snippet_options
from grapevine.store.rows import SiteRow

# What may stand in an address as it is. Without quotes, backslashes and angle brackets it cannot end the string that it
# stands in, in any of the languages.
_PLAIN: Final = "%/:?#[]@!$&()*+,;=~"


class Platform(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One way to paste the widget. ``steps`` and ``mind`` are lines of Markdown with `code` and **bold** alone.

    ``code`` has placeholders for the site's own values: ``pasted_code`` fills them in. ``docs`` is the page of the
    platform's own documentation that the steps follow, empty for plain HTML.
    """

    key: str
    name: str
    steps: tuple[str, ...]
    language: Literal["html", "php", "jsx", "ts"]
    code: str
    mind: tuple[str, ...]
    docs: str = ""


class _PlatformFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    platform: tuple[Platform, ...]


@cache
def platforms() -> tuple[Platform, ...]:
    """Returns all platforms in the order of the tabs, plain HTML first."""
    text = files(__package__).joinpath("platforms.toml").read_text("utf-8")
    return msgspec.toml.decode(text, type=_PlatformFile).platform


def pasted_code(platform: Platform, site: SiteRow, base_url: str, prefix: str = "") -> str:
    """Returns the code of a platform as it is pasted for ``site``. ``base_url`` is where browsers reach this server."""
    address = widget_address(site, base_url, prefix)
    written = escape(address) if platform.language == "html" else address
    return platform.code.strip().replace("__ELEMENT__", snippet(site, base_url, prefix)).replace("__ADDRESS__", written)


def widget_address(site: SiteRow, base_url: str, prefix: str = "") -> str:
    """Returns the script's address with the site's settings as parameters: tag managers and optimisers drop ``data-*``
    attributes, but leave addresses alone."""
    options = "&".join(f"{name}={quote(value, safe='')}" for name, value in snippet_options(site).items())
    return quote(f"{script_url(base_url, prefix)}?{options}", safe=_PLAIN)
