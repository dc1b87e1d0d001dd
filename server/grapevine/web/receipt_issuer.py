"""What a receipt needs of the server that signs it: an address of its own, and the package that signs."""

from __future__ import annotations

from starlette.requests import Request

from grapevine.config.settings import Settings
from grapevine.errors import Conflict
from grapevine.receipts.ed25519 import SignaturesMissing
from grapevine.web.public_address import public_address


def issuer_of(request: Request, settings: Settings) -> str:
    """Returns the address that receipts name as their issuer. Raises Conflict where the server does not know it."""
    address = public_address(request, settings)
    if address is None:
        raise Conflict(
            "A receipt names the address of the server that issued it, and this one does not know its own: set "
            "GRAPEVINE_BASE_URL, such as https://share.example.com."
        )
    return address


def signatures_missing(error: SignaturesMissing) -> Conflict:
    """Returns the refusal of a server that cannot sign."""
    text = str(error)
    return Conflict(f"{text[:1].upper()}{text[1:]}.")
