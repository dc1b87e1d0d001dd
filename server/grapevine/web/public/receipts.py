"""``/v1/receipt-keys`` and ``/v1/receipt-status``: what somebody who holds a receipt asks, without a key.

Pages of every origin may read the answers."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from grapevine.api_schemas.receipts import ReceiptPath, SiteQuery
from grapevine.errors import Busy, Conflict, Invalid, NotFound, Problem, RateLimited, StoreError, UnknownSite
from grapevine.receipts.document import PublicKeys, ReceiptState
from grapevine.receipts.ed25519 import SignaturesMissing, jwk
from grapevine.receipts.issuing import is_receipt_id
from grapevine.sites.cache import Site
from grapevine.web.api.operation import Operation, ResponseSpec
from grapevine.web.api.query import read_known
from grapevine.web.problems import problem_response, store_problem
from grapevine.web.public.collect import CORS
from grapevine.web.rate_limits import limited
from grapevine.web.receipt_issuer import issuer_of, signatures_missing
from grapevine.web.responses import NO_STORE, json_response
from grapevine.web.state import AppState, app_state

_CACHEABLE: Final = CORS | {"Cache-Control": "public, max-age=60"}
_NOT_CACHEABLE: Final = CORS | NO_STORE


async def receipt_keys(request: Request) -> Response:
    """The public keys that a site's receipts are or were signed with.

    A JSON Web Key Set (RFC 7517) of Ed25519 keys (RFC 8037), the newest first. A key stays here when the secret key
    that it came from is gone. Before the first receipt there is none.
    """
    state = app_state(request)
    try:
        site = await _site(state, request)
        rows = await state.store.receipts.keys(site.site_id)
    except (Problem, StoreError) as error:
        return _refusal(error)
    response = json_response(PublicKeys(keys=[jwk(row.kid, row.public_key) for row in rows]), 200)
    response.headers.update(_CACHEABLE)
    return response


async def receipt_status(request: Request) -> Response:
    """Whether a receipt is good, with its signed revocation where it is not.

    The id of a receipt is random, so only who holds the receipt can ask. Receipts are not known any more when the visit
    of their conversion is past retention.
    """
    state = app_state(request)
    try:
        site = await _site(state, request)
        found = await _state_of(state, request, site)
    except (Problem, StoreError) as error:
        return _refusal(error)
    response = json_response(found, 200)
    response.headers.update(_NOT_CACHEABLE)
    return response


async def _state_of(state: AppState, request: Request, site: Site) -> ReceiptState:
    receipt_id = request.path_params["receipt"]
    if not is_receipt_id(receipt_id):
        raise NotFound("The id of a receipt has 32 hexadecimal digits, as the receipt says it.")
    try:
        signed = await state.receipts.revocation(site, receipt_id, issuer_of(request, state.settings))
    except SignaturesMissing as error:
        raise signatures_missing(error) from None
    document, says = (None, None) if signed is None else signed
    return ReceiptState(
        receipt=receipt_id, state="valid" if says is None else "revoked", revocation=document, says=says
    )


async def _site(state: AppState, request: Request) -> Site:
    key = read_known(request.query_params, SiteQuery).site
    site = await state.sites.by_key(key)
    if site is None:
        raise UnknownSite(f"No site of this server has the key {key[:40]!r}.")
    return site


def _refusal(error: Problem | StoreError) -> Response:
    refusal = problem_response(store_problem(error) if isinstance(error, StoreError) else error)
    refusal.headers.update(_NOT_CACHEABLE)
    return refusal


OPERATIONS: Final = [
    Operation(
        method="GET",
        path="/v1/receipt-keys",
        handler=limited(receipt_keys),
        tag="receipts",
        scope=None,
        is_cors=True,
        query=SiteQuery,
        responses={200: ResponseSpec(PublicKeys, "The keys.", headers=("Access-Control-Expose-Headers",))},
        problems=(UnknownSite, Invalid, RateLimited, Busy),
    ),
    Operation(
        method="GET",
        path="/v1/receipt-status/{receipt}",
        handler=limited(receipt_status),
        tag="receipts",
        scope=None,
        is_cors=True,
        query=SiteQuery,
        path_params=ReceiptPath,
        responses={200: ResponseSpec(ReceiptState, "Its state.", headers=("Access-Control-Expose-Headers",))},
        problems=(UnknownSite, NotFound, Conflict, Invalid, RateLimited, Busy),
    ),
]
