"""A page of one heading and one paragraph, for people who followed a link that the server does not serve now."""

from __future__ import annotations

from typing import Final

from starlette.responses import HTMLResponse, Response

from grapevine.web.answer_headers import style_hash

HEADERS: Final = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"}
_STYLE: Final = """
  :root { color-scheme: light dark; font: 1.125rem/1.6 system-ui, sans-serif }
  body { display: grid; min-height: 90vh; margin: 0; padding: 1.5rem; place-content: center }
  main { max-width: 34rem }
  h1 { margin: 0 0 .75rem; font-size: 1.75rem; line-height: 1.2 }
  p { margin: 0; opacity: .8 }
"""
_POLICY: Final = {
    "Content-Security-Policy": f"default-src 'none'; style-src '{style_hash(_STYLE)}'; frame-ancestors 'none'"
}
_PAGE: Final = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
<main>
<h1>{title}</h1>
<p>{text}</p>
</main>
</html>
"""


def plain_page(status: int, title: str, text: str) -> Response:
    """Returns the page. ``title`` and ``text`` are the server's own words, in HTML."""
    return HTMLResponse(_PAGE.format(title=title, text=text, style=_STYLE), status, HEADERS | _POLICY)
