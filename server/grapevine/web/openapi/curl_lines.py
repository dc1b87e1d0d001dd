"""The lines that make a call from a shell, with the examples of the description."""

from __future__ import annotations

import json
import shlex
from typing import Any, Final, NamedTuple
from urllib.parse import quote, urlencode

from grapevine.web.openapi.calls import FROM_PAGE, KEY

_JSON: Final = "application/json"
_FORM: Final = "application/x-www-form-urlencoded"
_EVENT_STREAM: Final = "text/event-stream"


class CurlLine(NamedTuple):
    """A line that makes a call; ``text`` says in which of its ways, where it has several."""

    text: str
    line: str


def curl_lines(server: str, path: str, method: str, call: dict[str, Any]) -> list[CurlLine]:
    """Returns a line for each example of the request."""
    contents = call.get("requestBody", {}).get("content", {})
    several = contents.get(_JSON, {}).get("examples", {})
    if not several:
        return [CurlLine("", _line(server, path, method, call, _body(contents)))]
    return [
        CurlLine(each["summary"], _line(server, path, method, call, _json(each["value"]), has_key=name != FROM_PAGE))
        for name, each in several.items()
    ]


def _line(server: str, path: str, method: str, call: dict[str, Any], body: list[str], *, has_key: bool = False) -> str:
    words = ["curl"]
    query = {}
    for param in call["parameters"]:
        if param.get("in") == "path":
            path = path.replace(f"{{{param['name']}}}", quote(_shown(param), safe=""))
        elif param.get("in") == "query" and (param.get("required") or (method == "DELETE" and "example" in param)):
            query[param["name"]] = _shown(param)
    if _EVENT_STREAM in call["responses"].get("200", {}).get("content", {}):
        words.append("-N")  # curl would keep back what has come until its buffer is full
    if method not in ("GET", "POST") or (method == "POST" and not body):
        words += ["-X", method]
    if not has_key and any(param.get("name") == "Origin" for param in call["parameters"]):
        words.append("-H 'Origin: https://www.example.com'")
    elif {KEY: []} in call["security"]:
        words.append('-H "Authorization: Bearer $GRAPEVINE_KEY"')
    url = server.rstrip("/") + path + (f"?{urlencode(query, safe=':/')}" if query else "")
    return " ".join([*words, *body, shlex.quote(url)])


def _body(contents: dict[str, Any]) -> list[str]:
    """Returns the words for the body: as JSON where the call takes it, else as a form."""
    if _JSON in contents:
        return _json(contents[_JSON].get("example", {}))
    if _FORM in contents:
        fields = contents[_FORM].get("example", {})
        return [f"--data-urlencode {shlex.quote(f'{name}={value}')}" for name, value in fields.items()]
    return [
        word
        for media_type, content in contents.items()
        for word in (f"-H 'Content-Type: {media_type}'", f"--data-raw {shlex.quote(content['example'])}")
    ]


def _json(value: Any) -> list[str]:
    return [f"--json {shlex.quote(json.dumps(value, ensure_ascii=False))}"]


def _shown(param: dict[str, Any]) -> str:
    return str(param.get("example") or param["schema"].get("enum", ["x"])[0])
