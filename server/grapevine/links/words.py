"""Sayable links: which words may follow ``/go/``, which spellings are the same word, and which are reserved.

A word is heard, read on a poster, and typed by hand. So what is typed is folded first (``folded``), and two words that
are easily taken for each other are one: they have the same skeleton. The idea and the method, a skeleton that is made
character by character, are those of Unicode Technical Standard #39, section 4. Of its table of confusables only three
rows concern the letters and digits that a word may have (0 and o; 1, l and i; rn and m), so the table is here: packages
that carry all of it are a hundred times as long, and have none of the others.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Final
from urllib.parse import unquote

import msgspec

from grapevine.writer.nonces import Nonces

SHORTEST: Final = 2
LONGEST: Final = 40
MOST_WORDS: Final = 1_000
"""Words of one site, with those that were deleted and are still kept from other sites."""
_LONGEST_TEXT: Final = 400
"""Characters of a typed text that are read: forty letters, each encoded as three bytes, with room around them."""
_ENCODED_IN_TURN: Final = 2
"""How often it may be percent-encoded: by a browser, and before that by what the link was copied from."""

_WORD: Final = re.compile(rf"[a-z0-9-]{{{SHORTEST},{LONGEST}}}")
_WRONG: Final = re.compile(r"[^a-z0-9-]")

# Each character becomes one sequence, so that every mixture of twins has one skeleton: `vvv`, `wv` and `vw` do.
# A digit becomes what it looks like, or, where it looks like no letter, what it is called.
_SKELETON: Final = str.maketrans(
    {
        "-": "",  # not heard
        "0": "o", "1": "l", "i": "l", "2": "z", "5": "s", "m": "rn", "w": "vv", "d": "cl",
        "3": "three", "4": "for", "6": "slx", "7": "seven", "8": "elght", "9": "nlne",
    }
)  # fmt: skip


class WordError(ValueError):
    """A text that cannot be the word of a link; its message follows the name of the field."""


class ReservedGroup(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Words that no link may have; ``why`` ends the sentence "word is reserved: …".

    Those of ``inside`` are reserved as a part of a longer word with hyphens, too.
    """

    why: str
    words: tuple[str, ...]
    inside: tuple[str, ...] = ()


class _ReservedFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    group: tuple[ReservedGroup, ...]


def folded(text: str) -> str:
    """Returns what was typed or pasted as it would be written as a word, whether or not it is one.

    Case, percent-encoding, unseen characters, the forms that one letter or hyphen has, and punctuation around it are
    evened out.
    """
    text = text[:_LONGEST_TEXT]
    for _ in range(_ENCODED_IN_TURN):
        if "%" in text:
            text = unquote(text)
    letters = unicodedata.normalize("NFKC", text).casefold()
    if not letters.isascii():
        letters = "".join(map(_plain, letters))
    start, end = 0, len(letters)
    while start < end and not letters[start].isalnum():
        start += 1
    while start < end and not letters[end - 1].isalnum():
        end -= 1
    return letters[start:end]


def checked_word(text: str) -> str:
    """Returns the word that a link is to have. Raises WordError, which says why it cannot have it."""
    word = folded(text)
    if not word:
        raise WordError("has no letter and no digit")
    if wrong := _WRONG.search(word):
        raise WordError(f"has {wrong[0]!r} in it, and a word has nothing but letters from a to z, digits and hyphens")
    if not SHORTEST <= len(word) <= LONGEST:
        plural = "" if len(word) == 1 else "s"
        raise WordError(f"has {len(word)} character{plural}, and a word has {SHORTEST} to {LONGEST}")
    if why := reserved(word):
        raise WordError(f"is reserved: {why}")
    return word


def skeleton(text: str) -> str:
    """Returns what a word has in common with all that look or sound like it; nothing where ``text`` is no word."""
    word = folded(text)
    # `four` is written as `for` is said, and `4` is either.
    return word.translate(_SKELETON).replace("four", "for") if _WORD.fullmatch(word) else ""


def word_key(nonces: Nonces, text: str) -> int:
    """Returns the key under which a word and all its twins are stored; one that no word has where ``text`` is none."""
    return nonces.guard_key("word", skeleton(text))


def reserved(word: str) -> str | None:
    """Returns why no link may have a word, or one that looks or sounds like it; None where one may.

    Several reserved words in one, with hyphens between, are reserved, too, and so is a longer one with one of those
    that would deceive in any company, such as `bank-login`.
    """
    names = _reserved_skeletons()
    parts = [part for part in word.split("-") if part]
    if why := names.get(skeleton(word)) or _reserved_inside(parts):
        return why
    reasons = [names.get(skeleton(part)) for part in parts]
    return reasons[0] if all(reasons) else None


@cache
def reserved_groups() -> tuple[ReservedGroup, ...]:
    """Returns the reserved words by the reason why they are."""
    text = files(__package__).joinpath("reserved_words.toml").read_text("utf-8")
    return msgspec.toml.decode(text, type=_ReservedFile).group


@cache
def _reserved_skeletons() -> dict[str, str]:
    return {skeleton(word): group.why for group in reserved_groups() for word in (*group.words, *group.inside)}


@cache
def _skeletons_inside() -> dict[str, str]:
    return {skeleton(word): group.why for group in reserved_groups() for word in group.inside}


def _reserved_inside(parts: Iterable[str]) -> str | None:
    """Why some neighbouring parts of a word are reserved together: `log-in` is two parts."""
    letters, borders = "", {0}
    for part in parts:
        letters += part.translate(_SKELETON)
        borders.add(len(letters))
    for name, why in _skeletons_inside().items():
        at = letters.find(name)
        while at >= 0:
            if at in borders and at + len(name) in borders:
                return why
            at = letters.find(name, at + 1)
    return None


def _plain(character: str) -> str:
    """A character as it would be typed: no unseen one (soft hyphens, marks of direction), and one kind of hyphen."""
    category = unicodedata.category(character)
    return "" if category == "Cf" else "-" if category == "Pd" else character
