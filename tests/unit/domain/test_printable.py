"""Which characters of a visitor come out as escapes, and which stay."""

from __future__ import annotations

import json
import sys
import unicodedata

import msgspec
import pytest

from grapevine.domain.printable import printable, printable_json, printable_lines

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
