"""The router with an index finds what Starlette's own router finds."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route, Router
from starlette.types import Message

from grapevine.web.indexed_router import IndexedRouter
from grapevine.web.routes import routes

PARAMETERS = ("", "x", "x/y", "qr.svg", "resolve", "erase", "x\n", "ü", "/", "//", "{root}")
OTHERS = ("", "/", "//", "/v1", "/v1/", "/v2/tokens", "/s", "/s/", "/a", "/a/b", "/a/b/", "/widgetx", "/v1//x", "x")


def echoing(route: BaseRoute) -> BaseRoute:
    """A route with the same path and methods that answers which one it is."""
    if isinstance(route, Mount):
        return Mount(route.path, Router([echoing(each) for each in route.routes], redirect_slashes=False))
    assert isinstance(route, Route)

    async def echo(request: Request) -> Response:
        return JSONResponse([route.path, request.method, dict(request.path_params)])

    return Route(route.path, echo, methods=sorted(route.methods or ()))


def paths(all_routes: list[BaseRoute], prefix: str) -> set[str]:
    found = {prefix + path for path in OTHERS}
    for route in all_routes:
        if isinstance(route, Mount):
            found |= paths(list(route.routes), route.path)
        elif isinstance(route, Route):
            fixed, *names = route.path.split("{")
            ends = itertools.product(PARAMETERS, repeat=len(names))
            rests = [each.partition("}")[2] for each in names]
            for values in ends:
                filled = "".join(f"{value}{rest}" for value, rest in zip(values, rests, strict=True))
                found.add(f"{prefix}{fixed}{filled}")
            found |= {prefix + fixed, f"{prefix}{fixed}/", f"{prefix}{fixed}x", prefix + fixed.rstrip("/")}
    return found


async def answer(router: Router, path: str, method: str) -> list[Any]:
    app, sent = Starlette(), list[Message]()
    app.router = router

    async def receive() -> Message:
        raise AssertionError("nobody reads the body")

    async def send(message: Message) -> None:
        sent.append(message)

    await app({"type": "http", "method": method, "path": path, "headers": [], "query_string": b""}, receive, send)
    start, body = sent
    allowed = sorted(value for name, value in start["headers"] if name == b"allow")
    return [start["status"], [set(value.split(b", ")) for value in allowed], body["body"]]


@pytest.mark.anyio
@pytest.mark.parametrize("prefix", ["", "/a", "/a/b", "/a/b/c"])
async def test_each_path_finds_the_same_route(prefix: str) -> None:
    mine = [echoing(route) for route in routes(prefix)]
    plain, indexed = Router(mine, redirect_slashes=False), IndexedRouter(mine)
    found = set[int]()
    for path in sorted(paths(mine, prefix) | paths(mine, "")):
        for method in ("GET", "POST", "DELETE"):
            expected = await answer(plain, path, method)
            assert await answer(indexed, path, method) == expected, (method, path)
            found.add(expected[0])
    assert found == {200, 404, 405}
