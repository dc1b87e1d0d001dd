"""Visit ids: 60 bits that say on which day a visit began and in which cell its whole cascade lives.

``day:16 | cell:12 | rest:32`` — days since 2020-01-01 (inserts stay local in the index and retention is a range), the
cell that every descendant inherits, and 32 bits of hash. Outside the server an id is 11 base62 characters.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Final

ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
CELLS: Final = 1 << 12
DAY_MS: Final = 86_400_000
HOUR_MS: Final = 3_600_000

_EPOCH: Final = date(2020, 1, 1)
_EPOCH_MS: Final = int(datetime(2020, 1, 1, tzinfo=UTC).timestamp() * 1000)
_DIGITS: Final = {character: value for value, character in enumerate(ALPHABET)}
_PAIRS: Final = [high + low for high in ALPHABET for low in ALPHABET]
_ID_LENGTH: Final = 11
_THREE: Final = 62**3
_SIX: Final = 62**6
_TWELVE: Final = 62**12


def pack(day: int, cell: int, rest: int) -> int:
    """The visit id of ``day`` (0…65535), ``cell`` (0…4095) and ``rest`` (32 bits)."""
    return day << 44 | cell << 32 | rest


def day_of(visit_id: int) -> int:
    """Days since 2020-01-01 on which the visit's nonce was drawn."""
    return visit_id >> 44


def cell_of(visit_id: int) -> int:
    """The cell (0…4095) in which the visit and its whole cascade live."""
    return visit_id >> 32 & (CELLS - 1)


def day_at(at: int) -> int:
    """Days since 2020-01-01 of a UTC time in milliseconds."""
    return (at - _EPOCH_MS) // DAY_MS


def day_start(day: int) -> int:
    """The UTC millisecond at which day number ``day`` begins."""
    return _EPOCH_MS + day * DAY_MS


def day_number(when: date) -> int:
    """Days since 2020-01-01 of a calendar date."""
    return (when - _EPOCH).days


def day_date(day: int) -> date:
    """The calendar date of day number ``day``."""
    return _EPOCH + timedelta(days=day)


def token_text(value: int) -> str:
    """A number below 62²³ as 23 base62 characters, most significant first."""
    triples = _triples()
    high, low = divmod(value, _TWELVE)
    first, second = divmod(high, _SIX)
    third, fourth = divmod(low, _SIX)
    return (
        f"{_PAIRS[first // _THREE]}{triples[first % _THREE]}{triples[second // _THREE]}{triples[second % _THREE]}"
        f"{triples[third // _THREE]}{triples[third % _THREE]}{triples[fourth // _THREE]}{triples[fourth % _THREE]}"
    )


def from_base62(text: str) -> int | None:
    """The number that ``text`` spells, or None when it holds any other character than ``0-9A-Za-z``."""
    value = 0
    for character in text:
        digit = _DIGITS.get(character)
        if digit is None:
            return None
        value = value * 62 + digit
    return value


def visit_text(visit_id: int) -> str:
    """A visit id as people and programs outside see it: 11 base62 characters."""
    triples = _triples()
    high, low = divmod(visit_id, _SIX)
    return f"{_PAIRS[high // _THREE]}{triples[high % _THREE]}{triples[low // _THREE]}{triples[low % _THREE]}"


def visit_number(text: str) -> int | None:
    """The visit id that ``text`` spells, or None when it spells none."""
    value = from_base62(text) if len(text) == _ID_LENGTH else None
    return value if value is not None and value < 1 << 60 else None


@cache
def _triples() -> list[str]:
    """All 62³ texts of three digits: 14 MB that halve the cost of a token's text, made when the first is written."""
    return [pair + last for pair in _PAIRS for last in ALPHABET]
