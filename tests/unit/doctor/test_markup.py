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


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_takes_time_in_proportion_to_its_length(name: str) -> None:
    """Eight times as much text takes less than thirty-two times as long; what grows with the square takes 64 times."""
    piece = HOSTILE[name]

    def seconds(size: int) -> float:
        text = piece * (size // len(piece))
        started = time.process_time()
        read_markup(text)
        return time.process_time() - started

    small, large = min(seconds(40_000) for _ in range(5)), seconds(320_000)
    assert large < 32 * max(small, 0.002), (small, large)


def test_a_page_of_very_many_elements_is_read_to_a_bound() -> None:
    found = read_markup("<meta>" * (MOST_ELEMENTS + 1))
    assert (len(found.elements), found.is_whole) == (MOST_ELEMENTS, False)
