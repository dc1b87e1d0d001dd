"""``/problems/{code}``: the page for people about a kind of problem. The ``type`` of every problem leads there."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Annotated, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from grapevine.errors import FieldError, NotFound, Problem, RateLimited
from grapevine.web.api.operation import Operation, ResponseSpec
from grapevine.web.dashboard.page import dashboard_page
from grapevine.web.dashboard.rendering import render_page
from grapevine.web.problems import problem_kinds, problem_response
from grapevine.web.rate_limits import limited

_HTML: Final = ("text/html",)


class ProblemPage(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The texts of a page, and what its example says."""

    meaning: str
    todo: list[str]
    detail: str
    errors: list[FieldError] = []
    retry_after: int | None = None

    def example(self, kind: type[Problem]) -> str:
        """Returns a response of this kind as it is sent, laid out for people."""
        problem = kind(self.detail, errors=tuple(self.errors), retry_after=self.retry_after)
        response = problem_response(problem)
        headers = [
            f"{name}: {response.headers[name]}"
            for name in ("Content-Type", "Retry-After", "WWW-Authenticate")
            if name in response.headers
        ]
        body = msgspec.json.format(bytes(response.body), indent=2).decode()
        return "\n".join((f"HTTP/1.1 {kind.status} {kind.phrase()}", *headers, "", body))


class ProblemPath(msgspec.Struct, frozen=True):
    """The path of a page about a problem."""

    code: Annotated[str, msgspec.Meta(examples=["rate-limited"])]
    """The `code` of the problem."""


@cache
def problem_pages() -> Mapping[str, ProblemPage]:
    """Returns the pages by code."""
    text = files(__package__).joinpath("pages.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text), dict[str, ProblemPage])


@dashboard_page
async def problem_page(request: Request) -> Response:
    """A page that says what a problem means and what to do, for people.

    The `type` of each problem is the address of its page.
    """
    code = request.path_params["code"]
    page, kind = problem_pages().get(code), problem_kinds().get(code)
    if page is None or kind is None:
        raise NotFound("No problem of this server has this code. Perhaps the address lost its end.")
    return render_page(
        "problem_type.html", viewer=None, kind=kind, page=page, example=page.example(kind), others=problem_kinds()
    )


OPERATIONS: Final = [
    Operation(
        method="GET",
        path="/problems/{code}",
        handler=limited(problem_page),
        tag="problems",
        scope=None,
        path_params=ProblemPath,
        responses={
            200: ResponseSpec(str, "The page.", _HTML),
            404: ResponseSpec(str, "A page: no problem has this code.", _HTML),
            429: ResponseSpec(str, "A page, where a browser asked for one: too many requests.", _HTML),
        },
        problems=(RateLimited,),
    )
]
