"""Reads ``rules.toml``, the one table of all rules, and says which rules' words a word of an answer may be."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final, NamedTuple

from grapevine.domain.channels import CODES
from grapevine.domain.enums import ANSWER_CLASSES

ANY: Final = "~"
"""Stands in a phrase for up to ``MOST_BETWEEN`` words."""
MOST_BETWEEN: Final = 3
_SHORTEST_MISSPELT: Final = 5
_LONG: Final = 8
_REMEMBERED: Final = 4_096

_WORD: Final = re.compile(r"[^\W_]+")
_REPEATED: Final = re.compile(r"(.)\1{2,}")
_SUBREDDIT: Final = re.compile(r"(?<!\w)/?r/\w+")


class Rule(NamedTuple):
    """A phrase: ``words`` are patterns (``word``, ``word*``, ``*word`` or ``~``); ``whole`` phrases are the whole text.

    ``order`` is its place in the table.
    """

    name: str
    rank: float
    channel: str | None
    language: str
    words: tuple[str, ...]
    whole: bool
    order: int


class RuleBook:
    """All rules, by the first of their words."""

    def __init__(self, table: Mapping[str, Any]) -> None:
        self.version: int = table["version"]
        self.fillers: Final = _set(table["fillers"])
        self.denials: Final = _set(table["denials"])
        self.turns: Final = _set(table["turns"])
        self.afters: Final = _set(table["afters"])
        self.rules: Final = [*_rules(table["rules"])]
        self.by_first: Final = defaultdict[str, list[Rule]](list)
        self.words: Final = set[str]()
        self._begin: Final = defaultdict[int, set[str]](set)
        self._end: Final = defaultdict[int, set[str]](set)
        for rule in self.rules:
            self.by_first[rule.words[0]].append(rule)
            for word in rule.words:
                self._note(word)
        self._plain: Final = self.fillers | self.denials | self.turns | self.afters | _set(table["never_misspelt"])
        self._near: Final = defaultdict[tuple[str, int], list[str]](list)
        for word in sorted(self.words):
            if len(word) >= _SHORTEST_MISSPELT:
                self._near[word[0], len(word)].append(word)
        self.patterns: Final = lru_cache(maxsize=_REMEMBERED)(self._patterns)

    def _note(self, word: str) -> None:
        if word == ANY:
            return
        if not word.strip("*"):
            raise ValueError("a word of a rule has a letter")
        if word.endswith("*"):
            self._begin[len(word) - 1].add(word)
        elif word.startswith("*"):
            self._end[len(word) - 1].add(word)
        else:
            self.words.add(word)

    def _patterns(self, word: str) -> frozenset[str]:
        """Returns the words of rules that a word of a text may be; a misspelt one is the nearest of them."""
        found = {word} & self.words
        found |= {f"{word[:size]}*" for size, known in self._begin.items() if f"{word[:size]}*" in known}
        found |= {f"*{word[-size:]}" for size, known in self._end.items() if f"*{word[-size:]}" in known}
        if not found and word not in self._plain and (near := self._nearest(word)) is not None:
            found.add(near)
        return frozenset(found)

    def _nearest(self, word: str) -> str | None:
        from rapidfuzz.distance import OSA

        best, least = None, 1 + self.most_edits(len(word))
        for size in range(len(word) - least + 1, len(word) + least):
            for known in self._near.get((word[0], size), ()):
                most = min(least - 1, self.most_edits(size))
                edits = OSA.distance(word, known, score_cutoff=most)
                if edits <= most:
                    best, least = known, edits
        return best

    @staticmethod
    def most_edits(size: int) -> int:
        """How many letters of a word may be wrong, left out, too many or swapped."""
        return 0 if size < _SHORTEST_MISSPELT else 1 if size < _LONG else 2


def words_of(text: str) -> list[tuple[str, bool]]:
    """Returns the words of a text as rules spell them, and whether a new part of a sentence begins with each."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(each for each in plain if not unicodedata.combining(each))
    plain = _REPEATED.sub(r"\1\1", _SUBREDDIT.sub(" reddit ", plain))
    found = list[tuple[str, bool]]()
    end = 0
    for match in _WORD.finditer(plain):
        between = plain[end : match.start()]
        found.append((match[0], any(each in ",.;:!?()" for each in between)))
        end = match.end()
    return found


@lru_cache(maxsize=1)
def rule_book() -> RuleBook:
    """Returns the rules, which are read once."""
    return RuleBook(tomllib.loads(files(__package__).joinpath("rules.toml").read_text("utf-8")))


def _rules(table: Iterable[Mapping[str, Any]]) -> Iterable[Rule]:
    for order, each in enumerate(table):
        name, channel = each["class"], each.get("channel")
        if name not in ANSWER_CLASSES and name != "nothing":
            raise ValueError(f"{name!r} is no class of answers")
        if channel is not None and channel not in CODES:
            raise ValueError(f"{channel!r} is no channel")
        for phrase in _split(each["phrases"]):
            words = tuple(_REPEATED.sub(r"\1\1", phrase.removeprefix("=")).split())
            yield Rule(name, float(each["rank"]), channel, each["language"], words, phrase.startswith("="), order)


def _split(text: str) -> list[str]:
    return [phrase for part in text.split(",") if (phrase := " ".join(part.split()))]


def _set(text: str) -> frozenset[str]:
    return frozenset(_split(text))
