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
    attributes = {"data-site": site.key}
    if site.param != "gv":
        attributes["data-param"] = site.param
    if site.place != "auto":
        attributes["data-place"] = site.place
    if site.element != ELEMENT:
        attributes["data-element"] = site.element
    if site.query not in ("*", ""):
        attributes["data-query"] = site.query
    if site.keep:
        attributes["data-keep"] = site.keep
    data = " ".join(f'{name}="{escape(value)}"' for name, value in attributes.items())
    script = public_url(base_url, prefix, "/widget.js")
    return f'<script async src="{escape(script)}" {data}></script>'
