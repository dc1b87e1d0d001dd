"""Every URL on one page: public routes, API routes that need a key, dashboard pages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Final

from starlette.convertors import Convertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route, Router
from starlette.types import Receive, Scope, Send

from grapevine.web import operations
from grapevine.web.api.call import Endpoint, endpoint
from grapevine.web.api.operation import Operation
from grapevine.web.dashboard import views
from grapevine.web.dashboard.answers import answers_page, correct_class
from grapevine.web.dashboard.assets import FOLDER
from grapevine.web.dashboard.check import check_form, check_page
from grapevine.web.dashboard.conversions import conversions_page
from grapevine.web.dashboard.direct import direct_page
from grapevine.web.dashboard.erase import erase_visit
from grapevine.web.dashboard.first_steps import first_steps_part
from grapevine.web.dashboard.links import link_page, links_page
from grapevine.web.dashboard.mentions import mentions_page
from grapevine.web.dashboard.sign_in_link import SignInLink
from grapevine.web.openapi import served
from grapevine.web.public import answers, conversions
from grapevine.web.public.collect import CORS, preflight


class Rest(Convertor[str]):
    """Any text: what hangs on a token may hold slashes and line ends."""

    regex = r"(?s:.*)"

    def convert(self, value: str) -> str:
        """Returns the text."""
        return value

    def to_string(self, value: str) -> str:
        """Returns the text."""
        return value


register_url_convertor("rest", Rest())


class CorsRoute(Route):
    """A path that pages of every origin call: they may read that it is called with another method, too."""

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request whose path is this one."""
        methods = self.methods or set()
        if scope["method"] not in methods:
            raise HTTPException(HTTPStatus.METHOD_NOT_ALLOWED, headers={"Allow": ", ".join(sorted(methods))} | CORS)
        await self.app(scope, receive, send)


def routes_of(calls: Iterable[Operation]) -> list[BaseRoute]:
    """Returns a route for each path of ``calls``, in their order."""
    by_path: dict[str, dict[str, Endpoint]] = {}
    kinds: dict[str, type[Route]] = {}
    for each in calls:
        methods = by_path.setdefault(each.path, {"OPTIONS": preflight} if each.has_preflight else {})
        methods[each.method] = endpoint(each)
        kinds[each.path] = CorsRoute if each.is_cors else Route
    return [kinds[path](path, _by_method(methods), methods=[*methods]) for path, methods in by_path.items()]


def _by_method(endpoints: Mapping[str, Endpoint]) -> Endpoint:
    if len(endpoints) == 1:
        return next(iter(endpoints.values()))

    async def choose(request: Request) -> Response:
        return await endpoints["GET" if request.method == "HEAD" else request.method](request)

    return choose


COLLECT: Final = routes_of(operations.COLLECT)
SHORT_LINKS: Final = routes_of(operations.LINKS)
API: Final = routes_of(
    [
        *operations.KEYED,
        *operations.RECEIPTS,
        *operations.REPORTS,
        *operations.LIVE,
        conversions.WITH_KEY,
        answers.WITH_KEY,
    ]
)
HEALTH: Final = routes_of([*operations.SERVER, *served.OPERATIONS])
DASHBOARD: Final[list[BaseRoute]] = [
    Route("/", views.overview_page),
    Route("/sign-in", views.sign_in_page, methods=["GET"]),
    Route("/sign-in", views.sign_in, methods=["POST"]),
    Route("/sign-out", views.sign_out, methods=["POST"]),
    Route("/sign-out-everywhere", views.sign_out_everywhere, methods=["POST"]),
    Route("/cascades", views.cascades_page),
    Route("/cascades/{root}", views.cascade_page),
    Route("/tokens", views.tokens_page),
    Route("/tokens/erase", erase_visit, methods=["POST"]),
    Route("/first-steps", first_steps_part),
    Route("/check", check_form, methods=["GET"]),
    Route("/check", check_page, methods=["POST"]),
    Route("/direct", direct_page),
    Route("/links", links_page),
    Route("/links/{token}", link_page),
    Route("/answers", answers_page),
    Route("/answers/correct", correct_class, methods=["POST"]),
    Route("/conversions", conversions_page),
    Route("/mentions", mentions_page),
    Route(f"{FOLDER}/{{name}}", views.static_file),
]


def routes(prefix: str, sign_in_link: SignInLink | None = None) -> list[BaseRoute]:
    """Returns all routes. ``prefix`` (a path without a trailing slash, or nothing) stands before those that pages call.

    Short links stand both below the prefix, because the widget knows its endpoint alone, and at the root, so that links
    from before a prefix was set stay good. Only the demo has a ``sign_in_link``.
    """
    # Redirects to the path with or without a slash would name the host of the request.
    below = Router([*COLLECT, *SHORT_LINKS], redirect_slashes=False)
    public = [Mount(prefix, below)] if prefix else COLLECT
    linked = [sign_in_link.route()] if sign_in_link else []
    return [*public, *SHORT_LINKS, *API, *HEALTH, *DASHBOARD, *linked]
