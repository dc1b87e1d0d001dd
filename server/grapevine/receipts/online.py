"""Asks the server that issued a receipt for its public keys, and whether the receipt is still good.

The receipt itself names the server, and anybody may have written it: so a request goes only where the policy allows, to
the origin alone that it names, follows no redirect, and reads little.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Final
from urllib.parse import quote

import msgspec

from grapevine import __version__
from grapevine.domain.urls import UrlError, origin_of
from grapevine.egress.bounded_fetch import FetchBounds, FetchedText, Fetcher, FetchFailed
from grapevine.errors import GrapevineError
from grapevine.receipts.document import Receipt, ReceiptState, Revocation
from grapevine.receipts.jws import NotSigned
from grapevine.receipts.verification import Altered, Keys, UnknownKey, read_keys, verify_revocation

BOUNDS: Final = FetchBounds(most_bytes=256 * 1024, seconds=10.0, redirects=0)
USER_AGENT: Final = f"Grapevine/{__version__} (verifies a receipt)"
_JSON: Final = "application/json"


class NotAsked(GrapevineError):
    """The server that issued a receipt could not be asked, or its answer cannot be used; the text says why."""


class NotKnown(GrapevineError):
    """The server does not know the receipt, or not any more."""


async def fetch_keys(fetcher: Fetcher, receipt: Receipt) -> dict[str, bytes]:
    """Returns the public keys of a receipt's site. Raises NotAsked."""
    answer = await _get(fetcher, receipt, "/v1/receipt-keys")
    if answer.status != HTTPStatus.OK:
        raise NotAsked(f"{receipt.iss} answered {answer.status} where it was asked for its keys")
    try:
        return read_keys(answer.body)
    except NotSigned as error:
        raise NotAsked(f"the keys of {receipt.iss} cannot be used: {error}") from None


async def fetch_revocation(fetcher: Fetcher, receipt: Receipt, keys: Keys) -> Revocation | None:
    """Returns the verified revocation of a receipt; None where its server says that it is good.

    Raises NotAsked, NotKnown.
    """
    answer = await _get(fetcher, receipt, f"/v1/receipt-status/{receipt.receipt}")
    if answer.status == HTTPStatus.NOT_FOUND:
        raise NotKnown(
            f"{receipt.iss} does not know this receipt: it is older than what that server keeps, or its site is gone"
        )
    if answer.status != HTTPStatus.OK:
        raise NotAsked(f"{receipt.iss} answered {answer.status} where it was asked for the receipt")
    try:
        state = msgspec.json.decode(answer.body, type=ReceiptState)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise NotAsked(f"what {receipt.iss} says of the receipt cannot be read") from None
    if state.receipt != receipt.receipt:
        raise NotAsked(f"{receipt.iss} answered about another receipt")
    if state.state == "valid":
        return None
    return revocation_of(receipt, state.revocation or "", keys)


def revocation_of(receipt: Receipt, text: str, keys: Keys) -> Revocation:
    """Returns a verified revocation of this receipt. Raises NotAsked."""
    try:
        found = verify_revocation(text, keys)
    except (NotSigned, UnknownKey, Altered) as error:
        raise NotAsked(f"the revocation is not a good one: {error}") from None
    if (found.receipt, found.site) != (receipt.receipt, receipt.site):
        raise NotAsked("the revocation is one of another receipt")
    return found


def check_issuer(receipt: Receipt) -> None:
    """Raises NotAsked where the issuer that a receipt names is not the address of a server."""
    try:
        origin = origin_of(receipt.iss)
    except UrlError as error:
        raise NotAsked(f"the issuer that it names, {receipt.iss[:100]!r}, is no address of a server: {error}") from None
    if origin != receipt.iss:
        raise NotAsked(f"the issuer that it names, {receipt.iss[:100]!r}, is not the address of a server alone")


async def _get(fetcher: Fetcher, receipt: Receipt, path: str) -> FetchedText:
    check_issuer(receipt)
    try:
        answer = await fetcher.get(f"{receipt.iss}{path}?site={quote(receipt.site, safe='')}", accept=_JSON)
    except FetchFailed as error:
        raise NotAsked(f"{receipt.iss} could not be asked: {error}") from None
    if answer.is_cut:
        raise NotAsked(f"{receipt.iss} answered with more than {BOUNDS.most_bytes} bytes")
    return answer
