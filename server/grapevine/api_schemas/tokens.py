"""Requests and responses of ``/v1/tokens``."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from grapevine.analytics.token_resolution import Resolution, Unresolved

MOST_TOKENS: Final = 1_000

Token = Annotated[str, msgspec.Meta(examples=["86Yqi1yJE1R97caFSkEt8V0"])]


class TokenPath(msgspec.Struct, frozen=True):
    """The path of a call about one token."""

    token: Token
    """A share token; punctuation after it is ignored."""


class WordPath(msgspec.Struct, frozen=True):
    """The path of a minted link that can be said."""

    word: Annotated[str, msgspec.Meta(examples=["summer"])]
    """Its word, in any spelling."""


class ResolveRequest(msgspec.Struct, forbid_unknown_fields=True):
    """The body of ``POST /v1/tokens/resolve``."""

    tokens: Annotated[list[str], msgspec.Meta(max_length=MOST_TOKENS)]
    """The tokens to resolve, in any number up to 1,000."""


class ResolveResponse(msgspec.Struct, frozen=True):
    """The response to ``POST /v1/tokens/resolve``."""

    results: Annotated[list[msgspec.Raw], msgspec.Meta(extra={"items": (Resolution, Unresolved)})]
    """For each token, in the order asked: its resolution, or the token and an error."""
