"""What serving and recording processes tell each other: MessagePack (msgpack.org), behind a length of four bytes."""

from __future__ import annotations

from asyncio import IncompleteReadError, StreamReader
from typing import Any, Final, Literal

import msgspec

from grapevine.domain.events import Event, Outcome
from grapevine.errors import Interrupted, StoreError

_LENGTH_BYTES: Final = 4
BUFFER: Final = 1 << 20
"""So many bytes are taken in before they are looked at."""


class _Message(msgspec.Struct, tag=True, array_like=True, gc=False):
    """Written as a list that begins with its name."""


class Record(_Message):
    """A batch. ``drops`` are (site, hour, reason, so many)."""

    number: int
    lane: int
    slot: int
    events: list[Event]
    drops: list[tuple[int, int, str, int]]


class Forget(_Message):
    """A machine that counts as a visitor of its day no more."""

    site_id: int
    day: int
    visitor: int


class Recorded(_Message):
    """The batch is durable; what became of each of its events."""

    number: int
    outcomes: list[Outcome]


class Failed(_Message):
    """The batch changed nothing."""

    number: int
    kind: Literal["interrupted", "in part", "store", "fault"]
    text: str

    @classmethod
    def by(cls, number: int, error: Exception) -> Failed:
        """What is told of an error."""
        if isinstance(error, Interrupted):
            return cls(number, "in part" if error.is_partial else "interrupted", str(error))
        return cls(number, "store" if isinstance(error, StoreError) else "fault", str(error) or repr(error))

    def error(self) -> Exception:
        """The error, as it may be raised here."""
        match self.kind:
            case "store":
                return StoreError(self.text)
            case "fault":
                return RuntimeError(f"in the recording process: {self.text}")
            case kind:
                return Interrupted(self.text, is_partial=kind == "in part")


Order = Record | Forget
Answer = Recorded | Failed

_encode: Final = msgspec.msgpack.Encoder().encode
read_order: Final = msgspec.msgpack.Decoder(Order).decode
read_answer: Final = msgspec.msgpack.Decoder(Answer).decode


def written(message: Any) -> bytes:
    """A message as it is sent."""
    content = _encode(message)
    return len(content).to_bytes(_LENGTH_BYTES, "big") + content


async def received(reader: StreamReader) -> bytes | None:
    """The next message without its length; None when the other side is gone."""
    try:
        length = int.from_bytes(await reader.readexactly(_LENGTH_BYTES), "big")
        return await reader.readexactly(length)
    except (IncompleteReadError, ConnectionError):
        return None
