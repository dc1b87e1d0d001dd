"""Which characters of a visitor come out as escapes, and which stay."""

from __future__ import annotations

import json
import sys
import unicodedata

import msgspec
import pytest

from grapevine.domain.printable import MOST_MARKS, is_legible, name_text, printable, printable_json, printable_lines

NEVER = [
    *range(0x20),
    *range(0x7F, 0xA0),
    0x061C,
    0x200E,
    0x200F,
    *range(0x2028, 0x202F),
    *range(0x2066, 0x2070),
    0xFEFF,
    0xD800,
    0xDFFF,
]


@pytest.mark.parametrize("code", NEVER)
def test_an_unprintable_character_is_escaped(code: int) -> None:
    character = chr(code)
    for shown in (printable(f"a{character}b"), printable_lines(f"a{character}b")):
        if shown != "a\nb":
            assert shown.isascii()
            assert shown.isprintable()
            assert json.loads(f'"{shown}"') == f"a{character}b"
    assert (printable_lines(character) == character) == (character == "\n")


@pytest.mark.parametrize(
    "text", ["", "plain", "Brot & Käse", "日本語", "עברית", "العربية", "👩‍👩‍👧", "a b", "café", "=1+1", "\\u001b"]
)
def test_people_s_writing_stays(text: str) -> None:
    assert printable(text) == printable_lines(text) == text
    encoded = msgspec.json.encode(text)
    assert printable_json(encoded) == encoded


def test_no_control_or_bidirectional_character_of_unicode_is_left() -> None:
    for code in range(sys.maxunicode + 1):
        character = chr(code)
        turns = unicodedata.bidirectional(character) in {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
        if turns or unicodedata.category(character) in {"Cc", "Zl", "Zp", "Cs"}:
            assert printable(character) != character, hex(code)


def test_json_keeps_its_meaning() -> None:
    text = "".join(chr(code) for code in NEVER if not 0xD800 <= code <= 0xDFFF) + "日\U0001f347\\"
    encoded = printable_json(msgspec.json.encode([text]))
    assert json.loads(encoded) == [text]
    assert encoded.decode().replace("日", "").replace("\U0001f347", "").isascii()
    assert encoded.decode().isprintable()


@pytest.mark.parametrize(
    "name",
    [
        "bob", "Zoë", "Nguyễn Thị Ánh", "日本語", "葛\U000e0100城", "שָׁלוֹם", "بِسْمِ", "می\u200cخواهم", "PDF\u200cها",
        "ه\u200d.ش", "क्\u200dष", "ක්\u200dර", "ᠮᠣᠩᠭᠣᠯ\u180eᠠ", "👩\u200d👩\u200d👧", "❤\ufe0f\u200d🔥",
        "👩🏽\u200d🚀 team", "1\ufe0f\u20e3", "☎\ufe0f 5", "a" + "\u0301" * MOST_MARKS,
        "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", "⠓⠊\u2800⠓⠊", "𝐛",
    ],
)  # fmt: skip
def test_people_s_names_are_legible(name: str) -> None:
    assert is_legible(name_text(name))
    assert name_text(f" {name}\u00a0") == name_text(name) == name_text(unicodedata.normalize("NFD", name))


@pytest.mark.parametrize(
    "name",
    [
        "a\nb", "a\u200bb", "a\u2060b", "a\u00adb", "a\ufeffb", "a\u061cb", "a\u115fb", "\u3164", "\uffa0",
        "\u2800", "bob\u2800", "a\U000e0041b", "a\ue000b", "a\U0010fffdb", "a\uffffb", "bo\u200db", "bo\u200cb",
        "bob\u200d", "\u200dbob", "日\u200d",
        "日\u200d\u200d本", "bob\ufe0f", "日\ufe0f\ufe0f", "\u200d", "\ufe0f", "b\U000e0100", "a\u180bb", "a\u034fb",
        "🏴\U000e0067", "a" + "\u0301" * (MOST_MARKS + 2),
    ],
)  # fmt: skip
def test_names_that_hide_something_are_not(name: str) -> None:
    assert not is_legible(name_text(name))
