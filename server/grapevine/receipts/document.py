"""What a receipt and its revocation say: the payloads of two JSON Web Signatures, and the header that both have.

No visit, page, token or exact time is in them, and nothing that stays the same for one person from receipt to receipt.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec

RECEIPT_TYPE: Final = "grapevine-receipt+json"
REVOCATION_TYPE: Final = "grapevine-revocation+json"
"""The ``typ`` of the headers (RFC 7515, 4.1.9), so that none is taken for the other."""

RECEIPT_FORMAT: Final = "grapevine-receipt/1"
REVOCATION_FORMAT: Final = "grapevine-revocation/1"

MOST_HOPS: Final = 200
"""As many as a chain that is read has visits."""

ReceiptId = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$", examples=["5f0c3e1f7a9b4d2e8c6a1b3d5e7f9021"])]
Kid = Annotated[
    str, msgspec.Meta(pattern="^[0-9A-Za-z_-]{43}$", examples=["kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"])
]
Day = Annotated[str, msgspec.Meta(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$", examples=["2026-11-21"])]
Amount = Annotated[str, msgspec.Meta(max_length=40, examples=["49.00"])]
Reason = Literal["refund", "erasure", "replaced"]
"""Why a receipt is revoked: a part or all of the money was paid back; a visit that it names was erased; a report with
an API key replaced the conversion that a page had reported."""


class Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The protected header of a signature: no other field is read, so none can ask for another way to verify it."""

    alg: Literal["EdDSA"]
    kid: Kid
    typ: str


class PaidGoal(msgspec.Struct, frozen=True, kw_only=True):
    """The conversion of a receipt."""

    goal: str
    """The goal that was reached."""
    day: Day
    """The day on which it was reached (UTC)."""
    amount: Amount | None
    """What was paid, refunds up to now taken off; null where no value was reported, or it does not count."""
    currency: str | None
    """The currency of `amount` and of every `credit`, by ISO 4217."""
    reported_by: Literal["page", "key"]
    """`key` where a program with an API key reported it; a page's word is anybody's."""


class ReceiptHop(msgspec.Struct, frozen=True, kw_only=True):
    """One share on the way to a conversion, the one nearest to it first."""

    sharer: str
    """A pseudonym of the person who shared, made for this receipt alone."""
    channel: str
    """The channel of the share."""
    day: Day
    """The day on which somebody came through it (UTC)."""
    generation: int
    """How many shares it is away from the conversion, from 1."""
    marks: list[str]
    """What was noticed of the return through it: `self`, `same-visitor`, or a verdict."""
    credit: Amount | None
    """What the rule credits this share with, of the `amount`; null where there is none. A programme that pays a part of
    what it gets pays that part of it."""


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """The payload of a receipt."""

    format: Literal["grapevine-receipt/1"] = RECEIPT_FORMAT
    """Name and version of the format."""
    iss: str
    """The address of the server that issued it."""
    site: str
    """The public key of the site."""
    receipt: ReceiptId
    """The id of the receipt: 128 random bits."""
    issued: Day
    """The day on which it was issued (UTC)."""
    conversion: PaidGoal
    """The conversion."""
    rule: str
    """The rule by which `credit` was computed. `binomial-half/1` credits hop i of k with the amount times
    1 over 2 to the power of k - 1, for at most 64 hops; `generation` is i."""
    marks: list[str]
    """What was noticed of the whole way: `self`, `same-visitor`, `same-network`."""
    hops: Annotated[list[ReceiptHop], msgspec.Meta(max_length=MOST_HOPS)]
    """The shares that led to the conversion, the nearest first."""


class Revocation(msgspec.Struct, frozen=True, kw_only=True):
    """The payload of a revocation."""

    format: Literal["grapevine-revocation/1"] = REVOCATION_FORMAT
    """Name and version of the format."""
    iss: str
    """The address of the server that issued the receipt."""
    site: str
    """The public key of the site."""
    receipt: ReceiptId
    """The receipt that is not good any more."""
    revoked: Day
    """Since which day (UTC)."""
    reason: Reason
    """Why."""


class PublicKey(msgspec.Struct, frozen=True, kw_only=True):
    """A public key as a JSON Web Key (RFC 7517) of the kind OKP (RFC 8037)."""

    kid: Kid
    """Its name: the thumbprint of the key (RFC 7638)."""
    x: Annotated[str, msgspec.Meta(pattern="^[0-9A-Za-z_-]{43}$")]
    """The 32 bytes of the key, base64url."""
    kty: Literal["OKP"] = "OKP"
    """The kind of the key."""
    crv: Literal["Ed25519"] = "Ed25519"
    """The curve."""
    alg: Literal["EdDSA"] = "EdDSA"
    """What it signs with."""
    use: Literal["sig"] = "sig"
    """What it is for."""


class PublicKeys(msgspec.Struct, frozen=True, kw_only=True):
    """The public keys of a site: a JSON Web Key Set (RFC 7517)."""

    keys: list[PublicKey]
    """All keys that receipts of the site are or were signed with, the newest first."""


class ReceiptState(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a receipt is good."""

    receipt: ReceiptId
    """The receipt."""
    state: Literal["valid", "revoked"]
    """`valid` where nothing has revoked it up to now."""
    revocation: str | None
    """The revocation, signed: a JSON Web Signature; null where the receipt is valid."""
    says: Revocation | None
    """What the revocation says."""
