"""The headers that requests and responses of the API may have, each described once."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from grapevine.domain.enums import DROP_REASONS


class HeaderSpec(NamedTuple):
    """A header: its description, its schema, and an example."""

    description: str
    schema: dict[str, Any]
    example: Any


_TEXT: Final = {"type": "string"}

RESPONSE: Final = {
    "Access-Control-Allow-Origin": HeaderSpec("Pages of every origin may read the response.", _TEXT, "*"),
    "Access-Control-Expose-Headers": HeaderSpec(
        "Other headers that scripts of these pages may read.", _TEXT, "Grapevine-Dropped, Retry-After"
    ),
    "Content-Disposition": HeaderSpec(
        "The name of the file.", _TEXT, 'attachment; filename="grapevine-k7Rz0XaVn2fQ-visits.ndjson"'
    ),
    "Content-Encoding": HeaderSpec("How the file is compressed.", _TEXT, "br"),
    "Content-Language": HeaderSpec("The language of the page.", _TEXT, "en"),
    "ETag": HeaderSpec("Names this version of the response, for `If-None-Match`.", _TEXT, '"1f0a9c34d2e85b67"'),
    "Grapevine-Dropped": HeaderSpec(
        "The reason why nothing was stored; `duplicate` where the same event is stored already.",
        {"type": "string", "enum": [*DROP_REASONS]},
        "duplicate",
    ),
    "Link": HeaderSpec(
        "The next page of the list (RFC 8288); it is not there after the last.", _TEXT, '<?cursor=WyJ2…>; rel="next"'
    ),
    "Location": HeaderSpec("The address to go to.", _TEXT, "https://www.example.com/bread#gv-86Yqi1yJE1R97caFSkEt8V0"),
    "Retry-After": HeaderSpec("After how many seconds to ask again.", {"type": "integer", "minimum": 1}, 12),
    "Vary": HeaderSpec("The request headers that the response depends on.", _TEXT, "Accept-Encoding"),
    "X-Accel-Buffering": HeaderSpec("Asks nginx not to keep the stream back.", _TEXT, "no"),
    "WWW-Authenticate": HeaderSpec("The scheme by which a key is sent.", _TEXT, "Bearer"),
}

EVERYWHERE: Final = {
    "Cache-Control": "what caches may keep",
    "Content-Length": "the size of the body",
    "Content-Security-Policy": "what a response may load and run when it is opened as a page",
    "Content-Type": "the media type",
    "Cross-Origin-Opener-Policy": "of pages",
    "Cross-Origin-Resource-Policy": "of files and pages",
    "Referrer-Policy": "of pages and redirects",
    "Strict-Transport-Security": "where the setting `GRAPEVINE_HSTS` says so",
    "X-Content-Type-Options": "`nosniff`",
    "X-Robots-Tag": "of pages and redirects",
}
"""Headers that any response may have, which the description names once."""

REQUEST: Final = {
    "Accept": HeaderSpec("The media types that the client can read.", _TEXT, "text/plain"),
    "Accept-Encoding": HeaderSpec("The compressions that the client can undo.", _TEXT, "br, gzip"),
    "Accept-Language": HeaderSpec("The languages that the reader understands.", _TEXT, "nl, en;q=0.8"),
    "DNT": HeaderSpec("`1` asks not to be followed; the visit then counts without a token.", _TEXT, "1"),
    "Idempotency-Key": HeaderSpec(
        "A word of your own choice, such as a UUID: within 24 hours the same request with it is carried out once, and "
        "gets the same answer. 1 to 255 printable ASCII characters.",
        {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]([ -~]*[!-~])?$"},
        "8e03978e-40d5-43dd-bc93-6894a57f9324",
    ),
    "If-None-Match": HeaderSpec(
        "The `ETag` of the response that the client has: 304 where it is still good.", _TEXT, '"1f0a9c34d2e85b67"'
    ),
    "Last-Event-ID": HeaderSpec(
        "The last `id` that the client got: the stream goes on after it.", _TEXT, "k88AAAGd1ctM"
    ),
    "Origin": HeaderSpec(
        "The origin of the page, which browsers send. It must be one of the site's.", _TEXT, "https://www.example.com"
    ),
    "Sec-GPC": HeaderSpec("`1` asks not to be followed, as `DNT` does.", _TEXT, "1"),
}
