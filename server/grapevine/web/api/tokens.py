"""``/v1/tokens``: the token-resolution API. Scope ``read``."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from grapevine.analytics.token_resolution import resolve_many_tokens, resolve_token
from grapevine.domain.json_input import decode
from grapevine.domain.token_urls import leading_token
from grapevine.domain.tokens import BadSignature, NotAToken
from grapevine.errors import BadSignatureProblem, NotATokenProblem
from grapevine.web.api.auth import authorized
from grapevine.web.api.query_params import QueryParams
from grapevine.web.request_body import read_body
from grapevine.web.responses import json_response
from grapevine.web.state import app_state

MOST_TOKENS: Final = 1_000
MAX_BODY: Final = 65_536
_AT_ONCE: Final = 100
"""Tokens of a call whose results are in memory as objects: of chains of 200 visits these are three times their JSON."""


class ResolveRequest(msgspec.Struct, forbid_unknown_fields=True):
    """The body of ``POST /v1/tokens/resolve``."""

    tokens: Annotated[list[str], msgspec.Meta(max_length=MOST_TOKENS)]


async def get_token(request: Request) -> Response:
    """``GET /v1/tokens/{token}``. Returns the share, the chain that led to it, and what grew from it."""
    site = await authorized(request)
    QueryParams(request)
    try:
        found = await resolve_token(app_state(request).store.reads, site, leading_token(request.path_params["token"]))
    except NotAToken as error:
        raise NotATokenProblem(f"Not a token: {error}.") from None
    except BadSignature as error:
        raise BadSignatureProblem(f"Not a share of this site: {error}.") from None
    return json_response(found)


async def resolve_tokens(request: Request) -> Response:
    """``POST /v1/tokens/resolve``. Returns a result or an error for each token, in their order."""
    site = await authorized(request)
    QueryParams(request)
    body = decode(await read_body(request, MAX_BODY), ResolveRequest)
    reads, results = app_state(request).store.reads, list[msgspec.Raw]()
    for start in range(0, len(body.tokens), _AT_ONCE):
        found = await resolve_many_tokens(reads, site, body.tokens[start : start + _AT_ONCE])
        results += [msgspec.Raw(msgspec.json.encode(each)) for each in found]
    return json_response({"results": results})
