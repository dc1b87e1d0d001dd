"""The description of the API: it is valid OpenAPI; nothing of the API is missing in it, nor in it without the API."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator
from functools import reduce
from importlib.resources import files
from operator import or_
from typing import Any, get_type_hints

import jsonschema_rs
import msgspec
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from starlette.routing import Route

from grapevine import errors
from grapevine.domain import channels
from grapevine.errors import ForeignForm, MethodNotAllowed, Problem
from grapevine.web.api.call import KeyCall, SiteCall
from grapevine.web.api.operation import Operation
from grapevine.web.openapi import headers
from grapevine.web.openapi.document import TAGS
from grapevine.web.openapi.outline import groups, things
from grapevine.web.openapi.served import described, make_description
from grapevine.web.routes import DASHBOARD, routes
from tests.support.in_process_server import Server

pytestmark = pytest.mark.anyio

PREFIX = "/grape"
CALLS = {each.name: each for each in described()}
NAMES = sorted(CALLS)
DOCUMENT: dict[str, Any] = json.loads(make_description("/", "").json)
MEDIA = "application/json"
WITHOUT_EXAMPLE = {"get_openapi", "widget_file"}


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, call in methods.items():
            yield path, method.upper(), call


@pytest.mark.parametrize("prefix", ["", PREFIX])
def test_it_is_valid(prefix: str) -> None:
    document = json.loads(make_description("https://share.example.com", prefix).json)
    assert [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()] == []
    names = [call["operationId"] for _, _, call in operations(document)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("prefix", ["", PREFIX])
def test_every_route_is_described_and_nothing_else(prefix: str) -> None:
    pages = {route.path for route in DASHBOARD if isinstance(route, Route)}
    served = {
        (method, re.sub(r":\w+", "", start + route.path))
        for start, route in flat(routes(prefix), "")
        if route.path not in pages
        for method in (route.methods or set()) - {"HEAD", "OPTIONS"}
    }
    below = {
        (method, f"{prefix}{path}")
        for path in (
            "/s/{token}", "/s/{token}/qr.svg", "/s/{token}/qr.png", "/about/{token}",
            "/go/{word}", "/go/{word}/qr.svg", "/go/{word}/qr.png",
        )
        for method in ("GET", "POST")
    }  # fmt: skip
    served -= below if prefix else set()  # the same links are at the root
    document = json.loads(make_description("/", prefix).json)
    assert served == {(method, path) for path, method, _ in operations(document)}


def flat(found: Any, start: str) -> Iterator[tuple[str, Route]]:
    for each in found:
        if isinstance(each, Route):
            yield start, each
        else:
            yield from flat(each.app.routes, start + each.path)


@pytest.mark.parametrize("name", NAMES)
def test_a_handler_takes_what_its_operation_declares(name: str) -> None:
    call = CALLS[name]
    hints = get_type_hints(inspect.unwrap(call.handler))
    hints.pop("return", None)
    hints.pop("_", None)
    if call.scope is None:
        return
    assert hints.pop("call") is (SiteCall if call.of_site else KeyCall)
    body = call.body and reduce(or_, call.body.kinds)
    wanted = {"query": call.query if call.query.__struct_fields__ else None, "path": call.path_params, "body": body}
    assert hints == {part: kind for part, kind in wanted.items() if kind is not None}


@pytest.mark.parametrize("name", NAMES)
def test_a_call_says_what_it_does(name: str) -> None:
    call = CALLS[name]
    assert call.summary.endswith((".", "?")), call.summary
    assert len(call.summary) < 120
    assert "``" not in call.summary + call.description
    assert call.tag in TAGS
    params = set(re.findall(r"{(\w+)", call.path))
    fields = call.path_params.__struct_fields__ if call.path_params else ()
    assert params == set(fields)


def test_every_tag_has_a_call() -> None:
    assert {call.tag for call in CALLS.values()} == TAGS.keys()


def test_every_field_and_parameter_is_described() -> None:
    fields = {
        f"{name}.{field}": schema
        for name, component in DOCUMENT["components"]["schemas"].items()
        for field, schema in component.get("properties", {}).items()
    }
    params = {
        f"{call['operationId']} {param['name']}": param
        for _, _, call in operations(DOCUMENT)
        for param in call["parameters"]
        if "$ref" not in param
    }
    assert fields
    assert params
    assert [name for name, schema in (fields | params).items() if not schema.get("description", "").endswith(".")] == []
    assert [name for name, schema in DOCUMENT["components"]["schemas"].items() if "description" not in schema] == []


def test_every_header_is_used() -> None:
    used = {name for name in headers.RESPONSE if f'"#/components/headers/{name}"' in json.dumps(DOCUMENT)}
    assert used == set(headers.RESPONSE)
    read = {name for call in CALLS.values() for name in call.request_headers}
    assert read == set(headers.REQUEST)


def problems(kind: type[Problem] = Problem) -> Iterator[type[Problem]]:
    for each in kind.__subclasses__():
        yield each
        yield from problems(each)


def test_every_problem_is_described() -> None:
    found = set(re.findall(r'"code": {"enum": \[([^]]*)\]', json.dumps(DOCUMENT)))
    codes = {code.strip('" ') for codes in found for code in codes.split(",")}
    of_the_api = {each.code for each in problems() if each.__module__ == errors.__name__} - {
        ForeignForm.code,
        MethodNotAllowed.code,
    }
    assert codes == of_the_api


def shown() -> Iterator[tuple[str, str, Any, Any]]:
    """Every example: its call, its part, its value and its schema."""
    for _, _, call in operations(DOCUMENT):
        if MEDIA in (content := call.get("requestBody", {}).get("content", {})):
            several = content[MEDIA].get("examples", {"": {"value": content[MEDIA].get("example")}})
            for each in several.values():
                yield call["operationId"], "request", each["value"], content[MEDIA]["schema"]
        first = call["responses"][str(next(iter(CALLS[call["operationId"]].responses)))]
        if MEDIA in (content := first.get("content", {})):
            yield call["operationId"], "response", content[MEDIA].get("example"), content[MEDIA]["schema"]


def test_every_body_has_an_example_that_fits() -> None:
    empty = "#/components/schemas/Empty"
    for name, part, value, schema in shown():
        if value is None:
            assert schema.get("$ref") == empty or name in WITHOUT_EXAMPLE, f"{name}.{part}.json is missing"
            continue
        whole = schema | {"components": DOCUMENT["components"]}
        found = [error.message for error in jsonschema_rs.Draft202012Validator(whole).iter_errors(value)]
        assert not found, (name, part, found)
        kinds = kinds_of(CALLS[name], part)
        assert str in kinds or any(is_one(value, kind) for kind in kinds), (name, part)


def kinds_of(call: Operation, part: str) -> tuple[Any, ...]:
    if part == "response":
        return next(iter(call.responses.values())).kinds
    return call.body.kinds if call.body else ()


def is_one(value: Any, kind: Any) -> bool:
    try:
        msgspec.json.decode(json.dumps(value), type=kind)
    except msgspec.ValidationError:
        return False
    return True


def test_every_example_belongs_to_a_call() -> None:
    names = {file.name for file in files("grapevine.web.openapi.examples").iterdir() if file.name.endswith(".json")}
    with_key = [call.with_key for call in CALLS.values() if call.with_key is not None]
    known = {f"{name}.{part}.json" for name in [*NAMES, *with_key] for part in ("request", "response")}
    known |= {f"{call.with_key}.{name}.json" for call in CALLS.values() for name in call.keyed_examples}
    assert names <= known


def test_links_lead_to_path_parameters() -> None:
    for call in CALLS.values():
        for response in call.responses.values():
            for name, params in response.links.items():
                target = CALLS[name].path_params
                of_path = {param for param in params if not param.startswith("body.")}
                assert of_path == set(target.__struct_fields__ if target else ()), name


def test_no_closed_set_is_cut() -> None:
    """Where a parameter or field must be one of some names, ``/docs`` and docs/api.md show all of them."""
    document = json.loads(make_description("/", "").json)
    rows = [row for group in groups(document, "/") for call in group.calls for row in call.params]
    rows += [row for thing in things(document) for row in thing.rows]
    assert [row.name for row in rows if "…" in row.type] == []
    channel = next(row for row in rows if row.name == "channel" and row.place == "query")
    assert re.findall("`([^`]+)`", channel.type) == [*channels.CODES]


def test_a_call_that_may_have_a_key_shows_both_ways() -> None:
    found = [call for group in groups(DOCUMENT, "/") for call in group.calls if call.name == "report_conversion"]
    by_page, *by_server = (curl.line for curl in found[0].curls)
    assert ("Origin:" in by_page, "Bearer" in by_page) == (True, False)
    assert [("Origin:" in line, "Bearer" in line, "refund_of" in line) for line in by_server] == [
        (False, True, False),
        (False, True, True),
    ]


async def test_it_is_served_with_an_entity_tag(server: Server) -> None:
    first = await server.http.get("/openapi.json")
    assert first.json() == DOCUMENT
    again = await server.http.get("/openapi.json", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_the_page_shows_every_call_and_object_and_runs_nothing(server: Server) -> None:
    page = await server.http.get("/docs")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert "<script" not in page.text
    assert " style=" not in page.text
    ids = re.findall(r' id="([^"]+)"', page.text)
    assert len(ids) == len(set(ids))
    assert {*NAMES, *TAGS, *(name.lower() for name in DOCUMENT["components"]["schemas"])} <= set(ids)
    assert set(re.findall(r'href="#([^"]+)"', page.text)) <= set(ids)
    assert page.text.count("curl ") >= len(NAMES)
