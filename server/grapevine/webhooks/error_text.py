"""What the list of deliveries says of a failed attempt."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Final

from grapevine.domain.printable import printable

MOST_CHARACTERS: Final = 200
"""Enough for a sentence. Much of the text is the other side's, and each delivery keeps one for 30 days."""

_MAYBE_ADDRESS: Final = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f:]*:[0-9A-Fa-f:.]+")


def error_text(text: str) -> str:
    """Returns an error for a site's administrators: one printable line without addresses.

    They could add endpoints only to learn which addresses the names of this network lead to.
    """
    return printable(_MAYBE_ADDRESS.sub(_without_address, text))[:MOST_CHARACTERS]


def _without_address(found: re.Match[str]) -> str:
    text = found[0].rstrip(".:") or found[0]
    try:
        ip_address(text)
    except ValueError:
        return found[0]
    return f"(address){found[0][len(text) :]}"
