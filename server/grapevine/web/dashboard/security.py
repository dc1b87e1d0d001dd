"""Protection of the dashboard's pages: security headers (CSP) on every response, and a check against CSRF."""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qs

from starlette.requests import Request

from grapevine.config.settings import Settings
from grapevine.errors import ForeignForm, Malformed, TooLarge
from grapevine.web.dashboard.foreign_forms import own_origins, why_refused

MAX_FORM: Final = 8_192

# `same-origin` keeps the tokens in these URLs from every other server, and yet lets browsers name this origin when a
# form is sent; under `no-referrer` they would send `Origin: null`, which says nothing.
HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Robots-Tag": "noindex",
    "Cache-Control": "private, no-store",
}


def is_same_origin(request: Request, base_url: str | None) -> bool:
    """Returns whether a form was sent by one of our own pages, by ``Sec-Fetch-Site`` if it is there, else ``Origin``.

    Browsers send the former over https and on the own machine only, the latter with every post. An origin has a scheme:
    a page that came over http must not post to the same host over https.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    return request.headers.get("origin", "") in own_origins(request, base_url)


def refuse_foreign(request: Request, settings: Settings) -> None:
    """Raises ForeignForm for a form that was not sent by one of our own pages."""
    if not is_same_origin(request, settings.base_url):
        raise ForeignForm(why_refused(request, settings))


async def read_form(request: Request) -> dict[str, str]:
    """Returns the fields of a posted form, the last of each name. Raises TooLarge and Malformed."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_FORM:
            raise TooLarge(f"Nothing was done: this form holds more than {MAX_FORM:,} bytes. Shorten what you typed.")
    try:
        fields = parse_qs(body.decode("ascii"), keep_blank_values=True, max_num_fields=20, errors="strict")
    except ValueError:
        raise Malformed(
            "Nothing was done: this form cannot be read. Open its page again and send it once more."
        ) from None
    return {name: values[-1] for name, values in fields.items()}


def local_path(text: str) -> str:
    """Returns ``text`` if it is a path on this server, else ``/``. This prevents open redirects after signing in."""
    safe = text.startswith("/") and not text.startswith(("//", "/\\")) and text.isprintable() and text.isascii()
    return text if safe else "/"
