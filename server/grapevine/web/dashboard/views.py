"""The dashboard's pages. Each handler reads its URL, asks ``insight``, and fills one template."""

from __future__ import annotations

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from grapevine.analytics import cascades as cascades_query
from grapevine.analytics import summary, token_resolution
from grapevine.analytics.chains import SORTS
from grapevine.analytics.link_previews import pasted
from grapevine.domain.periods import LONGEST_DAYS, Period
from grapevine.domain.tokens import TokenError
from grapevine.errors import Forbidden, NotFound, Problem
from grapevine.sites import management
from grapevine.sites.cache import Site
from grapevine.web.dashboard import assets, formats, session
from grapevine.web.dashboard import spikes as spikes_view
from grapevine.web.dashboard.cascade_picture import draw
from grapevine.web.dashboard.chart import chart, interval_for
from grapevine.web.dashboard.conversions import conversions
from grapevine.web.dashboard.direct import direct
from grapevine.web.dashboard.lookup import find_token
from grapevine.web.dashboard.page import Viewer, framed, look, signed_in_key
from grapevine.web.dashboard.rendering import page
from grapevine.web.dashboard.security import is_same_origin, local_path, read_form
from grapevine.web.state import Services, services

CHARTED: Final = ("visits", "shares", "returns")
TABLES: Final = ("channel", "page", "source")
TABLE_ROWS: Final = 12
PAGE_OF_CASCADES: Final = 25
_GONE: Final = (
    "This site signed it, but the visit that made the share is not here: it was erased, or is past retention."
)
_SESSION: Final = "That is the session of a visit, its own credential, and no share: it never belongs in a link."
_FORGED: Final = (
    "It is shaped like a share token, but was not signed for this site: mistyped, altered, or from elsewhere."
)
_FOR_EVER: Final = "public, max-age=31536000, immutable"


@framed
async def sign_in_form(request: Request) -> Response:
    """``GET /sign-in``."""
    running = services(request)
    target = local_path(request.query_params.get("next", "/"))
    if await signed_in_key(request, running):
        return RedirectResponse(target, 303)
    return page("sign_in.html", viewer=None, target=target, wrong=False)


@framed
async def sign_in(request: Request) -> Response:
    """``POST /sign-in``: an API key becomes a signed cookie."""
    running = services(request)
    _refuse_foreign(request, running)
    form = await read_form(request)
    target = local_path(form.get("next", "/"))
    secret = form.get("key", "").strip()
    key = await management.key_of(running.store.registry, secret) if secret else None
    if key is None:
        return page("sign_in.html", 401, viewer=None, target=target, wrong=True)
    response = RedirectResponse(target, 303)
    response.set_cookie(
        session.COOKIE,
        session.cookie_for(key.key_id, running.secret, running.clock),
        max_age=session.MAX_AGE_SECONDS,
        path="/",
        secure=_is_https(request, running),
        httponly=True,
        samesite="lax",
    )
    return response


@framed
async def sign_out(request: Request) -> Response:
    """``POST /sign-out``."""
    _refuse_foreign(request, services(request))
    response = RedirectResponse("/sign-in", 303)
    response.delete_cookie(session.COOKIE, path="/", httponly=True, samesite="lax")
    return response


@framed
async def overview(request: Request) -> Response:
    """``GET /``: the numbers of a period."""
    running, viewer, address = await look(request, "overview")
    site = viewer.site
    now = running.clock()
    period, filters = address.period(now), address.filters()
    interval = interval_for(period)
    reads = running.store.reads
    numbers = await summary.summary(reads, site, period, filters)
    lines = {metric: await summary.series(reads, site, metric, interval, period, filters) for metric in CHARTED}
    spikes = await spikes_view.raised(running.store, site, now, period, filters)
    tables = {by: await summary.breakdown(reads, site, by, period, filters) for by in TABLES}
    empty = not (numbers.visits or numbers.views or numbers.shares.total or numbers.unfurls)
    return page(
        "overview.html",
        **request.state.frame,
        period=period,
        interval=interval,
        summary=numbers,
        charts=[(metric, chart(points, interval)) for metric, points in lines.items()],
        rows=tables,
        most=TABLE_ROWS,
        spikes=spikes,
        most_spikes=spikes_view.TABLE_ROWS,
        empty=empty,
        never=empty and not await _ever_seen(running, site, now),
        snippet=management.snippet(site.row, _base_url(request, running), running.settings.prefix) if empty else "",
    )


