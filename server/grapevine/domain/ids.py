"""Visit ids: 60 bits that say on which day a visit began and in which cell its whole cascade lives.

``day:16 | cell:12 | rest:32`` — days since 2020-01-01 (inserts stay local in the index and retention is a range), the
cell that every descendant inherits, and 32 bits of hash. Outside the server an id is 11 base62 characters.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Final

ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
CELLS: Final = 1 << 12
DAY_MS: Final = 86_400_000
HOUR_MS: Final = 3_600_000

SITE_CELLS: Final = 2
"""In how many cells the cascades of a site begin. With ten thousand sites on a server each cell belongs to five of
them, so five keys, and not ten thousand, may have signed a token of that cell."""

SITES_EVERYWHERE: Final = 4
"""The first sites of a server begin cascades in all cells, so that the only site of a server grows over all shards."""

_FIBONACCI: Final = 0x9E37_79B9_7F4A_7C15  # 2⁶⁴ ÷ golden ratio
_WORD: Final = (1 << 64) - 1
_EPOCH: Final = date(2020, 1, 1)
_EPOCH_MS: Final = int(datetime(2020, 1, 1, tzinfo=UTC).timestamp() * 1000)
_END_MS: Final = _EPOCH_MS + (1 << 16) * DAY_MS
_DIGITS: Final = {character: value for value, character in enumerate(ALPHABET)}
_PAIRS: Final = [high + low for high in ALPHABET for low in ALPHABET]
_ID_LENGTH: Final = 11
_PAIR_VALUES: Final = {pair: value for value, pair in enumerate(_PAIRS)}
_FIVE: Final = 62**5
_SIX: Final = 62**6


def pack(day: int, cell: int, rest: int) -> int:
    """The visit id of ``day`` (0…65535), ``cell`` (0…4095) and ``rest`` (32 bits)."""
    return day << 44 | cell << 32 | rest


def day_of(visit_id: int) -> int:
    """Days since 2020-01-01 on which the visit's nonce was drawn."""
    return visit_id >> 44


def cell_of(visit_id: int) -> int:
    """The cell (0…4095) in which the visit and its whole cascade live."""
    return visit_id >> 32 & (CELLS - 1)


def hashed_cell(number: int) -> int:
    """Returns the cell of a hashed key: that of a page, a visitor or a guard."""
    return number % CELLS


def spread_of_site(site_id: int, cells: int) -> int:
    """Returns in how many cells the cascades of a site begin whose row says ``cells``."""
    return CELLS if site_id <= SITES_EVERYWHERE else cells


def cell_of_site(site_id: int, spread: int, number: int) -> int:
    """Returns one of the cells in which the cascades of a site begin: any, or the ``number``-th of its few.

    Those of consecutive sites are spread evenly over all cells (Fibonacci hashing, Knuth, TAOCP 6.4).
    """
    if spread >= CELLS:
        return number % CELLS
    return ((site_id * spread + number % spread) * _FIBONACCI & _WORD) >> 52


def day_at(at: int) -> int:
    """Days since 2020-01-01 of a UTC time in milliseconds."""
    return (at - _EPOCH_MS) // DAY_MS


def nameable(at: int) -> int:
    """``at`` where a visit id can name its day (2020 to 2199), else the same time of the first such day.

    For clocks that are plainly wrong: a machine without a battery starts in 1970, and its visits are to be kept too.
    """
    return at if _EPOCH_MS <= at < _END_MS else _EPOCH_MS + at % DAY_MS


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
    """A number below 62²³ as 23 base62 characters, most significant first.

    Five digits fit into one of the machine words that CPython's integers are made of, so the number is first cut into
    those, by divisions by one word; and pairs, unlike longer pieces, are a table that stays in the processor's cache.
    """
    one, two, five = ALPHABET, _PAIRS, _FIVE
    value, e = divmod(value, five)
    value, d = divmod(value, five)
    value, c = divmod(value, five)
    a, b = divmod(value, five)
    q, r, s, t = b // 3844, c // 3844, d // 3844, e // 3844
    return (
        f"{one[a // 3844]}{two[a % 3844]}{one[q // 3844]}{two[q % 3844]}{two[b % 3844]}"
        f"{one[r // 3844]}{two[r % 3844]}{two[c % 3844]}{one[s // 3844]}{two[s % 3844]}"
        f"{two[d % 3844]}{one[t // 3844]}{two[t % 3844]}{two[e % 3844]}"
    )


def token_number(text: str) -> int | None:
    """The number that 23 base62 characters spell, or None when one of them is none: the inverse of ``token_text``.

    By pairs, and in groups of six digits: most steps stay within one or two machine words.
    """
    pairs = _PAIR_VALUES
    try:
        a = (pairs[text[1:3]] * 3844 + pairs[text[3:5]]) * 3844 + pairs[text[5:7]]
        b = (pairs[text[7:9]] * 3844 + pairs[text[9:11]]) * 3844 + pairs[text[11:13]]
        c = (pairs[text[13:15]] * 3844 + pairs[text[15:17]]) * 3844 + pairs[text[17:19]]
        d = pairs[text[19:21]] * 3844 + pairs[text[21:23]]
        return ((_DIGITS[text[0]] * _SIX + a) * _SIX + b) * (_SIX * 3844**2) + c * 3844**2 + d
    except KeyError:
        return None


def from_base62(text: str) -> int | None:
    """The number that ``text`` spells, or None when it holds any other character than ``0-9A-Za-z``."""
    value, digits = 0, _DIGITS
    try:
        for character in text:
            value = value * 62 + digits[character]
    except KeyError:
        return None
    return value


def visit_text(visit_id: int) -> str:
    """A visit id as people and programs outside see it: 11 base62 characters."""
    high, b = divmod(visit_id, _FIVE)
    first, a = divmod(high, _FIVE)
    q, r = a // 3844, b // 3844
    return (
        f"{ALPHABET[first]}{ALPHABET[q // 3844]}{_PAIRS[q % 3844]}{_PAIRS[a % 3844]}"
        f"{ALPHABET[r // 3844]}{_PAIRS[r % 3844]}{_PAIRS[b % 3844]}"
    )


def visit_number(text: str) -> int | None:
    """Returns the visit id that ``text`` spells; None when ``text`` is not a visit id."""
    value = from_base62(text) if len(text) == _ID_LENGTH else None
    return value if value is not None and value < 1 << 60 else None


def key_text(key: int) -> str:
    """A key of 64 signed bits, that of a conversion or an answer, as programs outside see it: 11 base62 characters."""
    return visit_text(key & _WORD)


def key_number(text: str) -> int | None:
    """Returns the key that ``text`` spells; None when ``text`` is not one of 11 base62 characters and 64 bits."""
    value = from_base62(text) if len(text) == _ID_LENGTH else None
    if value is None or value > _WORD:
        return None
    return value - (1 << 64) if value >> 63 else value
