"""Minting and verifying tokens, compared with the one HMAC that both need; and whether time tells good from bad."""

from __future__ import annotations

import hmac
from functools import partial

import msgspec

from grapevine.domain import ids
from grapevine.domain.tokens import TokenError, Tokens, parse
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
    _show_timing(older, old)


def _show_timing(site: Tokens, token: str) -> None:
    """Prints whether the time of a look at a signature tells how much of it was right: a good one, the same once more,
    and some with a wrong bit at the beginning, in the middle and at the end, in turn."""
    good = parse(token)
    signature, replace = good.signature, msgspec.structs.replace
    wrong = {
        name: replace(good, signature=signature[:at] + bytes([signature[at] ^ 1]) + signature[at + 1 :])
        for name, at in (("first byte wrong", 0), ("fourth byte wrong", 3), ("last byte wrong", 7))
    }
    calls = {"good": good, "good again": replace(good)} | wrong
    figures = compare({name: partial(site.signed, each) for name, each in calls.items()}, "good", rounds=60)
    show("One signature", "good", figures)