@framed
async def cascades(request: Request) -> Response:
    """``GET /cascades``: all of them, in an order."""
    running, viewer, address = await look(request, "cascades")
    sort = address.params.get("sort", SORTS[0])
    found = await cascades_query.cascades(
        running.store, viewer.site, running.clock(), sort, PAGE_OF_CASCADES, address.params.get("cursor")
    )
    return page("cascades.html", **request.state.frame, found=found, sort=sort)


@framed
async def cascade(request: Request) -> Response:
    """``GET /cascades/{root}``: one of them as a tree."""
    running, viewer, _ = await look(request, "cascades")
    found = await cascades_query.cascade(running.store, viewer.site, request.path_params["root"], running.clock())
    return page(
        "cascade.html",
        **request.state.frame,
        cascade=found,
        drawing=draw(found),
        pasted=await pasted(running.store.reads, viewer.site, found.root),
        lasted=formats.elapsed(found.started_at, found.last_at),
    )


@framed
async def tokens(request: Request) -> Response:
    """``GET /tokens``: what a share token, or a URL with one in it, stands for."""
    running, viewer, address = await look(request, "tokens")
    site = viewer.site
    text = address.params.get("token", "").strip()
    context: dict[str, Any] = {"asked": text, "found": None, "wrong": None, "elsewhere": None, "status": 200}
    if text:
        token = find_token(text, site.row.param)
        try:
            context["found"] = await token_resolution.resolve(running.store.reads, site, token)
        except (TokenError, Problem) as error:
            context |= await _bad_token(running, viewer, site, token, error)
    return page("tokens.html", **request.state.frame, **context)


async def _bad_token(
    running: Services, viewer: Viewer, site: Site, token: str, error: TokenError | Problem
) -> dict[str, Any]:
    """Why a text stands for no share, in one sentence."""
    if isinstance(error, Problem):
        return {"status": error.status, "wrong": _GONE}
    if error.reason == "not-a-token":
        return {"status": 400, "wrong": f"That is not a share token: {error}."}
    owner = await running.sites.owner(token)
    if owner and owner[0].site_id == site.site_id and owner[1].is_session:
        return {"status": 422, "wrong": _SESSION}
    if owner and any(reached.site_id == owner[0].site_id for reached in viewer.sites):
        wrong = f"That token belongs to another of your sites, {owner[0].row.name}."
        return {"status": 422, "wrong": wrong, "elsewhere": owner[0].key}
    return {"status": 422, "wrong": _FORGED}


@framed
async def static(request: Request) -> Response:
    """``GET /static/{name}``."""
    found = assets.asset(request.path_params["name"])
    if found is None:
        raise NotFound("No such file.")
    return Response(found.content, media_type=found.media_type, headers={"Cache-Control": _FOR_EVER})


async def _ever_seen(running: Services, site: Site, now: int) -> bool:
    """Whether the site ever had a visit, as far back as one question reaches."""
    everything = await summary.summary(running.store.reads, site, Period.ending(now, LONGEST_DAYS))
    return bool(everything.views)


def _refuse_foreign(request: Request, running: Services) -> None:
    if not is_same_origin(request, running.settings.base_url):
        raise Forbidden(
            "This form was not sent from a page of this server; nothing was done. Open it here and try again."
        )


def _is_https(request: Request, running: Services) -> bool:
    """Whether the browser speaks https with us, be it through a proxy that says nothing about it."""
    host = request.headers.get("host", "")
    return request.url.scheme == "https" or running.settings.base_url == f"https://{host}"


def _base_url(request: Request, running: Services) -> str:
    return running.settings.base_url or str(request.base_url).rstrip("/")


routes: Final = [
    Route("/", overview),
    Route("/sign-in", sign_in_form, methods=["GET"]),
    Route("/sign-in", sign_in, methods=["POST"]),
    Route("/sign-out", sign_out, methods=["POST"]),
    Route("/cascades", cascades),
    Route("/cascades/{root}", cascade),
    Route("/tokens", tokens),
    Route("/direct", direct),
    Route("/conversions", conversions),
    Route(f"{assets.FOLDER}/{{name}}", static),
]
