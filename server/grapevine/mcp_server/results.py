"""The result of a tool: the answer of the API with its marks, cut where it would be too long to read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from grapevine.mcp_server.marking import Marker
from grapevine.mcp_server.read_only import AnswerTooLarge

MOST_BYTES: Final = 48_000
"""Of an answer as JSON, some 15,000 of an assistant's tokens. A result holds it twice: as an object and as text."""

_LEFT_OUT: Final = {
    "type": "object",
    "description": "How many rows of which list did not fit. Ask for fewer rows or a shorter period.",
    "additionalProperties": {"type": "integer"},
}


def result_schema(marker: Marker) -> dict[str, Any]:
    """Returns the JSON Schema of the results of a tool."""
    return {
        "type": "object",
        "properties": {"answer": marker.schema, "left_out": _LEFT_OUT},
        "required": ["answer"],
        "$defs": marker.definitions,
    }


def bounded_result(answer: Any) -> dict[str, Any]:
    """Returns ``{"answer", "left_out"?}``: while the answer is too long, its longest list loses its second half.

    Raises AnswerTooLarge where it has none.
    """
    result: dict[str, Any] = {"answer": answer}
    left_out: dict[str, int] = {}
    while len(msgspec.json.encode(answer)) > MOST_BYTES:
        name, longest = max(
            _lists(result), key=lambda found: len(msgspec.json.encode(found[1])), default=("answer", [])
        )
        if not longest:  # all of it is one long object, as no server of ours sends it
            raise AnswerTooLarge("The server's answer is too long to be passed on.")
        kept = len(longest) // 2
        left_out[name] = left_out.get(name, 0) + len(longest) - kept
        del longest[kept:]
    return result | {"left_out": left_out} if left_out else result


def _lists(value: dict[str, Any], path: str = "") -> Iterator[tuple[str, list[Any]]]:
    """Yields the lists of an object by their path, without those inside of other lists."""
    for name, below in value.items():
        if isinstance(below, dict):
            yield from _lists(below, f"{path}{name}.")
        elif isinstance(below, list):
            yield f"{path}{name}", below
