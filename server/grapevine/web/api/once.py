"""``Idempotency-Key``: a request that makes something is carried out once, and a repeat gets the same answer.

The answer is stored in the transaction of what was made, so that there is neither without the other: whatever moment a
process is killed in, a repeat finds both or makes both. It follows the IETF's draft "The Idempotency-Key HTTP Header
Field" (draft-ietf-httpapi-idempotency-key-header), but a concurrent repeat waits and gets the answer.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final, NamedTuple

import msgspec
from starlette.responses import Response

from grapevine.domain.redaction import redacted_repr
from grapevine.errors import Busy, Conflict, Invalid
from grapevine.keyring.encryption import SealError, is_sealed
from grapevine.store.repositories.kept_answers import AlreadyAnswered
from grapevine.store.rows import KeptAnswer
from grapevine.web.api.call import KeyCall
from grapevine.web.responses import JSON, NO_STORE, json_response

HEADER: Final = "Idempotency-Key"
MOST_CHARACTERS: Final = 255
MOST_KEPT: Final = 10_000
"""Answers that are kept for one API key at a time: with a few hundred bytes each some megabytes."""

_USABLE: Final = re.compile(rf"[!-~](?:[ -~]{{0,{MOST_CHARACTERS - 2}}}[!-~])?")

Keep = Callable[[int, msgspec.Struct], KeptAnswer | None]
"""Makes what is kept of an answer that belongs to a site (its number); None for a request without the header."""

Remake = Callable[[str], Awaitable[msgspec.Struct]]
"""Makes an answer again from what is kept of it, as JSON, where that is less than the answer."""


class Identity(NamedTuple):
    """The hashes of an idempotency key and of the request that it came with."""

    digest: str
    request: str

    def __repr__(self) -> str:
        return redacted_repr(self)


async def answered_once(
    call: KeyCall,
    body: msgspec.Struct,
    status: int,
    make: Callable[[Keep], Awaitable[msgspec.Struct]],
    remake: Remake | None = None,
) -> Response:
    """Returns the answer of ``make`` as JSON, or the one that a request with the same idempotency key had.

    ``make`` hands what ``Keep`` returns to the transaction in which it makes something. With ``remake`` that is not the
    answer, but what the answer can be made of again together with the request, which is the same. Raises Invalid for a
    header that cannot be used, and for one that came with another request; RateLimited for too many of them.
    """
    identity = identity_of(call, body)
    if identity is None:
        return json_response(await make(lambda *_: None), status)

    def keep(site_id: int, answer: msgspec.Struct) -> KeptAnswer:
        return kept(call, identity, site_id, status, answer)

    found = await find_answer(call, identity, remake)
    if found is not None:
        return found
    try:
        return json_response(await make(keep), status)
    except AlreadyAnswered:
        found = await find_answer(call, identity, remake)
        if found is None:
            raise Busy("The same request was answered just now; send it again.", retry_after=1) from None
        return found


async def keep_afterwards(call: KeyCall, identity: Identity, site_id: int, answer: msgspec.Struct) -> Response | None:
    """Keeps the answer, with status 200, to what is stored already, and recognises repeats by itself.

    Returns None, or what another request with the same idempotency key was answered meanwhile. Raises Invalid where
    that was another request.
    """
    try:
        await call.state.store.kept_answers.keep(kept(call, identity, site_id, HTTPStatus.OK, answer))
    except AlreadyAnswered:
        return await find_answer(call, identity)
    return None


def identity_of(call: KeyCall, body: msgspec.Struct) -> Identity | None:
    """Returns the identity of a request; None without the header. Raises Invalid for one that cannot be used."""
    given = call.request.headers.getlist(HEADER)
    if not given:
        return None
    if len(given) > 1 or not _USABLE.fullmatch(given[0]):
        raise Invalid.of(HEADER, f"must come once, with 1 to {MOST_CHARACTERS} printable ASCII characters")
    url = call.request.url
    told = f"{call.request.method} {url.path}?{url.query}\n".encode() + msgspec.json.encode(body)
    return Identity(hashlib.sha256(given[0].encode()).hexdigest(), hashlib.sha256(told).hexdigest())


async def find_answer(call: KeyCall, identity: Identity, remake: Remake | None = None) -> Response | None:
    """Returns the answer to a repeat; None for a request that is new. Raises Invalid, RateLimited, Conflict."""
    found = await call.state.store.kept_answers.find(call.key.key_id, identity.digest, call.now)
    if found is None:
        await call.state.kept_answer_limit.take(call.key.key_id, MOST_KEPT)
        return None
    try:
        if _request_of(call, identity, found) != identity.request:
            raise Invalid.of(HEADER, "came with another request within 24 hours: each request needs one of its own")
        text = call.state.keyring.unseal(found.answer, _place(call, identity))
    except SealError as error:
        raise Conflict(f"This request was carried out, and its answer cannot be read any more: {error}.") from None
    if remake is not None:
        return json_response(await remake(text), found.status)
    return Response(text, found.status, NO_STORE, JSON)


def kept(call: KeyCall, identity: Identity, site_id: int, status: int, answer: msgspec.Struct) -> KeptAnswer:
    """Returns what is kept of an answer: sealed, since it may hold a secret. The hash of the request is, too: with a
    copy of the database somebody could try out which names or addresses the request had."""
    place = _place(call, identity)
    return KeptAnswer(
        key_id=call.key.key_id,
        hash=identity.digest,
        site_id=site_id,
        request=call.state.keyring.seal(identity.request, f"request of {place}"),
        status=status,
        answer=call.state.keyring.seal(msgspec.json.encode(answer).decode(), place),
        created_at=call.now,
    )


def _request_of(call: KeyCall, identity: Identity, kept: KeptAnswer) -> str:
    """Returns the hash of the request that had a kept answer. Raises SealError."""
    if not is_sealed(kept.request):  # kept by an earlier version, which stored it as it was
        return kept.request
    return call.state.keyring.unseal(kept.request, f"request of {_place(call, identity)}")


def _place(call: KeyCall, identity: Identity) -> str:
    return f"answer {call.key.key_id} {identity.digest}"
