"""The description in the order in which people read it: what ``/docs`` and ``docs/api.md`` show."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from grapevine.web.openapi.curl_lines import CurlLine, curl_lines

Document = dict[str, Any]
_JSON: Final = "application/json"


class FieldOutline(NamedTuple):
    """A parameter or field: where it stands, its type, and what it is."""

    name: str
    place: str
    type: str
    is_required: bool
    text: str


class ReplyOutline(NamedTuple):
    """A response by its status."""

    status: str
    text: str
    type: str
    headers: list[str]


class CallOutline(NamedTuple):
    """One call."""

    name: str
    method: str
    path: str
    summary: str
    text: str
    params: list[FieldOutline]
    body: str
    replies: list[ReplyOutline]
    curls: list[CurlLine]
    example: str


class GroupOutline(NamedTuple):
    """The calls of one tag."""

    name: str
    text: str
    calls: list[CallOutline]


class ObjectOutline(NamedTuple):
    """An object of requests and responses."""

    name: str
    text: str
    rows: list[FieldOutline]


def groups(document: Document, server: str) -> list[GroupOutline]:
    """Returns every call by tag; their curl lines ask ``server``."""
    return [
        GroupOutline(
            name=tag["name"],
            text=tag["description"],
            calls=[
                _call(document, server, path, method, call)
                for path, methods in document["paths"].items()
                for method, call in methods.items()
                if tag["name"] in call["tags"]
            ],
        )
        for tag in document["tags"]
    ]


def things(document: Document) -> list[ObjectOutline]:
    """Returns every object, by name."""
    return [
        ObjectOutline(
            name=name,
            text=schema.get("description", ""),
            rows=[
                FieldOutline(
                    name=field,
                    place="",
                    type=type_text(described),
                    is_required=field in schema.get("required", ()),
                    text=described.get("description", ""),
                )
                for field, described in schema.get("properties", {}).items()
            ],
        )
        for name, schema in document["components"]["schemas"].items()
    ]


def _call(document: Document, server: str, path: str, method: str, call: dict[str, Any]) -> CallOutline:
    replies = [_reply(document, status, response) for status, response in call["responses"].items()]
    shown = next(
        (_example(response) for response in call["responses"].values() if _example(response) is not None), None
    )
    body = call.get("requestBody", {}).get("content", {})
    return CallOutline(
        name=call["operationId"],
        method=method.upper(),
        path=path,
        summary=call["summary"],
        text=call["description"],
        params=[*_params(document, call)],
        body=f"{_types(body)}, {call['requestBody']['description'][0].lower()}{call['requestBody']['description'][1:]}"
        if body
        else "",
        replies=replies,
        curls=curl_lines(server, path, method.upper(), call),
        example="" if shown is None else readable_json(shown),
    )


def _params(document: Document, call: dict[str, Any]) -> Iterator[FieldOutline]:
    for each in call["parameters"]:
        name = each.get("$ref", "").rpartition("/")[2]
        param = document["components"]["parameters"][name] if name else each
        schema = param["schema"]
        default = schema.get("default")
        text = param["description"] + (f" Default: `{default}`." if default is not None else "")
        yield FieldOutline(param["name"], param["in"], type_text(schema), param.get("required", False), text)


def _reply(document: Document, status: str, response: dict[str, Any]) -> ReplyOutline:
    name = response.get("$ref", "").rpartition("/")[2]
    found = document["components"]["responses"][name] if name else response
    is_refusal = "application/problem+json" in found.get("content", {})
    return ReplyOutline(
        status=status,
        text=found["description"],
        type="" if is_refusal else _types(found.get("content", {})),
        headers=[*found.get("headers", ())],
    )


def _types(content: dict[str, Any]) -> str:
    if _JSON in content and content[_JSON]["schema"]:
        return type_text(content[_JSON]["schema"])
    return " or ".join(f"`{name.partition(';')[0]}`" for name in content)


def type_text(schema: dict[str, Any]) -> str:
    """Returns the type of a value for people, as Markdown."""
    if ref := schema.get("$ref"):
        name = ref.rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if kinds := schema.get("anyOf"):
        return " or ".join(dict.fromkeys(type_text(kind) for kind in kinds))
    if "enum" in schema:
        return ", ".join(f"`{name}`" for name in schema["enum"])
    kind = schema.get("type")
    if kind == "array":
        return f"list of {type_text(schema.get('items', {}))}"
    if kind == "object" and isinstance(values := schema.get("additionalProperties"), dict):
        return f"{type_text(values)} by name"
    if kind == "integer":
        return f"integer{_bounds(schema)}"
    if isinstance(kind, list):
        return " or ".join(kind)
    return str(schema.get("format") or kind or "anything")


def _bounds(schema: dict[str, Any]) -> str:
    if "maximum" in schema:
        return f" from {schema.get('minimum', 0)} to {schema['maximum']:,}"
    return ""


def _example(response: dict[str, Any]) -> Any:
    return response.get("content", {}).get(_JSON, {}).get("example")


def readable_json(value: Any, indent: int = 0, width: int = 110) -> str:
    """Returns JSON on as few lines as have room for it."""
    flat = json.dumps(value, ensure_ascii=False)
    if len(flat) + indent <= width or not isinstance(value, dict | list):
        return flat
    if isinstance(value, dict):
        parts = [f"{json.dumps(name)}: {readable_json(each, indent + 1, width)}" for name, each in value.items()]
        opening, closing = "{}"
    else:
        parts = [readable_json(each, indent + 1, width) for each in value]
        opening, closing = "[]"
    lines = [parts[0]]
    for part in parts[1:]:
        last = lines[-1].rpartition("\n")[2]
        if "\n" in lines[-1] + part or indent + len(last) + len(part) + 3 > width:
            lines.append(part)
        else:
            lines[-1] += f", {part}"
    separator = ",\n" + " " * (indent + 1)
    return opening + separator.join(lines) + closing
