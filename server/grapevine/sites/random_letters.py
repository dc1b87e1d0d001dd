"""Random letters and digits for keys and secrets."""

from __future__ import annotations

from collections.abc import Callable

from grapevine.domain.ids import ALPHABET

Random = Callable[[int], bytes]
"""Returns so many random bytes."""


def random_letters(random: Random, length: int) -> str:
    """So many letters and digits, each as likely as any other."""
    letters = ""
    while len(letters) < length:
        letters += "".join(ALPHABET[byte % 62] for byte in random(length) if byte < 248)
    return letters[:length]
