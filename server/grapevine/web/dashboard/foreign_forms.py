"""Why the dashboard refused a form, in sentences for people: the reason, and the setting that may be missing.

Behind a proxy that hands over another ``Host``, or that ends https, the dashboard's own forms look like those of
another website. What a request says of its way (``Referer``, ``X-Forwarded-…``) is used for the sentence alone, never
for the decision, which is ``security.is_same_origin``.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from starlette.requests import Request

from grapevine.config.settings import Settings
from grapevine.domain.urls import UrlError, origin_of

ANOTHER_WEBSITE: Final = (
    "Nothing was done: your browser says that this form did not come from a page of this dashboard.\n"
    "Open the dashboard itself and send the form there."
)
NOT_SAID: Final = (
    "Nothing was done: your browser did not say from which page this form came (the header `Origin` is missing).\n"
    "A browser extension or a proxy in front of the server may have taken it out: switch the extension off for this "
    "address, or make the proxy hand over `Origin`."
)
HIDDEN: Final = (
    "Nothing was done: your browser hides from which page this form came (`Origin: null`).\n"
    "That happens in a page that was saved as a file, in a frame, with some privacy extensions, and where a proxy adds "
    "`Referrer-Policy: no-referrer`. Open the dashboard in a tab of its own and try again; if that does not help, look "
    "at the extensions and at the proxy."
)
NO_WEBSITE: Final = (
    "Nothing was done: this form did not come from a website's page, but from a browser extension or an app.\n"
    "Open the dashboard in a browser and send the form there."
)


def own_origins(request: Request, base_url: str | None) -> set[str | None]:
    """Returns the origins that this server knows as its own: what a request was sent to, and ``GRAPEVINE_BASE_URL``."""
    asked = f"{request.url.scheme}://{request.headers.get('host', '')}"
    return {asked, _origin(asked), base_url}  # a proxy may name the port 80 that browsers leave out


def why_refused(request: Request, settings: Settings) -> str:
    """Returns the sentences for somebody whose form was refused, with `quoted` settings and addresses."""
    given = request.headers.get("origin", "")
    if not given or given == "null":
        return _without_origin(request, settings, given)
    origin = _origin(given)
    if origin is None:
        return NO_WEBSITE
    if f"https://{_host(origin)}" in own_origins(request, settings.base_url):
        return _over_http(f"https://{_host(origin)}", origin)
    if request.headers.get("sec-fetch-site") is not None:  # the browser knows, whatever a proxy does
        return ANOTHER_WEBSITE
    return _unknown_address(request, settings, origin)


def over_http(request: Request, base_url: str | None) -> str | None:
    """Returns why a browser would drop a cookie for https that it got over http, whose sign-in would end at the form
    again without a word; None where it keeps the cookie."""
    origin = _origin(request.headers.get("origin", ""))
    if origin is None or not origin.startswith("http:") or base_url != f"https://{_host(origin)}":
        return None
    return _over_http(base_url, origin)


def _without_origin(request: Request, settings: Settings, given: str) -> str:
    came_from = _origin(request.headers.get("referer", ""))
    if request.headers.get("sec-fetch-site") in ("cross-site", "same-site"):
        return ANOTHER_WEBSITE
    if came_from is None or came_from in own_origins(request, settings.base_url):
        return HIDDEN if given else NOT_SAID
    return _unknown_address(request, settings, came_from)


def _over_http(https: str, http: str) -> str:
    return (
        f"Nothing was done: you opened the dashboard at `{http}`, without https, and this server is set up for "
        f"`{https}`.\n"
        f"Open `{https}` instead.\n"
        f"If the dashboard has to work without https, set `GRAPEVINE_BASE_URL={http}`, let no proxy say "
        "`X-Forwarded-Proto: https`, and start the server again."
    )


def _unknown_address(request: Request, settings: Settings, origin: str) -> str:
    """The sentences for a form from ``origin``, which may be the dashboard's address or another website's."""
    setting = f"`GRAPEVINE_BASE_URL={origin}`"
    stranger = f"If `{origin}` is not the address of your dashboard, another website sent this form: close its page."
    if settings.base_url is not None:
        return (
            f"Nothing was done: this form came from a page at `{origin}`, but this server is set up for "
            f"`{settings.base_url}` (`GRAPEVINE_BASE_URL`).\n"
            f"Open the dashboard at `{settings.base_url}`. Or, if `{origin}` is its right address, set {setting} and "
            f"start the server again.\n{stranger}"
        )
    proxy = ""
    scheme = request.headers.get("x-forwarded-proto")
    if scheme is not None and (not settings.trusted_proxies or scheme != request.url.scheme):  # not believed
        proxy = (
            " Set `GRAPEVINE_TRUSTED_PROXIES` to the address of the proxy, too: without it all visitors seem to come "
            "from there."
        )
    return (
        f"Nothing was done: this form came from a page at `{origin}`, and this server does not know that this is its "
        "own address.\n"
        "If you open the dashboard at this address, a proxy stands in front of the server, and the setting "
        f"`GRAPEVINE_BASE_URL` is missing: set {setting} and start the server again.{proxy}\n{stranger}"
    )


def _origin(text: str) -> str | None:
    """Returns the origin of a URL as browsers spell it; None where it is no website's."""
    try:
        return origin_of(text)
    except UrlError:
        return None


def _host(origin: str) -> str:
    return urlsplit(origin).netloc
