"""The generated parts of docs/api.md, made from the description of the API (``/openapi.json``);
`python -m tests.support.api_reference` writes them into it.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any, Final

from grapevine.web.openapi.outline import CallOutline, FieldOutline, groups, things
from grapevine.web.openapi.served import EXAMPLE_SERVER, make_description

PAGE: Final = Path(__file__).resolve().parents[2] / "docs/api.md"
BY: Final = "written by python -m tests.support.api_reference"
OF_EACH_REQUEST: Final = {"malformed", "url-too-long", "head-too-large", "server-error"}
OF_EACH_KEY: Final = {"unauthorized", "forbidden", "unknown-site", "invalid", "rate-limited", "busy", "too-large"}
"""What the text above the generated part says of every call, and of every one with a key."""


@cache
def document() -> dict[str, Any]:
    """Returns the description of a server with the usual settings."""
    return make_description("/", "").document


def parts() -> dict[str, str]:
    """Returns the generated parts by name."""
    return {"calls": _overview(), "reference": _reference()}


def part_in_page(name: str, text: str) -> str:
    """Returns a part as it stands in the page."""
    return text.partition(_begin(name))[2].partition(_end(name))[0]


def _begin(name: str) -> str:
    return f"<!-- {name}: {BY} -->\n"


def _end(name: str) -> str:
    return f"<!-- /{name} -->\n"


def _overview() -> str:
    rows = [
        f"| [`{call.method} {call.path}`](#{_anchor(call)}) | {_scope(call)} | {call.summary} |"
        for group in groups(document(), EXAMPLE_SERVER)
        for call in group.calls
    ]
    return "\n".join(["| call | scope | what it is |", "|---|---|---|", *rows]) + "\n"


def _reference() -> str:
    lines: list[str] = []
    for group in groups(document(), EXAMPLE_SERVER):
        lines += [f"### Calls: {group.name}", "", group.text, ""]
        for call in group.calls:
            lines += _call(call)
    lines += ["### Objects", ""]
    for thing in things(document()):
        lines += [f"#### {thing.name}", "", thing.text, "", *_table("field", thing.rows)]
    return "\n".join(lines)


def _call(call: CallOutline) -> list[str]:
    lines = [f"#### `{call.method} {call.path}`", "", call.summary, ""]
    for paragraph in filter(None, call.text.split("\n\n")):
        lines += [paragraph, ""]
    lines += _table("parameter", call.params)
    if call.body:
        lines += [f"Body: {call.body}", ""]
    for reply in call.replies:
        if reply.type or reply.status < "400":
            kind = f" {reply.type}." if reply.type else ""
            headers = f" Headers: {', '.join(f'`{name}`' for name in reply.headers)}." if reply.headers else ""
            lines += [f"- {reply.status}:{kind} {reply.text.partition(' `rate')[0]}{headers}"]
    if refusals := _refusals(call):
        lines += [f"- Refusals: {refusals}."]
    curls = [line for curl in call.curls for line in ((f"# {curl.text}",) if curl.text else ()) + (curl.line,)]
    lines += ["", "```sh", *curls, "```", ""]
    if call.example:
        lines += ["```json", call.example, "```", ""]
    return lines


def _refusals(call: CallOutline) -> str:
    usual = OF_EACH_REQUEST | (OF_EACH_KEY if _scope(call) else set())
    return ", ".join(
        f"{reply.status} `{code}`"
        for reply in call.replies
        if reply.status >= "400"
        for code in re.findall(r"`([\w-]+)`:", reply.text)
        if code not in usual
    )


def _table(what: str, rows: list[FieldOutline]) -> list[str]:
    if not rows:
        return []
    lines = [f"| {what} | type | |", "|---|---|---|"]
    for row in rows:
        place = f" ({row.place})" if row.place not in ("", "query") else ""
        needed = "needed; " if row.is_required and row.place == "query" else ""
        lines.append(f"| `{row.name}`{place} | {_cell(row.type)} | {needed}{_cell(row.text)} |")
    return [*lines, ""]


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _scope(call: CallOutline) -> str:
    found = re.search(r"Needs a key of scope `(\w+)`", call.text)
    return found[1] if found else ""


def _anchor(call: CallOutline) -> str:
    """Returns the fragment of a call's heading, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", f"{call.method} {call.path}".lower()).replace(" ", "-")


def main() -> None:
    """Writes the generated parts into the page."""
    text = PAGE.read_text("utf-8")
    for name, part in parts().items():
        text = text.replace(_begin(name) + part_in_page(name, text) + _end(name), _begin(name) + part + _end(name))
    PAGE.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
