"""``/v1/tokens``: the token-resolution API. Scope ``read``."""

from __future__ import annotations

from typing import Final

import msgspec

from grapevine.analytics.token_resolution import Resolution, resolve_many_tokens, resolve_token
from grapevine.api_schemas.tokens import ResolveRequest, ResolveResponse, TokenPath
from grapevine.domain.token_urls import leading_token
from grapevine.domain.tokens import BadSignature, NotAToken
from grapevine.errors import BadSignatureProblem, NotATokenProblem, UnknownVisit
from grapevine.web.api.call import SiteCall
from grapevine.web.api.operation import Operation, RequestBody, ResponseSpec

MAX_BODY: Final = 65_536
_AT_ONCE: Final = 100
"""Tokens of a call whose results are in memory as objects: of chains of 200 visits these are three times their JSON."""


async def get_token(call: SiteCall, path: TokenPath) -> Resolution:
    """The share that a token names, the chain that led to it, and what grew from it."""
    try:
        return await resolve_token(call.reads, call.site, leading_token(path.token))
    except NotAToken as error:
        raise NotATokenProblem(f"Not a token: {error}.") from None
    except BadSignature as error:
        raise BadSignatureProblem(f"Not a share of this site: {error}.") from None


async def resolve_tokens(call: SiteCall, body: ResolveRequest) -> ResolveResponse:
    """Resolves up to 1,000 tokens at once.

    A token that names no share gets an `error` in its place; the others are resolved all the same.
    """
    results = list[msgspec.Raw]()
    for start in range(0, len(body.tokens), _AT_ONCE):
        found = await resolve_many_tokens(call.reads, call.site, body.tokens[start : start + _AT_ONCE])
        results += [msgspec.Raw(msgspec.json.encode(each)) for each in found]
    return ResolveResponse(results=results)


OPERATIONS: Final = [
    Operation(
        method="POST",
        path="/v1/tokens/resolve",
        handler=resolve_tokens,
        tag="tokens",
        scope="read",
        body=RequestBody(ResolveRequest, MAX_BODY),
        responses={200: ResponseSpec(ResolveResponse, "A result for each token, in the order asked.")},
    ),
    Operation(
        method="GET",
        path="/v1/tokens/{token}",
        handler=get_token,
        tag="tokens",
        scope="read",
        path_params=TokenPath,
        responses={200: ResponseSpec(Resolution, "The share, its chain and its reach.")},
        problems=(NotATokenProblem, BadSignatureProblem, UnknownVisit),
    ),
]
