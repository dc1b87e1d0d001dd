"""What a source says: the cases of the test suite for receivers (webmention.rocks), and hostile pages."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator

import pytest

from grapevine.domain.html_tokenizer import HtmlToken, html_tokens
from grapevine.egress.bounded_fetch import FetchedText
from grapevine.mentions.source_page import MOST_TAGS, SourceFacts, decoded, read_source
from grapevine.mentions.source_text import source_text

TARGET = "https://a.example/bread"


def answer(
    body: str | bytes, kind: str = "text/html; charset=utf-8", url: str = "https://b.example/x/post"
) -> FetchedText:
    """An answer with this content."""
    content = body.encode() if isinstance(body, str) else body
    return FetchedText(url=url, status=200, headers=(("content-type", kind),), body=content)


def read(body: str | bytes, kind: str = "text/html; charset=utf-8") -> SourceFacts:
    """What a source says of the target."""
    facts = read_source(answer(body, kind), lambda url: url == TARGET)
    assert facts is not None
    return facts


@pytest.mark.parametrize("shape", [True, False])
def test_what_links_and_what_does_not(shape: bool) -> None:
    links = (
        f'<a href="{TARGET}">x</a>',
        f"<A HREF={TARGET}>x</a>",
        f"<a class=u-in-reply-to href=' {TARGET} '>x</a>",
        f'<div><p>unclosed<a rel="nofollow" href="{TARGET}"></a>',
        '<a href="https://a.example/br&#101;ad">x</a>',
        '<a href="//a.example/bread">x</a>',
        '<base href="https://a.example/x/"><a href="../bread">x</a>',
        f'<img src="{TARGET}">',
        f'<video src="{TARGET}"></video>',
        f'<video><source src="{TARGET}"></video>',
        f'<blockquote cite="{TARGET}">x</blockquote>',
        f'<p hidden>x<p><a href="{TARGET}">x</a>',
        f'<template><b></template><a href="{TARGET}">x</a>',
        f'</div></p></b><a href="{TARGET}">x</a>',
        f'<!-- x --><a href="{TARGET}">x</a><!-- y -->',
    )
    none = (
        "",
        f"<p>{TARGET}</p>",
        f'<!-- <a href="{TARGET}">x</a> -->',
        f'<!--><a href="{TARGET}--><a href="/',
        f"<script>\"<a href='{TARGET}'>x</a>\"</script>",
        f"<style>a[href='{TARGET}']{{}}</style>",
        f'<textarea><a href="{TARGET}">x</a></textarea>',
        f'<title><a href="{TARGET}">x</a></title>',
        f'<template><a href="{TARGET}">x</a></template>',
        f'<noscript><a href="{TARGET}">x</a></noscript>',
        f'<a hidden href="{TARGET}">x</a>',
        f'<div hidden><p>x</p><ul><li><a href="{TARGET}">x</a></ul></div>',
        f'<a href="{TARGET}/more">x</a>',
        f'<a href="{TARGET}#x">x</a>',  # an address that the site's own rule, which ``is_target`` is, does not match
        '<a href="/bread">x</a>',
        f'<a data-href="{TARGET}" title="{TARGET}">x</a>',
        f'<link rel="canonical" href="{TARGET}"><link rel="webmention" href="{TARGET}">',
        f'<meta http-equiv="refresh" content="0;url={TARGET}">',
        f'<form action="{TARGET}"><input value="{TARGET}"></form>',
        f'&lt;a href="{TARGET}"&gt;x&lt;/a&gt;',
        f'<a href="{TARGET}',
        f"<a href=\"javascript:location='{TARGET}'\">x</a>",
        f'<a href="http://[{TARGET}">x</a>',
    )
    for body in links if shape else none:
        assert read(body).links is shape, body


def test_json_and_plain_text_link_too_and_nothing_else_does() -> None:
    assert read(f'{{"a": [{{"b": "{TARGET}"}}]}}', "application/json").links
    assert read(f'{{"a": "{TARGET}"}}', "application/feed+json; charset=utf-8").links
    assert not read(f'{{"{TARGET}": "see {TARGET}"}}', "application/json").links
    assert not read(f'{{"a": "{TARGET}"', "application/json").links
    assert not read("[" * 500_000, "application/json").links
    assert read(f"See {TARGET}.\n", "text/plain").links
    assert read(f"See <{TARGET}>\n", "text/plain").links
    assert not read(f"See {TARGET}/more\n", "text/plain").links
    for kind in ("image/png", "application/pdf", "application/octet-stream", "text/css", "video/mp4"):
        assert read_source(answer(f'<a href="{TARGET}">', kind), lambda url: url == TARGET) is None
    assert read_source(answer(f'<a href="{TARGET}">', ""), lambda url: url == TARGET) == SourceFacts(links=True)


def test_title_and_author_are_plain_text_on_one_line() -> None:
    for body, title, author in (
        ("<title> A\n &amp; B </title>", "A & B", None),
        ("<svg><title>icon</title></svg><title>Page</title>", "Page", None),
        ('<meta property="og:title" content="Social">', "Social", None),
        ("<title></title><meta property=og:title content=Social>", "Social", None),
        ("<title><script>alert(1)</script></title>", "<script>alert(1)</script>", None),
        ("<title>\u202egnp.exe\x07\x1b[31m\u200bx</title>", "gnp.exe [31m x", None),
        (f"<title>{'x' * 5_000}</title>", "x" * 200, None),
        ('<meta name="author" content="Bob"><meta name="author" content="Eve">', None, "Bob"),
        (
            '<meta name=author content=Bob><a class="p-author h-card" href="/">Ann <b>B</b>aker</a> wrote',
            None,
            "Ann Baker",
        ),
        ('<p hidden class="p-author">Ann</p><meta name=author content=Bob>', None, "Bob"),
        ('<p class="p-author">A<template>x</template>nn<script>no</script></p>', None, "Ann"),
        ('<p class="p-author"> </p><meta name=author content=Bob>', None, "Bob"),
    ):
        assert read(body)[1:] == (title, author), body
    assert source_text("\0\u2028\ud800") is None


def test_texts_are_read_in_the_encoding_that_is_named_and_in_no_strange_one() -> None:
    for body, kind, expected in (
        ("Käse".encode("latin-1"), "text/html; charset=iso-8859-1", "Käse"),
        (b'<meta charset="windows-1251">' + "хлеб".encode("cp1251"), "text/html", '<meta charset="windows-1251">хлеб'),
        ("パン".encode("shift_jis"), 'text/html; charset="Shift_JIS"', "パン"),
        ("Käse".encode(), "text/html", "Käse"),
        (b"\xff", "text/html; charset=utf-8", "\ufffd"),
        (b"egbpdaj6bu4bxfgehfvwxn", "text/html; charset=punycode", "egbpdaj6bu4bxfgehfvwxn"),
        (b"6162", "text/html; charset=hex", "6162"),
        (b"ab", "text/html; charset=unicode_escape", "ab"),
        (b"ab", "text/html; charset=iso-8859-99", "ab"),
    ):
        assert decoded(answer(body, kind)) == expected


def test_hostile_pages_are_read_in_time_that_grows_with_their_size() -> None:
    size = 1 << 20
    hostile = {
        "nested": "<div>" * (size // 5),
        "wrong ends": "<div>" * 2_000 + "</span>" * (size // 7),
        "authors": "<b class=p-author>x" * (size // 19),
        "links": '<a href="/x">' * (size // 13),
        "comments": "<!--" * (size // 4),
        "attributes": "<a " + "b=c " * (size // 4),
        "references": "<title>" + "&#38;" * (size // 5),
        "bases": '<base href="/x">' * (size // 16),
        "unclosed": "<a href='" * (size // 9),
    }
    begun = time.process_time()
    for body in hostile.values():
        read(body)
    read("https://" * (size // 8), "text/plain")
    read('["https://x",' * (size // 13), "application/json")
    assert time.process_time() - begun < 60  # quadratic ones would take hours


def test_a_page_is_read_up_to_a_number_of_tags_or_until_all_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    link = f'<a href="{TARGET}">x</a>'
    assert read("<p>" * (MOST_TAGS - 1) + link).links
    assert not read("<p>" * MOST_TAGS + link).links
    passed = 0

    def counted(text: str) -> Iterator[HtmlToken]:
        nonlocal passed
        for token in html_tokens(text):
            passed += 1
            yield token

    monkeypatch.setattr("grapevine.mentions.source_page.html_tokens", counted)
    known = SourceFacts(links=True, title="On bread", author="Ann")
    parts = ("<title>On bread</title>", "<i class=p-author>Ann</i>", link)
    for order in itertools.permutations(parts):
        passed = 0
        assert read("".join(order) + "<title>Other</title><b class=p-author>Eve</b>" + "<p>" * 1_000) == known
        assert passed < 20, order
    # What could still come is waited for: an author in the text comes before one in the head.
    late = read("<title>On bread</title><meta name=author content=Bob>" + link + "<p>" * 1_000 + parts[1])
    assert late == known
