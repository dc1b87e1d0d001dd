"""Whole tables for analysts, as NDJSON, CSV or Parquet: streamed, never held.

A table is read in batches, each with one query; no connection or transaction is held while the client reads.
Rows that are stored while an export runs may or may not be in it; every row from before is in it once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Final, NamedTuple

from grapevine.errors import Invalid
from grapevine.exports.columns import ExportColumn
from grapevine.exports.formats import Csv, Encoder, Ndjson
from grapevine.exports.request import ExportRequest
from grapevine.exports.tables import TABLES

__all__ = ["FORMATS", "TABLES", "ExportRequest", "Format", "make_encoder", "stream"]


class Format(NamedTuple):
    """A format as HTTP names it, and how files in it end."""

    media_type: str
    suffix: str


FORMATS: Final = {
    "ndjson": Format("application/x-ndjson", "ndjson"),
    "csv": Format("text/csv; charset=utf-8; header=present", "csv"),
    "parquet": Format("application/vnd.apache.parquet", "parquet"),
}


def make_encoder(format_name: str, columns: Sequence[ExportColumn], *, bom: bool = True) -> Encoder:
    """Returns the encoder of a format; ``bom`` puts a byte order mark into CSV.

    Raises Invalid for an unknown format, and when a package is missing for it.
    """
    if format_name == "ndjson":
        return Ndjson(columns)
    if format_name == "csv":
        return Csv(columns, bom=bom)
    if format_name != "parquet":
        raise Invalid.of("format", f"must be one of {', '.join(FORMATS)}")
    try:
        from grapevine.exports.parquet import Parquet
    except ModuleNotFoundError as error:
        raise Invalid.of(
            "format",
            f"parquet needs the package {error.name} where Grapevine runs: pip install 'grapevine-share[parquet]'",
        ) from None
    return Parquet(columns)


async def stream(table: str, request: ExportRequest, encoder: Encoder) -> AsyncGenerator[bytes, None]:
    """Yields a table's file piece by piece. Raises StoreError, before the first piece or later."""
    lines = TABLES[table].lines(request)
    async with aclosing(lines):
        async for some in lines:
            piece = await encoder.add(some)
            if piece:
                yield piece
            await asyncio.sleep(0)  # a fast client must not starve other requests
    yield await encoder.end()
