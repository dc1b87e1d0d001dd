"""Reports with an API key, of conversions and answers: once for each ``Idempotency-Key``, although they are stored in a
batch of many, and their answer is kept after it."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import TypeVar

import msgspec
from starlette.responses import Response

from grapevine.collect.schemas import EMPTY, KeyedAnswerRequest, KeyedConversionRequest
from grapevine.web.api.call import SiteCall
from grapevine.web.api.once import find_answer, identity_of, keep_afterwards

_R = TypeVar("_R", KeyedAnswerRequest, KeyedConversionRequest)


async def reported_once(call: SiteCall, body: _R, store: Callable[[SiteCall, _R], Awaitable[Response]]) -> Response:
    """Stores a report with ``store``, or returns the answer that the same request with this header had.

    Should the process end between the report and its answer, a repeat is stored again, and recognised by the nonce,
    which is that of the request where the body has none.
    """
    identity = identity_of(call, body)
    if identity is None:
        return await store(call, body)
    if (found := await find_answer(call, identity)) is not None:
        return found
    nonce = body.nonce or hashlib.sha256(f"{call.key.key_id} {identity.digest}".encode()).hexdigest()
    answer = await store(call, msgspec.structs.replace(body, nonce=nonce))
    if answer.status_code == HTTPStatus.OK:
        return await keep_afterwards(call, identity, call.site.site_id, EMPTY) or answer
    return answer
