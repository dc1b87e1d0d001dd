"""Tokens that this site did not mint: none is read, and each is refused by the stated error, TokenError."""

from __future__ import annotations

import random
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Final

import pytest

from grapevine.domain import channels, ids
from grapevine.domain.tokens import LAST_N, LENGTH, TokenError, Tokens

KEYS: Final = (b"an older secret key", b"the newest secret key")
SITE: Final = Tokens(KEYS, b"site")
OTHERS: Final = (Tokens(KEYS, b"another site"), Tokens((b"a guess",), b"site"), Tokens((b"", b"k" * 64), b"site"))
LATER: Final = Tokens((*KEYS, b"a key that came later"), b"site")
CODES: Final = (*channels.NAMES, channels.SESSION)
MARKS: Final = ("\0", " ", "\n", "\ud800", "\udfff", "-", "_", "=", "%30", "\u202e", "\ufeff", "\U0001d7d8")
LOOKALIKES: Final = {
    character: tuple(
        found for found in map(chr, (ord(character) + 0xFEE0, *range(0x391, 0x3A1), *range(0x410, 0x420),
                                     *range(0x660, 0x66A), *range(0x1D7CE, 0x1D800)))
        if found != character
    )
    for character in "0Aa"
}  # fmt: skip

Forgery = Callable[[random.Random, str], str]


def good(chance: random.Random) -> tuple[str, int, int, int]:
    """A token of the site, and what it says."""
    visit = ids.pack(chance.randrange(1 << 16), chance.randrange(ids.CELLS), chance.getrandbits(32))
    code, n = chance.choice(CODES), chance.randint(0, LAST_N)
    return SITE.mint(visit, (code,), n)[0], visit, code, n


def number_of(token: str) -> int:
    value = ids.from_base62(token)
    assert value is not None
    return value


def spelled(value: int, length: int = LENGTH) -> str:
    """The digits of a number, however many there are."""
    digits = []
    while value:
        value, digit = divmod(value, len(ids.ALPHABET))
        digits.append(ids.ALPHABET[digit])
    return "".join(reversed(digits)).rjust(length, ids.ALPHABET[0])


def bits(chance: random.Random, token: str) -> str:
    flipped = number_of(token)
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        flipped ^= 1 << chance.randrange(136)
    return spelled(flipped)


def character(chance: random.Random, token: str) -> str:
    at = chance.randrange(LENGTH)
    return token[:at] + chance.choice(ids.ALPHABET) + token[at + 1 :]


def swapped(chance: random.Random, token: str) -> str:
    at = chance.randrange(LENGTH - 1)
    return token[:at] + token[at + 1] + token[at] + token[at + 2 :]


def foreign(chance: random.Random, _: str) -> str:
    visit, code, n = good(chance)[1:]
    return chance.choice(OTHERS).mint(visit, (code,), n)[0]


def shortened(chance: random.Random, token: str) -> str:
    return token[: chance.randrange(LENGTH)] if chance.random() < 0.5 else token[chance.randrange(1, LENGTH) :]


def extended(chance: random.Random, token: str) -> str:
    more = "".join(chance.choices([*ids.ALPHABET, *MARKS], k=chance.randint(1, 40)))
    return chance.choice((token + more, more + token, "0" * chance.randint(1, 9) + token))


def alias(chance: random.Random, token: str) -> str:
    """The same bytes with a number above them: 62²³ is 1.4 times 2¹³⁶."""
    return spelled(number_of(token) + (1 << 136) * chance.randint(1, 1 << chance.randint(0, 70)))


def alike(chance: random.Random, token: str) -> str:
    at = chance.randrange(LENGTH)
    return token[:at] + chance.choice(LOOKALIKES[chance.choice("0Aa")]) + token[at + 1 :]


def wide(chance: random.Random, token: str) -> str:
    """Full-width digits and letters, which Unicode normalization turns into the token itself."""
    at = chance.randrange(LENGTH)
    found = token[:at] + chr(ord(token[at]) + 0xFEE0) + token[at + 1 :]
    assert unicodedata.normalize("NFKC", found) == token
    return found


