"""Words after ``/go/``: how they are folded, which are twins, which are reserved."""

from __future__ import annotations

import re
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.routing import BaseRoute, Mount, Route

from grapevine.links.words import (
    LONGEST,
    SHORTEST,
    WordError,
    checked_word,
    folded,
    reserved,
    reserved_groups,
    skeleton,
    word_key,
)
from grapevine.web.routes import routes
from grapevine.writer.nonces import Nonces

NONCES = Nonces(b"k" * 32)
WORDS = st.from_regex(rf"[a-z0-9][a-z0-9-]{{0,{LONGEST - 2}}}[a-z0-9]", fullmatch=True)
TWINS = [
    ("0", "o"), ("1", "l"), ("i", "l"), ("1", "i"), ("5", "s"), ("2", "z"), ("m", "rn"), ("w", "vv"), ("d", "cl"),
    ("d", "c1"), ("4", "four"), ("4", "for"), ("3", "three"), ("6", "six"), ("7", "seven"), ("8", "eight"),
    ("9", "nine"), ("-", ""), ("-", "--"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("typed", "word"),
    [
        ("summer", "summer"),
        ("Summer", "summer"),
        ("SUMMER.", "summer"),
        (" “summer”, ", "summer"),
        ("/summer/", "summer"),
        ("(summer-sale)!", "summer-sale"),
        ("-summer-", "summer"),
        ("%73ummer", "summer"),
        ("%2573ummer", "summer"),
        ("summer%20", "summer"),
        ("summer%E2%80%9D", "summer"),
        ("sum\u00admer", "summer"),
        ("\u202esummer\u200b", "summer"),
        ("summer\u2011sale", "summer-sale"),
        ("summer—sale", "summer-sale"),
        ("ｓｕｍｍｅｒ", "summer"),
        ("ﬁnal", "final"),
        ("Straße", "strasse"),
        ("2026", "2026"),
    ],
)
def test_how_a_word_is_folded(typed: str, word: str) -> None:
    assert folded(typed) == checked_word(typed) == word
    assert word_key(NONCES, typed) == word_key(NONCES, word)


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("", "has no letter and no digit"),
        ("--%2D--", "has no letter and no digit"),
        ("a", "has 1 character, and a word has 2 to 40"),
        ("a" * 41, "has 41 characters, and a word has 2 to 40"),
        ("summer sale", "has ' ' in it, and a word has nothing but letters from a to z, digits and hyphens"),
        ("summer_sale", "has '_' in it"),
        ("summer/sale", "has '/' in it"),
        ("so\u0301mmer2", "has 'ó' in it"),
        ("s\u0443mmer", "has '\u0443' in it"),  # Cyrillic
        ("sum\x00mer", "has '\\x00' in it"),
        ("été", "has 'é' in it"),
        ("夏", "has '夏' in it"),
        ("a%00%ff" * 100, "in it"),
        ("admin", "is reserved: people would believe that the operator of this server speaks to them"),
        ("ADM1N", "is reserved"),
        ("ad-min", "is reserved"),
        ("s1gn-1n", "is reserved: people would take the link for a page of this server"),
        ("admin-login", "is reserved"),
        ("payrnent", "is reserved: people are tricked out of passwords and money with such words"),
        ("paypal-login", "is reserved: people are tricked out of passwords and money with such words"),
        ("your-l0g-1n-now", "is reserved: people are tricked out of passwords and money with such words"),
        ("verify-my-bank", "is reserved: people are tricked out of passwords and money with such words"),
        ("shop-s1gn-in", "is reserved: people would take the link for a page of this server"),
        ("11-2", "is reserved: people in need of help would be led astray"),
    ],
)
def test_what_is_no_word_is_refused_with_the_reason(typed: str, says: str) -> None:
    with pytest.raises(WordError, match=re.escape(says)):
        checked_word(typed)


@pytest.mark.parametrize(("one", "other"), TWINS)
def test_twins_are_one_word(one: str, other: str) -> None:
    for before, behind in (("x", "y"), ("v", "v"), ("c", "r"), ("rn", "vv"), ("-0", "1-")):
        assert skeleton(f"a{before}{one}{behind}b") == skeleton(f"a{before}{other}{behind}b") != ""


@given(WORDS, st.data())
def test_any_mixture_of_twins_is_one_word(word: str, data: st.DataObject) -> None:
    typed = word
    for _ in range(data.draw(st.integers(0, 6))):
        found = [(at, a, b) for a, b in TWINS if a for at in range(len(typed)) if typed.startswith(a, at)]
        if not found:
            break
        at, a, b = data.draw(st.sampled_from(found))
        changed = typed[:at] + b + typed[at + len(a) :]
        if len(changed) > LONGEST or not (changed[:1] + changed[-1:]).isalnum() or len(changed) < SHORTEST:
            break
        typed = changed
    assert skeleton(typed) == skeleton(word)


def test_different_words_are_different() -> None:
    words = [
        "summer",
        "simmer",
        "sumer",
        "summers",
        "sun",
        "autumn",
        "spring",
        "table-4",
        "table-3",
        "expo",
        "a1",
        "b1",
    ]
    assert len({skeleton(word) for word in words}) == len({word_key(NONCES, word) for word in words}) == len(words)


@given(st.text(max_size=60) | st.binary(max_size=40).map(lambda raw: raw.decode("latin-1")))
def test_any_text_is_a_word_or_refused(text: str) -> None:
    with suppress(WordError):
        word = checked_word(text)
        assert re.fullmatch(r"[a-z0-9-]{2,40}", word)
        assert folded(word) == word
        assert skeleton(word) == skeleton(text)


@pytest.mark.parametrize("text", ["a" * 100_000, "ﷺ" * 100_000, "%" * 100_000, "\u0301" * 100_000, "%25" * 100_000])
def test_of_a_long_text_little_is_read(text: str) -> None:
    assert len(folded(text)) < 10_000
    assert skeleton(text) == ""


def test_no_word_hides_a_page_of_this_server() -> None:
    first = {path.split("/")[1].partition(".")[0] for path in paths(routes(""), "")}
    first = {name for name in first if re.fullmatch(r"[a-z0-9-]{2,40}", name)}
    assert {"go", "about", "cascades", "docs", "healthz", "sign-in", "widget"} <= first
    assert [name for name in sorted(first) if not reserved(name)] == []


def paths(found: list[BaseRoute], start: str) -> list[str]:
    names = []
    for each in found:
        if isinstance(each, Mount):
            names += paths(list(each.routes), start + each.path)
        elif isinstance(each, Route):
            names.append(start + each.path)
    return [re.sub(r"\{.*", "", name) for name in names]


def test_every_reserved_word_could_be_one() -> None:
    words = [word for group in reserved_groups() for word in (*group.words, *group.inside)]
    assert len(words) == len({skeleton(word) for word in words}) > 100
    for word in words:
        assert folded(word) == word
        assert skeleton(word)
    for word in (
        "summer", "sale-2026", "help-wanted", "go-outside", "support-our-zoo", "expo26", "birthday-card", "river-bank",
        "update-2026", "jam-session", "blog-in-may", "by-accountants", "paypallogin", "authors-night", "re-verifying",
    ):  # fmt: skip
        assert reserved(word) is None, word
