"""What decided a visit's source, and what else its arrival gave away: one small number on its row.

The low four bits are a code of ``DECIDED_BY``, the bits above them those of ``EVIDENCE``. Codes and bits are added,
never changed.
"""

from __future__ import annotations

from typing import Final

DECIDED_BY: Final = {"nothing": 0, "token": 1, "tag": 2, "referrer": 3, "click-id": 4, "app": 5}
"""What decided the source: a share token; a campaign tag or an assistant's; the referrer; a click id at its first
sight; the app in whose browser the page ran. With ``nothing`` the visit is a direct one."""
DECIDED_BY_NAMES: Final = {code: name for name, code in DECIDED_BY.items()}

DECIDED: Final = 15
"""The bits of ``DECIDED_BY``."""

EVIDENCE: Final = {"click-id": 16, "copied-address": 32, "highlight-link": 64}
"""``click-id``: the address had one. ``copied-address``: another visitor had come with the same one before, so somebody
passed the address on. ``highlight-link``: the address named a passage of the page to be highlighted
(``#:~:text=``)."""

CLICK_ID: Final = EVIDENCE["click-id"]
COPIED_ADDRESS: Final = EVIDENCE["copied-address"]
HIGHLIGHT_LINK: Final = EVIDENCE["highlight-link"]


def decided_by(evidence: int) -> str:
    """Returns what decided the source of a visit."""
    return DECIDED_BY_NAMES[evidence & DECIDED]


def evidence_names(evidence: int) -> list[str]:
    """Returns the names of the evidence on a visit's row, in the order of their bits."""
    return [name for name, bit in EVIDENCE.items() if evidence & bit]


def with_decision(evidence: int, decision: str) -> int:
    """Returns ``evidence`` with another decision."""
    return evidence & ~DECIDED | DECIDED_BY[decision]
