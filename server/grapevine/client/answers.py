"""Answers that are more than one struct: a mixture of two, and streams."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Final

import msgspec

from grapevine.analytics.token_resolution import Resolution, Unresolved
from grapevine.api_schemas.tokens import ResolveResponse
from grapevine.client.call import answer
from grapevine.client.lines import LineReader

ExportRow = dict[str, str | int | float | bool | None]
"""A row of an export by the names of its columns (docs/exports.md)."""

_LINE_FEED: Final = re.compile(rb"\n")


def resolved(body: bytes) -> list[Resolution | Unresolved]:
    """Reads the results of tokens. Raises ValueError."""
    return [_one_resolved(raw) for raw in answer(ResolveResponse)(body).results]


def _one_resolved(raw: msgspec.Raw) -> Resolution | Unresolved:
    # Two structs without a tag: only that of an error has an ``error``.
    try:
        return answer(Unresolved)(bytes(raw))
    except msgspec.ValidationError:
        return answer(Resolution)(bytes(raw))


async def rows(pieces: AsyncIterator[bytes]) -> AsyncIterator[ExportRow]:
    """Yields the rows of NDJSON. Raises ValueError for what is none, EOFError where the last line is cut off."""
    read, lines = answer(ExportRow), LineReader(_LINE_FEED)
    async for piece in pieces:
        for line in lines.read(piece):
            yield read(line)
    if lines.has_rest:
        raise EOFError


async def unchanged(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yields the pieces of a file."""
    async for piece in pieces:
        yield piece
