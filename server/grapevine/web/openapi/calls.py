"""An operation as an Operation Object of OpenAPI (3.1, section 4.8.10)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec

from grapevine.web.api.operation import Operation, RequestBody, ResponseSpec
from grapevine.web.openapi import headers
from grapevine.web.openapi.examples import example
from grapevine.web.openapi.problems import problem_responses, shared_name
from grapevine.web.openapi.schemas import Schema, Schemas

_OF_BODY: Final = "body."
KEY: Final = "key"
"""The name of the security scheme."""
FROM_PAGE: Final = "page"
"""The name of the example that is sent without a key, of a call that may be made with one."""
_WITH_KEY: Final = "server"


def operation_object(operation: Operation, schemas: Schemas) -> dict[str, Any]:
    """Returns the description of one call."""
    found: dict[str, Any] = {
        "operationId": operation.name,
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": "\n\n".join(filter(None, (operation.description, _key_needed(operation)))),
        "security": _security(operation),
        "parameters": [*_parameters(operation, schemas)],
        "responses": _responses(operation, schemas),
    }
    if operation.body is not None:
        found["requestBody"] = _request_body(operation, operation.body, schemas)
    return found


def types_of(operation: Operation) -> Iterator[Any]:
    """Yields the types of the bodies of a call."""
    if operation.body is not None:
        yield from operation.body.kinds
    for response in operation.responses.values():
        yield from response.kinds


def _key_needed(operation: Operation) -> str:
    scope = operation.scope or operation.optional_scope
    if scope is None:
        return ""
    return f"Needs a key of scope `{scope}`." if operation.scope else f"A key needs the scope `{scope}`."


def _security(operation: Operation) -> list[dict[str, list[str]]]:
    if operation.optional_scope:
        return [{}, {KEY: []}]
    return [{KEY: []}] if operation.scope else []


def _parameters(operation: Operation, schemas: Schemas) -> Iterator[dict[str, Any]]:
    if operation.path_params is not None:
        yield from _fields(operation.path_params, "path", schemas)
    if operation.of_site and (operation.scope or operation.optional_scope):
        yield {"$ref": "#/components/parameters/site"}
    yield from _fields(operation.query, "query", schemas)
    for name in operation.request_headers:
        spec = headers.REQUEST[name]
        yield {
            "name": name,
            "in": "header",
            "description": spec.description,
            "schema": spec.schema,
            "example": spec.example,
        }


def _fields(struct: type[msgspec.Struct], place: str, schemas: Schemas) -> Iterator[dict[str, Any]]:
    required = {field.encode_name: field.required for field in msgspec.structs.fields(struct)}
    for name, described in schemas.fields(struct).items():
        schema = without_null(described)
        parameter = {"name": name, "in": place, "description": schema.pop("description", "")}
        if required[name]:
            parameter["required"] = True
        if examples := schema.pop("examples", None):
            parameter["example"] = examples[0]
        yield {**parameter, "schema": schema}


def without_null(schema: Schema) -> Schema:
    """Returns the schema of a parameter, which is left out where a field would be null."""
    found = {name: value for name, value in schema.items() if not (name == "default" and value is None)}
    kinds = [each for each in found.pop("anyOf", ()) if each != {"type": "null"}]
    return found | kinds[0] if kinds else found


def _request_body(operation: Operation, body: RequestBody, schemas: Schemas) -> dict[str, Any]:
    content: dict[str, Any] = {"schema": _any_of(body.kinds, schemas)}
    shown = example(operation.name, "request")
    if operation.with_key is not None:
        content["examples"] = {
            FROM_PAGE: {"summary": "From a page", "value": shown},
            _WITH_KEY: {
                "summary": "From your own server, with an API key",
                "value": example(operation.with_key, "request"),
            },
            **{
                name: {"summary": text, "value": example(operation.with_key, name)}
                for name, text in operation.keyed_examples.items()
            },
        }
    elif shown is not None:
        content["example"] = shown
    return {
        "description": f"At most {body.most:,} bytes.",
        "required": True,
        "content": dict.fromkeys(body.media_types, content),
    }


def _any_of(types: Iterable[Any], schemas: Schemas) -> Schema:
    kinds = [schemas.of(kind) for kind in types]
    return kinds[0] if len(kinds) == 1 else {"anyOf": kinds}


def _responses(operation: Operation, schemas: Schemas) -> dict[str, Any]:
    refusals = problem_responses(operation, schemas)
    found = {status: {"$ref": f"#/components/responses/{shared_name(operation, status)}"} for status in refusals}
    for number, spec in operation.responses.items():
        status, described = str(number), _response(operation, number, spec, schemas)
        if refusal := refusals.get(status):  # a page for people, or a problem for programs
            described["content"] |= refusal["content"]
            described["headers"] = refusal["headers"] | described.get("headers", {})
            described["description"] += f" {refusal['description']}"
        found[status] = described
    return dict(sorted(found.items()))


def _response(operation: Operation, status: int, spec: ResponseSpec, schemas: Schemas) -> dict[str, Any]:
    names = list(spec.headers)
    if operation.is_cors:
        names.append("Access-Control-Allow-Origin")
    if operation.has_preflight:
        names.append("Access-Control-Expose-Headers")
    found: dict[str, Any] = {"description": spec.text}
    if names:
        found["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in names}
    if spec.body is not None:
        content: dict[str, Any] = {"schema": _any_of(spec.kinds, schemas)}
        shown = example(operation.name, "response")
        if shown is not None and status == next(iter(operation.responses)):
            content["example"] = shown
        found["content"] = dict.fromkeys(spec.media_types, content)
    if spec.links:
        found["links"] = {name: _link(name, values) for name, values in spec.links.items()}
    return found


def _link(name: str, values: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {"operationId": name, "parameters": {}}
    for target, value in values.items():
        expression = f"$response.body#{value}" if value.startswith("/") else value
        if target.startswith(_OF_BODY):
            found.setdefault("requestBody", {})[target.removeprefix(_OF_BODY)] = expression
        else:
            found["parameters"][target] = expression
    return found
