"""A NUL, which PostgreSQL cannot store, in every text of every call and in every parameter of the dashboard's pages.

Made from the declarations, so that a new call is walked by itself. Each text is tried alone, the others are good.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import quote

import msgspec
import pytest
from msgspec import inspect
from starlette.routing import Route

from grapevine.web.api.operation import Operation
from grapevine.web.openapi.served import described
from grapevine.web.routes import DASHBOARD
from tests.support.in_process_server import Server
from tests.web.api.test_read_api import KeyClient, with_key
from tests.web.dashboard.dashboard_browser import signed_in

pytestmark = pytest.mark.anyio

ON_POSTGRES: Final = pytest.mark.parametrize("database", ["postgres"], indirect=True)
TEXTS: Final = ("\0", "a\0b", "wh_aaaaaaa\0")
GOOD_QUERY: Final = {"metric": "visits", "by": "channel", "model": "linear", "confirm": "x"}
DASHBOARD_QUERY: Final = ("page", "channel", "app", "goal", "model", "token", "cursor", "from", "site", "q", "url")
"""Parameters of pages, whether a page has them or not."""
Asked = tuple[str, dict[str, str], Any]


def fields_of(kind: type[msgspec.Struct]) -> tuple[inspect.Field, ...]:
    found = inspect.type_info(kind)
    assert isinstance(found, inspect.StructType)
    return found.fields


def takes_text(kind: inspect.Type) -> bool:
    match kind:
        case inspect.Metadata(type=inner):
            return takes_text(inner)
        case inspect.UnionType(types=types):
            return any(takes_text(each) for each in types)
    return isinstance(kind, inspect.StrType | inspect.LiteralType)


def takes_texts(kind: inspect.Type) -> bool:
    match kind:
        case inspect.Metadata(type=inner):
            return takes_texts(inner)
        case inspect.UnionType(types=types):
            return any(takes_texts(each) for each in types)
    return isinstance(kind, inspect.ListType | inspect.VarTupleType) and takes_text(kind.item_type)


def with_nul(call: Operation, known: dict[str, str], text: str) -> Iterator[Asked]:
    """Makes requests of a call with ``text`` in one place each: in the path, the query or the body."""
    names = re.findall(r"{(\w+)(?::\w+)?}", call.path)
    good = {name: known.get(f"{call.tag}.{name}", "none") for name in names}
    query = {each.encode_name: GOOD_QUERY.get(each.encode_name, "x") for each in fields_of(call.query) if each.required}
    body = {each.encode_name: known.get(f"{call.tag}.{each.name}", "x") for each in body_fields(call) if each.required}
    for name in names:
        yield path_of(call, good | {name: text}), query, body
    for each in fields_of(call.query):
        if takes_text(each.type):
            yield path_of(call, good), query | {each.encode_name: text}, body
    if call.scope is not None:
        yield path_of(call, good), query | {"site": text}, body
    for each in body_fields(call):
        if takes_text(each.type):
            yield path_of(call, good), query, body | {each.encode_name: text}
        if takes_texts(each.type):
            yield path_of(call, good), query, body | {each.encode_name: [text]}


def body_fields(call: Operation) -> tuple[inspect.Field, ...]:
    kinds = call.body.kinds if call.body is not None else ()
    return tuple(each for kind in kinds if kind is not str for each in fields_of(kind))


def path_of(call: Operation, values: dict[str, str]) -> str:
    return re.sub(r"{(\w+)(?::\w+)?}", lambda found: quote(values[found[1]], safe=""), call.path)


@ON_POSTGRES
async def test_no_call_fails_at_a_nul(server: Server) -> None:
    every = await with_key(server, "every", site_id=0, scope="admin")
    owner = await with_key(server, "owner", scope="admin")
    hook = (await owner.http.post("/v1/webhooks", json={"url": "https://hook.example/"})).json()["id"]
    known = {"webhooks.id": hook, "webhooks.url": "https://hook.example/"}
    known |= {"sites.site": "site-a", "keys.id": "id-owner"}
    failed, asked = [], 0
    for call in described():
        for text in TEXTS:
            for path, query, body in with_nul(call, known, text):
                asker: KeyClient = owner if call.of_site else every
                method = "HEAD" if call.tag == "live" else call.method
                answer = await asker.http.request(method, path, params=query, json=body or None)
                asked += 1
                if answer.status_code >= 500:
                    failed.append((answer.status_code, method, path, query, body))
    assert failed == []
    assert asked > 300
    assert (await owner.json("/v1/webhooks"))["webhooks"][0]["id"] == hook


@ON_POSTGRES
async def test_no_page_of_the_dashboard_fails_at_a_nul(server: Server) -> None:
    client = await signed_in(server)
    failed = []
    for route in DASHBOARD:
        if not isinstance(route, Route) or "GET" not in (route.methods or ()):
            continue
        path = re.sub(r"{\w+(:\w+)?}", "%00", route.path)
        for query in ({}, *({name: text} for name in DASHBOARD_QUERY for text in TEXTS[:1])):
            status = (await client.get(path, params=query)).status_code
            failed += [(status, path, query)] if status >= 500 else []
    assert failed == []
