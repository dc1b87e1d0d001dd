"""Bodies of requests, refused before they are read whole when they are too large."""

from __future__ import annotations

from starlette.requests import ClientDisconnect, Request

from grapevine.errors import Malformed, TooLarge


async def read_body(request: Request, most: int, types: frozenset[str] | None = None) -> bytes:
    """The body, of at most ``most`` bytes and one of the media ``types``: '' stands for none given, None for any.

    Raises TooLarge, or Malformed for another media type and for a connection that ends too soon.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if types is not None and kind not in types:
        raise Malformed(f"The body is {kind[:60]!r}; send JSON as {' or '.join(sorted(types - {''}))}.")
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > most:
                raise TooLarge(f"The body has more than {most} bytes.")
    except ClientDisconnect:
        raise Malformed("The connection ended before the body did.") from None
    return bytes(body)
