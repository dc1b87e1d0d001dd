"""Parquet, column by column in typed values; needs the package pyarrow (``pip install 'grapevine-share[parquet]'``)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from grapevine.exports.columns import ExportColumn, Line

ROW_GROUP: Final = 16_384
"""Rows that are collected before they are written as one row group."""

_TYPES: Final[dict[str, Any]] = {
    "text": pa.string(), "whole": pa.int64(), "number": pa.float64(), "yes": pa.bool_(),
    "time": pa.timestamp("ms", tz="UTC"), "money": pa.decimal128(19, 6),
}  # fmt: skip
_MILLIONTH: Final = -6

pa.set_memory_pool(pa.system_memory_pool())  # the usual pool keeps what it has freed


class Parquet:
    """A Parquet file of row groups of a bounded size, compressed with Zstandard; each is written in a thread."""

    def __init__(self, columns: Sequence[ExportColumn], row_group: int = ROW_GROUP) -> None:
        self._kinds = [column.kind for column in columns]
        self._schema = pa.schema([(column.name, _TYPES[column.kind]) for column in columns])
        self._row_group = row_group
        self._held: list[Any] = []
        self._rows = 0
        self._sink = _Sink()
        self._writer = pq.ParquetWriter(self._sink, self._schema, compression="zstd")

    async def add(self, lines: Sequence[Line]) -> bytes:
        arrays = [
            pa.array(_exact(values) if kind == "money" else values, type=field.type)
            for kind, values, field in zip(self._kinds, zip(*lines, strict=True), self._schema, strict=True)
        ]
        self._held.append(pa.record_batch(arrays, schema=self._schema))
        self._rows += len(lines)
        return await self._written() if self._rows >= self._row_group else b""

    async def end(self) -> bytes:
        piece = await self._written() if self._held else b""
        await asyncio.to_thread(self._writer.close)
        return piece + self._sink.drain()

    async def _written(self) -> bytes:
        table = pa.Table.from_batches(self._held, self._schema)
        self._held, self._rows = [], 0
        await asyncio.to_thread(self._writer.write_table, table, len(table))
        return self._sink.drain()


class _Sink:
    """A write-only file whose bytes are handed on piece by piece; pyarrow keeps the position itself."""

    closed = False

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, piece: Any) -> int:
        """Keeps a copy: the buffer is pyarrow's."""
        self._pieces.append(bytes(piece))
        return len(self._pieces[-1])

    def drain(self) -> bytes:
        """Returns the bytes written since the last call."""
        piece = b"".join(self._pieces)
        self._pieces.clear()
        return piece

    def flush(self) -> None:
        """Does nothing: everything is in memory."""

    def close(self) -> None:
        """Does nothing: the rest is drained later."""


def _exact(values: Sequence[Any]) -> list[Decimal | None]:
    return [None if value is None else Decimal(value).scaleb(_MILLIONTH) for value in values]
