"""Compares each answer of a server with the description of its API: status, headers, media type, body."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any, Final, NamedTuple

import httpx
import jsonschema_rs
from starlette.routing import compile_path

from grapevine.web.openapi import headers
from grapevine.web.openapi.served import described, make_description

TRANSFER: Final = frozenset({"transfer-encoding", "connection", "keep-alive"})
"""Headers of HTTP/1.1 itself, which are about the connection and not about the answer."""
EVERYWHERE: Final = {name.lower() for name in headers.EVERYWHERE} | TRANSFER
JSON: Final = ("application/json", "application/problem+json")
NO_CALL: Final = {405, 500}
"""A method that a path does not take; an error of the server, which a test expects where it makes one."""


class Exchange(NamedTuple):
    """A request and its answer; header names in lower case."""

    method: str
    path: str
    sent: bytes
    status: int
    headers: Mapping[str, str]
    body: bytes | None

    @classmethod
    async def of(cls, answer: httpx.Response) -> Exchange:
        """Returns the exchange that ends with an answer. JSON alone is read: other bodies may have no end."""
        asked = answer.request
        is_json = _essence(answer.headers.get("content-type", "")) in JSON
        is_file = "/widget." in asked.url.path  # tests read these as they are on the wire
        body = await answer.aread() if is_json and not is_file else None
        names = {name.lower(): value for name, value in answer.headers.items()}
        return cls(asked.method, asked.url.path, asked.content, answer.status_code, names, body)


class DescribedApi:
    """The description of a server whose pages call it below ``prefix``."""

    def __init__(self, prefix: str) -> None:
        self._document = _strict(make_description("/", prefix).document)
        self._paths = [(each.method, compile_path(each.path)[0], each.name) for each in described(prefix)]
        self._calls = {call["operationId"]: call for path in self._document["paths"].values() for call in path.values()}
        self._validators: dict[str, Any] = {}

    def check(self, seen: Exchange) -> None:
        """Fails where the answer to a call of the API is not as described; other paths are none of its business."""
        method = "GET" if seen.method == "HEAD" else seen.method
        name = next((name for known, path, name in self._paths if known == method and path.match(seen.path)), None)
        if name is None or seen.status in NO_CALL:
            return
        call = self._calls[name]
        where = f"{seen.method} {seen.path} ({name}): {seen.status}"
        assert str(seen.status) in call["responses"], f"{where} is not described: {seen.body!r}"
        response = self._resolved(call["responses"][str(seen.status)])
        extra = seen.headers.keys() - EVERYWHERE - {each.lower() for each in response.get("headers", ())}
        assert not extra, f"{where} has headers that are not described: {sorted(extra)}"
        self._check_body(where, seen, response.get("content", {}))
        if 200 <= seen.status < 300 and "requestBody" in call:
            self._check_sent(where, name, seen, call["requestBody"]["content"])

    def _check_body(self, where: str, seen: Exchange, content: dict[str, Any]) -> None:
        if seen.body is None:
            return
        if not seen.body:
            assert not content or seen.method == "HEAD", f"{where} has no body"
            return
        content = {_essence(media_type): described for media_type, described in content.items()}
        media_type = _essence(seen.headers.get("content-type", ""))
        assert media_type in content, f"{where} is {media_type!r}, which is not described"
        if media_type in JSON:
            key = f"{where.split(': ')[0].split('(')[1]} {seen.status} {media_type}"
            self._validate(where, key, content[media_type]["schema"], seen.body)

    def _check_sent(self, where: str, name: str, seen: Exchange, content: dict[str, Any]) -> None:
        if "application/json" in content:
            schema = content["application/json"]["schema"]
            self._validate(f"{where}, the request", f"{name} request", schema, seen.sent)

    def _validate(self, where: str, key: str, schema: dict[str, Any], text: bytes) -> None:
        if key not in self._validators:
            whole = schema | {"components": self._document["components"]}
            self._validators[key] = jsonschema_rs.Draft202012Validator(whole)
        errors = [error.message for error in self._validators[key].iter_errors(json.loads(text))]
        assert not errors, f"{where} is not as described: {errors} in {text[:500]!r}"

    def _resolved(self, response: dict[str, Any]) -> dict[str, Any]:
        name = response.get("$ref", "").rpartition("/")[2]
        found: dict[str, Any] = self._document["components"]["responses"][name] if name else response
        return found


def _essence(media_type: str) -> str:
    """Returns a media type without its parameters."""
    return media_type.partition(";")[0]


def _strict(document: dict[str, Any]) -> dict[str, Any]:
    """Returns the document with schemas of answers that allow no field that is not described."""
    found: dict[str, Any] = json.loads(json.dumps(document))
    for name, schema in found["components"]["schemas"].items():
        if schema.get("type") == "object" and not name.endswith("Request"):
            schema.setdefault("additionalProperties", False)
    return found


@cache
def described_api(prefix: str = "") -> DescribedApi:
    """Returns the description for a prefix, made once."""
    return DescribedApi(prefix)
