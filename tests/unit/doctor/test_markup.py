"""The reader of HTML: what browsers make of tags, and hostile text in time that grows with its length alone."""

from __future__ import annotations

import time

import pytest

from grapevine.doctor.page.markup import MOST_ELEMENTS, read_markup


def scripts(html: str) -> list[tuple[dict[str, str], str]]:
    return [(dict(each.attributes), each.text) for each in read_markup(html).named("script")]


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<script src=a>1<2</script>", [({"src": "a"}, "1<2")]),
        ("<SCRIPT\nASYNC SRC = 'a b'\t></ScRiPt >", [({"async": "", "src": "a b"}, "")]),
        ('<script src="a"src="b"/>x</script>', [({"src": "a"}, "x")]),
        ("<script a=1/ b></script>", [({"a": "1/", "b": ""}, "")]),
        ('<script src="x?a=1&amp;b=2"></script>', [({"src": "x?a=1&b=2"}, "")]),
        ("<script><!-- </scripts> </script x><script>", [({}, "<!-- </scripts> "), ({}, "")]),
        ("<!-- <script></script> --><script>1</script>", [({}, "1")]),
        ("<!--><script>1</script>", [({}, "1")]),
        ("<!---><script>1</script>", [({}, "1")]),
        ("<!-- a --!><script>1</script>", [({}, "1")]),
        ("<!doctype html><?x?></3><script>1</script>", [({}, "1")]),
        ("<textarea><script>1</script></textarea><title><script></title>", []),
        ("<noscript><script>1</script></noscript>", []),
        ("<style><script>1</script></style>", []),
        ("<template><script>1</script></template><script>2</script>", [({}, "2")]),
        ("<script src='a", []),
        ("< script></script>", []),
        ("a<b <script>1</script>", []),
        ("<scripty></scripty><script/>1</script>", [({}, "1")]),
    ],
)
def test_what_browsers_see(html: str, expected: list[tuple[dict[str, str], str]]) -> None:
    assert scripts(html) == expected


def test_lines_are_counted() -> None:
    found = read_markup("<html>\n<head>\n\n<script></script><meta>\n<link>")
    assert [(each.name, each.line) for each in found.elements] == [("script", 4), ("meta", 4), ("link", 5)]


def test_a_number_that_is_no_character() -> None:
    number = f"&#{'1' * 5_000};"
    found = read_markup(f"<meta content='{number}'>widget {number}")
    assert [(each.get("content"), found.texts) for each in found.elements] == [("\ufffd", ["widget \ufffd"])]


HOSTILE = {
    "comments": "<!--",
    "ended comments": "<!---->",
    "banged": "<!----!>",
    "tags": "<a ",
    "quotes": "<a x='",
    "ends": "</",
    "raw": "<script>",
    "raw ends": "</script",
    "names": "<a a=a b c d e>",
    "entities": "&amp",
    "declarations": "<!",
    "nested": "<div>",
    "telling": "widget ",
    "scripts": "<script></script>",
    "half": "<script src=widget.js ",
    "spaces": "<a\n\n\n\n",
    "equals": "<a =======>",
}


SCANNED = ("comments", "ended comments", "banged", "quotes", "raw", "raw ends")
"""Where each piece looks for something that may not be there: only a large text shows such passes."""
DEADLINE_SECONDS = 20
"""Of processor time: reading takes a second or two, and a second pass for each piece half a minute."""


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_is_read_in_one_pass(name: str) -> None:
    piece = HOSTILE[name]
    size = 2 << 20 if name in SCANNED else 1 << 18
    started = time.process_time()
    read_markup(piece * (size // len(piece)))
    assert time.process_time() - started < DEADLINE_SECONDS


def test_a_page_of_very_many_elements_is_read_to_a_bound() -> None:
    found = read_markup("<meta>" * (MOST_ELEMENTS + 1))
    assert (len(found.elements), found.is_whole) == (MOST_ELEMENTS, False)
