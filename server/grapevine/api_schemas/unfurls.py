"""Requests and responses of ``/v1/unfurls``."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from grapevine.api_schemas.tokens import Token

MOST_UNFURLS: Final = 1_000

_Error = Annotated[
    str, msgspec.Meta(extra_json_schema={"enum": ["not-a-token", "bad-signature", "unknown-visit", "invalid"]})
]


class UnfurlReport(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A request of your own web server for a page whose address carries a share token."""

    token: Token
    """The token in the page's address; what stands behind it is ignored."""
    agent: Annotated[str, msgspec.Meta(examples=["Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)"])]
    """The `User-Agent` header of the request, as it came. 512 characters are read; nothing of it is stored."""
    at: str | None = None
    """When the request came (RFC 3339); without it, now."""


class UnfurlReports(msgspec.Struct, forbid_unknown_fields=True):
    """The body of ``POST /v1/unfurls``."""

    unfurls: Annotated[list[UnfurlReport], msgspec.Meta(max_length=MOST_UNFURLS)]
    """The requests, in any number up to 1,000."""


class UnfurlResult(msgspec.Struct, frozen=True):
    """What became of one reported request: either `app` or `error` is null."""

    token: str
    """The token, as it was sent."""
    app: str | None
    """The app whose preview robot it was, or the assistant that fetched the page for somebody; null if refused."""
    assistant: bool
    """Whether it was an assistant."""
    error: _Error | None = None
    """Why nothing is recorded: the token is none (`not-a-token`), not one of this site (`bad-signature`) or of no visit
    that is here (`unknown-visit`), or `agent` or `at` is wrong (`invalid`)."""
    detail: str | None = None
    """The same in words."""


class UnfurlResults(msgspec.Struct, frozen=True):
    """The response to ``POST /v1/unfurls``."""

    results: list[UnfurlResult]
    """What became of each request, in the order sent."""
