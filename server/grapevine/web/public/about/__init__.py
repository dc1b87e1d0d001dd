"""``/about/{token}``: the page for people that says what a shared or a minted link carries. It shows what the token
says, and which of the two it is."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any, Final, NamedTuple
from urllib.parse import quote, urlencode

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from grapevine.api_schemas.tokens import TokenPath
from grapevine.domain import ids
from grapevine.domain.token_urls import leading_token
from grapevine.domain.tokens import LENGTH
from grapevine.errors import Busy, RateLimited
from grapevine.web.answer_headers import style_hash
from grapevine.web.api.operation import HTML, Operation, ResponseSpec
from grapevine.web.public.about.languages import Words, languages, nth, preferred
from grapevine.web.rate_limits import limited
from grapevine.web.state import app_state

_CALL: Final = Markup("<code>grapevine.forget()</code>")
_HEADERS: Final = {
    "Cache-Control": "private, no-store",
    "Vary": "Accept-Language",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class TokenFacts(NamedTuple):
    """The contents of a token, in the reader's language."""

    token: str
    date: str
    way: str
    nth: str


class Contact(NamedTuple):
    """Where visitors ask to have a visit erased: its text for people, and a link. A mail holds the token already."""

    text: str
    href: str
    is_mail: bool


def contact_of(stored: str | None, words: Words, site: str, token: str) -> Contact | None:
    """Returns the contact of a site, ready to ask for the erasure of the token's visit; None when it names none."""
    if stored is None:
        return None
    if stored.startswith(("http://", "https://")):
        return Contact(stored, stored, is_mail=False)
    subject, body = words.mail_subject.format(site=site), words.mail_body.format(token=token)
    fields = urlencode({"subject": subject, "body": body.replace("\n", "\r\n")}, quote_via=quote, safe="")
    return Contact(stored, f"mailto:{quote(stored, safe='@')}?{fields}", is_mail=True)


async def about_link(request: Request) -> Response:
    """A page for people: the contents of a link, the effect of opening it, how a visit is erased, the site's contact.

    It shows no more than the link itself contains: the day, the channel, the number of the share. Of a minted link it
    says that the site's owner made it, and not for whom. It is available in several languages by `Accept-Language`, and
    runs no script.
    """
    state = app_state(request)
    text = leading_token(request.path_params["token"])
    language = preferred(request.headers.get("accept-language", ""))
    words = languages()[language]
    owner = await state.sites.owner(text)
    if owner is None or owner[1].is_session:
        shaped = len(text) == LENGTH and ids.from_base62(text) is not None
        return _page(422 if shaped else 404, language, words, said=None)
    site, token = owner
    day = ids.day_date(ids.day_of(token.visit_id))
    is_minted = await state.store.links.link(site.site_id, token.visit_id) is not None
    count = str(token.n) if is_minted else nth(token.n)
    said = TokenFacts(text, words.calendar(day), words.channel(token.channel), count)
    name = site.row.name
    return _page(
        200,
        language,
        words.of_minted() if is_minted else words,
        said=said,
        site=name,
        prefix=site.row.token_prefix(ids.day_at(state.clock())),
        origins=site.row.origins,
        call=_CALL,
        contact=contact_of(site.row.contact, words, name, text),
    )


def _page(status: int, language: str, words: Words, **facts: Any) -> Response:
    template, style, mark = _parts()
    policy = (
        f"default-src 'none'; style-src '{style_hash(style)}'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )
    html = template.render(language=language, words=words, style=style, mark=mark, **facts)
    headers = _HEADERS | {"Content-Language": language, "Content-Security-Policy": policy}
    return HTMLResponse(html, status, headers)


@cache
def _parts() -> tuple[Template, Markup, Markup]:
    """The template, the style sheet and the picture of a grape."""
    here = files(__package__)
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(here.joinpath("about.html").read_text("utf-8"))
    style = here.joinpath("about.css").read_text("utf-8")
    mark = files("grapevine.web.dashboard").joinpath("static", "mark.svg").read_text("utf-8").strip()
    sized = mark.replace("<svg ", '<svg width="34" height="34" aria-hidden="true" ', 1)
    return template, Markup(style), Markup(sized)  # noqa: S704  # the project's own files


OPERATIONS: Final = [
    Operation(
        method="GET",
        path="/about/{token:rest}",
        handler=limited(about_link),
        tag="links",
        scope=None,
        path_params=TokenPath,
        request_headers=("Accept-Language",),
        responses={
            200: ResponseSpec(str, "The page.", HTML, ("Content-Language", "Vary")),
            404: ResponseSpec(str, "The page, which says that this is no token.", HTML, ("Content-Language", "Vary")),
            422: ResponseSpec(str, "The page: this server did not sign it.", HTML, ("Content-Language", "Vary")),
        },
        problems=(RateLimited, Busy),
    )
]
