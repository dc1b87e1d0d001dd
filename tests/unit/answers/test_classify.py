"""The rules of answers: what they decide, that each can decide, and that hostile texts cost little."""

from __future__ import annotations

import pytest
from rapidfuzz.distance import OSA

from grapevine.answers import rules
from grapevine.answers.classify import MOST_WORDS, classify
from grapevine.collect.list_overrides import assistant_apps
from grapevine.domain.channels import CODES
from grapevine.domain.enums import ANSWER_CLASSES

SAID = {
    "A freind sent me your article on WhatsApp": ("friend", "whatsapp"),
    "not an ad, my friend Jo raved about it": ("friend", None),
    "niet via google maar via een collega": ("friend", None),
    "googled it after reading the piece in the Telegraph": ("press", None),
    "cherché un cadeau pour une amie": ("search", None),
    "Podcats": ("podcast", None),
    "Weihnachtsmarkt in Nürnberg": ("event", None),
    "Publicité sur Facebook": ("advertisement", "facebook"),
    "GOOOOOGLE!!!": ("search", None),
    "¿Quién sabe?": ("other", None),
    "": ("other", None),
    "🦊" * 100: ("other", None),
}


def test_what_is_said_has_a_class() -> None:
    assert {text: tuple(classify(text)) for text in SAID} == SAID


NO_APPS = {"copy", "address", "native", "link", "print", "qr", "email", "line"}
"""Channels that are no app, apart from ``line``, which alone is one, and in a sentence any line."""


def test_each_app_of_the_registry_is_known() -> None:
    said = {name: tuple(classify(f"a friend sent it on {name}")) for name in CODES.keys() - NO_APPS}
    assert said == {name: ("friend", name) for name in said}
    assert {name: tuple(classify(name)) for name in (*said, "line")} == {
        name: ("channel", name) for name in (*said, "line")
    }


def test_each_assistant_that_fetches_for_people_is_known() -> None:
    apps = {app.replace("-", " ") for app in assistant_apps()} - {"kagi assistant"}  # Kagi alone is a search engine
    assert {app: classify(f"I asked {app}").name for app in apps} == dict.fromkeys(apps, "assistant")


def test_every_word_of_the_table_is_spelt_as_texts_are() -> None:
    book = rules.rule_book()
    for rule in book.rules:
        for word in rule.words:
            bare = word.strip("*")
            assert word == rules.ANY or [bare] == [found for found, _ in rules.words_of(bare)], rule
    assert {rule.name for rule in book.rules} | {"other"} == {*ANSWER_CLASSES, "nothing"}


def test_hostile_texts_cost_few_comparisons(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = 0

    def distance(one: str, other: str, *, score_cutoff: int) -> int:
        nonlocal compared
        compared += 1
        return int(real(one, other, score_cutoff=score_cutoff))

    real = OSA.distance
    monkeypatch.setattr(OSA, "distance", distance)
    book = rules.rule_book()
    letters = "abcdefghijklmnopqrstuvwxyz"
    texts = [
        " ".join(letters[i % 26] * 1 + "rienqd" + letters[i // 26] for i in range(62)),
        " ".join(f"s{a}arch{b}" for a in letters for b in "xyz")[:500],
        "told x y z " * 45,
        "e\u0301\u0301\u0301" * 125,
        "ﷺ" * 500,
        "my " * 166,
        "a" * 500,
    ]
    for text in texts:
        book.patterns.cache_clear()
        compared = 0
        classify(text[:500])
        # A word is compared with words that begin as it does and are about as long: never with the whole table.
        assert compared < MOST_WORDS * 200 < MOST_WORDS * len(book.words)
