"""What assistants are told, from ``texts.toml``: paragraphs without the ends of lines that only the file needs."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import Final, NamedTuple

_WRITTEN: Final = tomllib.loads(files("grapevine.mcp_server").joinpath("texts.toml").read_text("utf-8"))


class ToolText(NamedTuple):
    """The name of a tool on a screen, and its description."""

    title: str
    description: str


def _unfolded(text: str) -> str:
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.split("\n\n"))


def _tool(written: dict[str, str]) -> ToolText:
    text = _unfolded(written["description"])
    for name in ("period", "filters"):
        text = text.replace(f"{{{name}}}", _WRITTEN[name])
    return ToolText(title=written["title"], description=text)


INSTRUCTIONS: Final = _unfolded(_WRITTEN["instructions"])
TOOL_TEXTS: Final = {name: _tool(written) for name, written in _WRITTEN["tools"].items()}
"""By the name of the tool."""
