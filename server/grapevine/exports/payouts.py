"""Pay-outs as CSV: a row for each referrer and currency, guarded against formulas as exports are."""

from __future__ import annotations

from typing import Final

from grapevine.exports.columns import Line, columns
from grapevine.exports.formats import Csv
from grapevine.referrals.answers import Payouts, ReferrerPayout

COLUMNS: Final = columns(
    external_id="text", currency="text", conversions="whole", refunds="whole", value="number", credited="number",
    held="number", held_conversions="whole", marks="text", network_days="whole",
)  # fmt: skip
"""Amounts are decimals, below 0 after refunds; texts that begin as a formula does get an apostrophe in front."""


async def payouts_csv(found: Payouts) -> bytes:
    """Returns the file, in UTF-8 with a byte order mark."""
    encoder = Csv(COLUMNS, bom=True)
    written = await encoder.add([line for each in found.referrers for line in _lines(each)])
    return written + await encoder.end()


def _lines(each: ReferrerPayout) -> list[Line]:
    marks = ", ".join(f"{mark} {number}" for mark, number in each.marks.items())
    return [
        (
            each.external_id,
            currency,
            each.conversions,
            each.refunds,
            each.value.get(currency, "0.00"),
            each.credited.get(currency, "0.00"),
            each.held.get(currency, "0.00"),
            each.held_conversions,
            marks,
            each.network_days,
        )
        for currency in sorted({**each.value, **each.credited, **each.held})
    ]
