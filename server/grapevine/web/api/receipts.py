"""``/v1/receipts``: the signed receipts of conversions. Scope ``read``."""

from __future__ import annotations

from typing import Final

from grapevine.api_schemas.receipts import ConversionPath, ConversionQuery
from grapevine.collect.conversion_input import once_of_id
from grapevine.domain import ids
from grapevine.errors import Conflict, NotFound
from grapevine.receipts.conversion_receipt import ConversionReceipt
from grapevine.receipts.ed25519 import SignaturesMissing
from grapevine.web.api.call import SiteCall
from grapevine.web.api.operation import Operation, ResponseSpec
from grapevine.web.receipt_issuer import issuer_of, signatures_missing


async def get_receipt(call: SiteCall, path: ConversionPath) -> ConversionReceipt:
    """The signed receipt of a conversion, and the revocations of earlier ones.

    A receipt is made when it is first asked for, and is the same one from then on until a refund or an erasure
    revokes it; then the next call makes another one. Only `sharers` say which of your minted links a pseudonym
    stands for: they are not in `document`, which is what you hand on. Needs the extra `signatures` where the server
    runs.
    """
    event_key = ids.key_number(path.conversion)
    if event_key is None:
        raise NotFound(f"{path.conversion[:40]!r} is no id of a conversion, which has 11 letters and digits.")
    return await _receipt(call, event_key)


async def find_receipt(call: SiteCall, query: ConversionQuery) -> ConversionReceipt:
    """The same by the goal and the id that the conversion was reported with."""
    once = once_of_id(query.goal.strip(), query.id.strip())
    return await _receipt(call, call.state.nonces.guard_key("conversion", call.site.site_id, once))


async def _receipt(call: SiteCall, event_key: int) -> ConversionReceipt:
    issuer = issuer_of(call.request, call.state.settings)
    try:
        return await call.state.receipts.receipt(call.site, event_key, issuer)
    except SignaturesMissing as error:
        raise signatures_missing(error) from None


_RESPONSES: Final = {200: ResponseSpec(ConversionReceipt, "The receipt, or why there is none.")}

OPERATIONS: Final = [
    Operation(
        method="GET",
        path="/v1/receipts",
        handler=find_receipt,
        tag="receipts",
        scope="read",
        query=ConversionQuery,
        responses=_RESPONSES,
        problems=(NotFound, Conflict),
    ),
    Operation(
        method="GET",
        path="/v1/receipts/{conversion}",
        handler=get_receipt,
        tag="receipts",
        scope="read",
        path_params=ConversionPath,
        responses=_RESPONSES,
        problems=(NotFound, Conflict),
    ),
]
