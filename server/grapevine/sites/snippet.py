"""The line of HTML to paste into every page of a site."""

from __future__ import annotations

from html import escape
from typing import Final

from grapevine.config.public_url import public_url
from grapevine.store.rows import SiteRow

ELEMENT: Final = "grapevine"
"""The names of the widget's elements begin with it unless a site says otherwise."""


def snippet(site: SiteRow, base_url: str, prefix: str = "") -> str:
    """The script element of a site. ``base_url`` is where browsers reach this server."""
    data = " ".join(f'data-{name}="{escape(value)}"' for name, value in snippet_options(site).items())
    return f'<script async src="{escape(script_url(base_url, prefix))}" {data}></script>'


def snippet_options(site: SiteRow) -> dict[str, str]:
    """Returns the widget's options that a site needs in its pages, by name without ``data-``; the site's key first."""
    options = {"site": site.key}
    if site.param != "gv":
        options["param"] = site.param
    if site.place != "auto":
        options["place"] = site.place
    if site.element != ELEMENT:
        options["element"] = site.element
    if site.query not in ("*", ""):
        options["query"] = site.query
    if site.keep:
        options["keep"] = site.keep
    return options


def script_url(base_url: str, prefix: str = "") -> str:
    """Returns the address of the widget, without options."""
    return public_url(base_url, prefix, "/widget.js")
