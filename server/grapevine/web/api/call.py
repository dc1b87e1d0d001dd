"""Runs an operation that needs an API key: authentication, parameters, body, handler, response."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import msgspec
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from grapevine.domain.json_input import decode
from grapevine.domain.storable import storable
from grapevine.sites.cache import Site
from grapevine.store.readers.reads import Reads
from grapevine.store.rows import KeyRow
from grapevine.web.api.auth import check_scope, reached_site, read_key
from grapevine.web.api.operation import Operation, RequestBody, Scope
from grapevine.web.api.query import read_query
from grapevine.web.request_body import check_type, read_body
from grapevine.web.responses import NO_STORE, json_response, revalidated
from grapevine.web.state import AppState, app_state

Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True)
class KeyCall:
    """A request whose API key has the scope that the operation needs."""

    request: Request
    state: AppState
    key: KeyRow

    @property
    def now(self) -> int:
        """The time in UTC milliseconds."""
        return self.state.clock()

    @property
    def reads(self) -> Reads:
        """What statistics read."""
        return self.state.store.reads


@dataclass(frozen=True)
class SiteCall(KeyCall):
    """A request about one site: the key's own, or the one that ``?site=`` names."""

    site: Site


def endpoint(operation: Operation) -> Endpoint:
    """Returns what Starlette calls for an operation."""
    return operation.handler if operation.scope is None else _keyed(operation, operation.scope)


def _keyed(operation: Operation, scope: Scope) -> Endpoint:
    status = next(iter(operation.responses))

    async def run(request: Request) -> Response:
        state = app_state(request)
        key = await read_key(request, state)
        check_scope(key, scope)
        call = KeyCall(request, state, key)
        if operation.of_site:
            site = await reached_site(state.sites, key, request.query_params.get("site"))
            call = SiteCall(request, state, key, site)
        found = await operation.handler(call, **await _arguments(operation, request))
        if found is None:
            return Response(status_code=status, headers=NO_STORE)
        return revalidated(request, found if isinstance(found, Response) else json_response(found, status))

    return run


async def _body(spec: RequestBody, request: Request) -> msgspec.Struct:
    check_type(request.headers.get("content-type", ""), frozenset({"", *spec.media_types}))
    body = await read_body(request, spec.most)
    if not isinstance(spec.kind, tuple):
        assert issubclass(spec.kind, msgspec.Struct)  # noqa: S101 - a call with a key takes JSON
        return decode(body, spec.kind)
    return decode(body, _kind_of(body, spec.kind))


def _kind_of(body: bytes, kinds: tuple[type[msgspec.Struct], ...]) -> type[msgspec.Struct]:
    """Returns the struct that a body is meant for: the first whose needed fields it has, else the first of all."""
    try:
        names = set(msgspec.json.decode(body, type=dict[str, msgspec.Raw]))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return kinds[0]  # whose decoder says what is wrong
    needed = {kind: {each.encode_name for each in msgspec.structs.fields(kind) if each.required} for kind in kinds}
    return next((kind for kind in kinds if needed[kind] <= names), kinds[0])


async def _arguments(operation: Operation, request: Request) -> dict[str, Any]:
    """Returns what the handler takes by keyword. Raises Invalid, Malformed, TooLarge."""
    arguments: dict[str, Any] = {}
    given = QueryParams([(name, storable(text)) for name, text in request.query_params.multi_items()])
    query = read_query(given, operation.query, ("site",) if operation.of_site else ())
    if operation.query.__struct_fields__:
        arguments["query"] = query
    if operation.path_params is not None:
        arguments["path"] = msgspec.convert(
            {name: storable(text) for name, text in request.path_params.items()}, operation.path_params
        )
    if operation.body is not None:
        arguments["body"] = await _body(operation.body, request)
    return arguments
