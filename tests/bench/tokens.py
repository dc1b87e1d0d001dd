"""Minting and verifying tokens, compared with the one HMAC that both need."""

from __future__ import annotations

import hmac

from grapevine.domain import ids
from grapevine.domain.tokens import TokenError, Tokens
from tests.bench.measure import compare, show

REFERENCE = "one HMAC-SHA-512"


def run() -> None:
    """Prints microseconds a call."""
    keys = [b"an older secret key", b"the newest secret key"]
    site = Tokens(keys, b"site")
    older = Tokens(keys[:1], b"site")
    visit_id = ids.pack(2500, 77, 123_456_789)
    (token,) = site.mint(visit_id, [7])
    (old,) = older.mint(visit_id, [7])
    forged = token[:-1] + ("0" if token[-1] != "0" else "1")

    def refuse() -> None:
        try:
            site.read(forged)
        except TokenError:
            return

    figures = compare(
        {
            REFERENCE: lambda: hmac.digest(keys[0], b"123456789", "sha512"),
            "mint one token": lambda: site.mint(visit_id, (7,)),
            "mint eight tokens of one hash": lambda: site.mint(visit_id, range(8)),
            "mint eight tokens and the session": lambda: (site.mint(visit_id, range(8)), site.session(visit_id)),
            "verify": lambda: site.read(token),
            "verify, signed with the older of two keys": lambda: site.read(old),
            "refuse a forgery": refuse,
        },
        REFERENCE,
    )
    show("Tokens", REFERENCE, figures)
