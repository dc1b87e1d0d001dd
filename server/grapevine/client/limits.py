"""The bounds on what a server may send to the client, all of them (docs/security.md).

The server may be any: an address is easily mistyped, and what stands in front of a server answers, too.
"""

from __future__ import annotations

from typing import Final

MOST_BODY: Final = 64 << 20
"""Unpacked bytes of an answer that is not streamed; the largest, a cascade of 50,000 visits, is some 10 MiB."""

MOST_PIECE: Final = 64 << 10
"""Bytes that are unpacked before they are looked at: 64 KiB, which may come in at once, unpack to 64 MiB."""

LONGEST_LINE: Final = 1 << 20
"""Bytes of a line of an export or of the live feed; the server's have some kilobytes."""

LONGEST_EVENT: Final = 1 << 20
"""Bytes of an event of the live feed, of all its lines: an event ends with an empty line, which may never come."""
