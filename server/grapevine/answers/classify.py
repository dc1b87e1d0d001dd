"""The class of an answer: the rule that decides among those that the text matches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from grapevine.answers.rules import ANY, MOST_BETWEEN, Rule, RuleBook, rule_book, words_of

MOST_WORDS: Final = 100
"""Words of a text that are read; with 500 characters, a sentence has fewer."""
_MOST_HITS: Final = 1_000
_AFTER: Final = 1.0
_NAMED: Final = ("podcast", "newsletter", "event")
_PLACES: Final = frozenset({"press", "channel"})
_SENT: Final = frozenset({"friend", "channel", "advertisement", "newsletter"})


class Classified(NamedTuple):
    """What rules say of a text: its class, and the channel (a name of ``domain/channels.py``) that it names."""

    name: str
    channel: str | None


class Hit(NamedTuple):
    """A rule that matches the words from ``start`` to before ``end``."""

    rule: Rule
    start: int
    end: int


def classify(text: str, book: RuleBook | None = None) -> Classified:
    """Returns the class of an answer of at most 500 characters. Its cost is bounded by its number of words."""
    book = book or rule_book()
    spoken = words_of(text)[:MOST_WORDS]
    words = [word for word, _ in spoken]
    found = _hits(book, words)
    hits = _longest(found)
    said = [hit for hit in hits if hit.rule.name != "nothing"]
    denied = _denied(book, spoken)
    meant = [hit for hit in said if hit.start not in denied] or said
    if not meant:
        return Classified("other", None)
    deciding = _deciding(book, words, meant)
    vague = {index for hit in hits if hit.rule.name == "nothing" for index in range(hit.start, hit.end)}
    naming = [hit for hit in found if hit.rule.channel and hit.start not in denied | vague]
    return Classified(deciding.rule.name, _channel(deciding, sorted(naming, key=lambda hit: hit.start)))


def _hits(book: RuleBook, words: Sequence[str]) -> list[Hit]:
    patterns = [book.patterns(word) for word in words]
    found = list[Hit]()
    plain = [index for index, word in enumerate(words) if word not in book.fillers]
    whole = plain or [*range(len(words))]
    for index in range(len(words)):
        for pattern in patterns[index]:
            for rule in book.by_first.get(pattern, ()):
                if rule.whole:
                    continue
                end = _end(rule.words[1:], patterns, index + 1)
                if end is not None:
                    found.append(Hit(rule, index, end))
                    if len(found) == _MOST_HITS:
                        return found
    for start in {0, whole[0]} if words else ():
        rest = [index for index in range(start, len(words)) if index in whole or start == 0]
        for pattern in patterns[start]:
            for rule in book.by_first.get(pattern, ()):
                if rule.whole and _is_whole(rule.words, [patterns[index] for index in rest], words, start):
                    found.append(Hit(rule, start, start + 1 if rule.words[-1] == ANY else len(words)))
    return found


def _is_whole(pattern: Sequence[str], patterns: Sequence[frozenset[str]], words: Sequence[str], start: int) -> bool:
    if pattern[-1] == ANY:
        return len(pattern) - 1 <= len(words) - start <= len(pattern) - 1 + MOST_BETWEEN and all(
            each in found for each, found in zip(pattern[:-1], patterns, strict=False)
        )
    return len(patterns) == len(pattern) and all(each in found for each, found in zip(pattern, patterns, strict=True))


def _end(rest: Sequence[str], patterns: Sequence[frozenset[str]], at: int) -> int | None:
    """Returns where a phrase ends whose words but the first are ``rest``; None where they do not follow."""
    for number, word in enumerate(rest):
        if word == ANY:
            for skipped in range(MOST_BETWEEN + 1):
                if (end := _end(rest[number + 1 :], patterns, at + skipped)) is not None:
                    return end
            return None
        if at >= len(patterns) or word not in patterns[at]:
            return None
        at += 1
    return at


def _longest(hits: Sequence[Hit]) -> list[Hit]:
    """Returns the hits that share no word with a longer one, by their place."""
    taken, kept = dict[int, Hit](), list[Hit]()
    for hit in sorted(hits, key=lambda hit: (-_length(hit), _parts(hit), hit.rule.rank, hit.rule.order)):
        if not any(index in taken for index in range(hit.start, hit.end)):
            kept.append(hit)
            taken.update(dict.fromkeys(range(hit.start, hit.end), hit))
    return sorted(kept, key=lambda hit: hit.start)


def _parts(hit: Hit) -> int:
    """Returns how many of its words are known in part alone: a whole word says more."""
    return sum("*" in word for word in hit.rule.words)


def _length(hit: Hit) -> int:
    return hit.end - hit.start


def _denied(book: RuleBook, spoken: Sequence[tuple[str, bool]]) -> set[int]:
    """Returns the places of the words that are denied."""
    found, reach = set[int](), 0
    for index, (word, begins) in enumerate(spoken):
        if begins or word in book.turns:
            reach = 0
        if reach:
            found.add(index)
            reach -= 1
        if word in book.denials:
            reach = MOST_BETWEEN
    return found


def _deciding(book: RuleBook, words: Sequence[str], hits: Sequence[Hit]) -> Hit:
    named = {hit.rule.name for hit in hits if hit.rule.name in _NAMED}
    after = next((index for index, word in enumerate(words) if index and word in book.afters), len(words))

    def order(hit: Hit) -> tuple[float, int, int]:
        rank = hit.rule.rank
        if hit.rule.name == "search" and hit.start < after < len(words):
            rank += _AFTER
        if hit.rule.name in _PLACES and named:
            rank += _AFTER
        return rank, hit.start, hit.rule.order

    return min(hits, key=order)


def _channel(deciding: Hit, hits: Sequence[Hit]) -> str | None:
    """Returns the channel that the deciding words name, or else the first one of the text."""
    if deciding.rule.name not in _SENT:
        return None
    inside = [hit for hit in hits if deciding.start <= hit.start < deciding.end]
    names = (hit.rule.channel for hit in (*inside, *hits))
    return next((each for each in names if each != "email" or deciding.rule.name in ("friend", "newsletter")), None)
