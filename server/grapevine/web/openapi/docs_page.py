"""The page ``/docs``: the description of the API for people. It runs no script."""

from __future__ import annotations

import re
from functools import lru_cache

import msgspec
from markupsafe import Markup, escape

from grapevine.web.dashboard.rendering import render_page
from grapevine.web.openapi.outline import groups, things


@lru_cache(maxsize=4)
def drawn(description: bytes, server: str) -> bytes:
    """Returns the page for a description, whose curl lines ask ``server``."""
    document = msgspec.json.decode(description)
    page = render_page(
        "api.html",
        viewer=None,
        info=document["info"],
        groups=groups(document, server),
        things=things(document),
        linked=linked,
    )
    return bytes(page.body)


def linked(text: str) -> Markup:
    """Returns a line of Markdown that has `code` and links within the page alone."""
    escaped = re.sub("`([^`]+)`", r"<code>\1</code>", str(escape(text)))
    return Markup(re.sub(r"\[(\w+)\]\((#\w+)\)", r'<a href="\2">\1</a>', escaped))  # noqa: S704
