"""Reads request bodies up to a limit; a larger body is refused before all of it has been read."""

from __future__ import annotations

from starlette.requests import ClientDisconnect, Request

from grapevine.errors import CutOff, Malformed, TooLarge


def check_type(content_type: str, types: frozenset[str], wanted: str = "") -> None:
    """Raises Malformed unless the media type is one of ``types``; the empty string there allows a missing header.

    ``wanted`` says what to send where that is no JSON.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind not in types:
        wanted = wanted or f"JSON as {' or '.join(sorted(types - {''}))}"
        raise Malformed(f"The body is {kind[:60]!r}; send {wanted}.")


async def read_body(request: Request, most: int) -> bytes:
    """Returns the body of at most ``most`` bytes. Raises TooLarge; raises CutOff when the connection ends early."""
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > most:
                raise TooLarge(f"It has more than {most:,} bytes.")
    except ClientDisconnect:
        raise CutOff("The connection ended before the body did.") from None
    return bytes(body)
