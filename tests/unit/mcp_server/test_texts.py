"""What assistants are told, and what docs/mcp.md says to people, is what the tools are."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from grapevine.cli.parser import build_parser
from grapevine.mcp_server.results import MOST_BYTES
from grapevine.mcp_server.schemas import argument_schema
from grapevine.mcp_server.server import AT_ONCE, SECONDS
from grapevine.mcp_server.texts import INSTRUCTIONS, TOOL_TEXTS
from grapevine.mcp_server.tools import TOOLS
from grapevine.mcp_server.untrusted_text import MOST_CHARACTERS


@pytest.fixture(scope="module")
def page(project_root: Path) -> str:
    return (project_root / "docs/mcp.md").read_text("utf-8")


def test_each_tool_has_texts() -> None:
    assert TOOL_TEXTS.keys() == TOOLS.keys()
    for text in (INSTRUCTIONS, *(each.description for each in TOOL_TEXTS.values())):
        assert not re.search(r"[{}]", text.replace('{"untrusted": "..."}', "")), "a sentence was not put in"
        assert text.isascii()
        assert text[-1] in ".?"
    assert f"cut to {MOST_CHARACTERS} characters" in INSTRUCTIONS


@pytest.mark.parametrize("tool", TOOLS)
def test_every_argument_and_every_field_is_described(tool: str) -> None:
    schema = argument_schema(TOOLS[tool].arguments)
    assert schema["type"] == "object"
    for name, field in schema["properties"].items():
        assert field["description"], name
        assert {"type": "null"} not in field.get("anyOf", ()), f"{name} can be left out"
    fields = list(undescribed(TOOLS[tool].marker.schema))
    assert not fields


def undescribed(schema: dict[str, Any], path: str = "") -> Iterator[str]:
    """Yields the fields of structs without a description."""
    for name, below in schema.get("properties", {}).items():
        if "description" not in below and set(schema["properties"]) != {"name", "value"}:
            yield f"{path}.{name}"
        yield from undescribed(below, f"{path}.{name}")
    for below in (schema.get("items"), schema.get("additionalProperties"), *schema.get("anyOf", ())):
        if below:
            yield from undescribed(below, path)


def test_the_page_lists_the_tools(page: str) -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \| `(GET .+?)` \|$", page, re.MULTILINE)
    assert [(name, title) for name, title, _ in rows] == [(name, TOOL_TEXTS[name].title) for name in TOOLS]


def test_the_page_says_the_bounds(page: str) -> None:
    text = " ".join(page.split())
    assert f"{MOST_BYTES:,} bytes of an answer" in text
    assert f"{SECONDS:.0f} seconds for a call, four calls at the same time" in text
    assert AT_ONCE == 4


def test_the_settings_of_assistants_start_the_command(page: str) -> None:
    blocks = [json.loads(block) for block in re.findall(r"^```json\n(.*?)^```", page, re.MULTILINE | re.DOTALL)]
    assert len(blocks) == 2
    for block in blocks:
        (servers,) = block.values()
        assert servers["grapevine"]["command"].endswith("/grapevine")
        parsed = build_parser().parse_args(servers["grapevine"]["args"])
        assert parsed.server == "https://share.example.com"
        assert parsed.key_file.name == "grapevine-key"
