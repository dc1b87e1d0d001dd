"""The Jinja environment of the dashboard: it escapes everything, and has the filters and labels of the pages."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse

from grapevine.domain.canonical_urls import readable
from grapevine.domain.printable import printable
from grapevine.web.dashboard import assets, formats, labels
from grapevine.web.dashboard.view_url import PRESETS


def render_page(template: str, status: int = 200, **context: Any) -> HTMLResponse:
    """Returns a page made from one of the templates."""
    return HTMLResponse(_environment().get_template(template).render(context), status)


def code(text: str) -> Markup:
    """Returns a sentence with its `quoted` parts as code."""
    return Markup(re.sub("`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704


def marked(text: str) -> Markup:
    """Returns a line of Markdown that has `code` and **bold** alone."""
    return Markup(re.sub(r"\*\*([^*]+)\*\*", r"<b>\1</b>", code(text)))  # noqa: S704


def breakable(url: str) -> Markup:
    """Returns a URL in the letters of its language, which may be broken into lines after a slash, but not after its
    first one or inside ``://``."""
    text = str(escape(readable(url)))
    return Markup(re.sub("(?<=[^/:])/(?=[^/])", "/<wbr>", text))  # noqa: S704


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("grapevine.web.dashboard"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        number=formats.number,
        percent=formats.percent,
        ratio=formats.ratio,
        money=formats.money,
        credit=formats.credit,
        amount=formats.amount,
        times=formats.times,
        moment=formats.moment,
        elapsed=formats.elapsed,
        calendar=formats.calendar,
        channel=labels.channel,
        family=labels.family,
        app=labels.app,
        nth=labels.nth,
        code=code,
        marked=marked,
        breakable=breakable,
        printable=printable,
    )
    environment.globals.update(
        labels=labels, count=formats.count, asset=assets.url, page_label=formats.page, presets=PRESETS
    )
    return environment