def marked(chance: random.Random, token: str) -> str:
    at = chance.randrange(LENGTH)
    return token[:at] + chance.choice(MARKS) + token[at + chance.randint(0, 1) :]


def other_field(chance: random.Random, token: str) -> str:
    """The signature stays, the payload says another channel, number, visit or version; sessions become shares, too."""
    value = number_of(token)
    signature, payload = value & (1 << 64) - 1, value >> 64
    match chance.randrange(5):
        case 0:
            code = chance.randrange(128)
            payload = payload & ~(127 << 63) | code << 63
        case 1:
            payload = payload & ~(LAST_N << 60) | chance.randint(0, LAST_N) << 60
        case 2:
            payload = payload & ~((1 << 60) - 1) | chance.getrandbits(60)
        case 3:
            payload = payload & ~(3 << 70) | chance.randrange(4) << 70
        case _:
            was_session = payload >> 63 & 127 == channels.SESSION
            code = chance.choice(list(channels.NAMES)) if was_session else channels.SESSION
            payload = payload & ~(127 << 63) | code << 63
    return spelled(payload << 64 | signature)


def crossed(chance: random.Random, _: str) -> str:
    """The payload of one token with the signature of another of the same visit."""
    visit, code, n = good(chance)[1:]
    mine, other = SITE.mint(visit, (code, chance.choice(CODES)), n)
    return spelled(number_of(mine) >> 64 << 64 | number_of(other) & (1 << 64) - 1)


def shaped(chance: random.Random, _: str) -> str:
    return "".join(chance.choices(ids.ALPHABET, k=LENGTH))


def valid_payload(chance: random.Random, token: str) -> str:
    return spelled(number_of(token) >> 64 << 64 | chance.getrandbits(64))


def text(chance: random.Random, _: str) -> str:
    return "".join(chr(chance.randrange(0x110000)) for _ in range(chance.choice((0, 1, 22, LENGTH, LENGTH, 24, 200))))


FORGERIES: Final[tuple[Forgery, ...]] = (
    bits, character, swapped, foreign, shortened, extended, alias, alike, wide, marked, other_field, crossed, shaped,
    valid_payload, text,
)  # fmt: skip


def forged(chance: random.Random) -> Iterator[tuple[str, str]]:
    """Endlessly the kind of a forgery and its text, none of which is a token of the site."""
    while True:
        token = good(chance)[0]
        for forge in FORGERIES:
            found = forge(chance, token)
            # What leaves the token as it was is no forgery; a payload swapped for itself keeps its signature.
            if found != token and not (forge is crossed and _is_minted(found)):
                yield forge.__name__, found


def _is_minted(found: str) -> bool:
    """Whether the site mints just this text for what it says."""
    payload = number_of(found) >> 64
    visit, n, code = payload & (1 << 60) - 1, payload >> 60 & LAST_N, payload >> 63 & 127
    return SITE.mint(visit, (code,), n)[0] == found


@pytest.mark.parametrize("number", [50_000, pytest.param(1_000_000, marks=pytest.mark.slow)])
def test_no_forged_token_is_read_and_each_is_refused_by_the_stated_error(number: int) -> None:
    chance = random.Random(number)  # noqa: S311
    refused: Counter[str] = Counter()
    accepted = []
    for kind, found in islice(forged(chance), number):
        try:
            accepted.append((kind, found, SITE.read(found)))
        except TokenError:
            refused[kind] += 1
    assert accepted == []
    assert sum(refused.values()) == number
    assert min(refused[forge.__name__] for forge in FORGERIES) > number / len(FORGERIES) / 2
    print(dict(refused))


def test_every_token_that_was_minted_is_read() -> None:
    chance = random.Random(7)  # noqa: S311
    for _ in range(5_000):
        token, *said = good(chance)
        assert list(SITE.read(token)) == said
        assert list(LATER.read(token)) == said
