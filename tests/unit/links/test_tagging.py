"""Tagging of mails: bytes that stay, places of the token, bounds, and hostile text."""

from __future__ import annotations

import re
import time
from itertools import product

import pytest
from hypothesis import assume, given, strategies

from grapevine.domain.character_references import attribute_text
from grapevine.domain.html_tokenizer import StartTag, html_tokens
from grapevine.domain.token_urls import tagged, token_in
from grapevine.links.mail.encodings import decoded, encoded
from grapevine.links.mail.schemas import SkippedLinks
from grapevine.links.mail.tagging import MOST_LINKS, TooManyLinks, UrlRule, read_mail

TOKEN = "4fZk2Qm81xLr0aTn7Ye3WbC"
ORIGINS = frozenset(("https://shop.example", "http://shop.example"))
RULE = UrlRule(origins=ORIGINS, param="gv", place="auto", joint="-")

MARKS = """
< > </ <!-- --> --!> <![if]> <![endif]--> <area href= = " ' <p> </p> <script> </script> <style> </title> / ? # & &amp; é
https://shop.example //shop.example HTTP://SHOP.example:80 https://other.example &#38; &#35; &num; &sol; &copy= a=1 gv=
gv- 4fZk2Qm81xLr0aTn7Ye3WbC {{ }} {% %} <% %> *| |* %% [[ ]] ${ } #{ ## \\ data-grapevine-ignore x
""".split()
RARE = [" ", "\r", "\n", "\t", "\0", "\ud800", "\udcff", "<a href=", "<base ", "<!--[if mso]>", '">', "'>"]
LINK_STARTS = ['<a href="https://shop.example', "<v:rect href='//shop.example", "<area href=HTTP://SHOP.example:80"]
PIECES = strategies.sampled_from(MARKS) | strategies.sampled_from(RARE) | strategies.text(max_size=3)
LINKS = strategies.builds(
    lambda start, pieces, end: "".join((start, *pieces, end)),
    strategies.sampled_from(LINK_STARTS),
    strategies.lists(PIECES, max_size=5),
    strategies.sampled_from(['">', "'>", ">"]),
)
TEXTS = strategies.lists(LINKS | PIECES, max_size=40).map("".join)
RULES = strategies.builds(
    UrlRule,
    origins=strategies.just(ORIGINS),
    param=strategies.sampled_from(["gv", "copy", "x1", "amp"]),
    place=strategies.sampled_from(["auto", "fragment", "query"]),
    joint=strategies.sampled_from("-="),
)


def without_insertions(pieces: tuple[str, ...], html: str, param: str) -> str:
    """Returns the text of pieces without what was written before each token: ``html``, where nothing else is new."""
    before = re.compile(rf"(?:[?#]|&|&#?\w{{1,9}};)?{param}[=-]")
    kept, position = "", 0
    for piece in pieces[:-1]:
        sizes = [
            size
            for size in range(len(piece))
            if before.fullmatch(piece, size) and html.startswith(piece[:size], position)
        ]
        assert sizes, (piece, html[position:])
        kept += piece[: sizes[-1]]
        position = len(kept)
    return kept + pieces[-1]


@given(TEXTS, RULES)
def test_only_tokens_are_inserted(html: str, rule: UrlRule) -> None:
    mail = read_mail(html, rule)
    assert without_insertions(mail.pieces, html, rule.param) == html
    again = read_mail(mail.tagged(TOKEN), rule)
    assert (again.links, again.skipped.tagged) == (0, mail.skipped.tagged + mail.links)


@given(
    strategies.lists(
        strategies.sampled_from(["a", "/", "?", "#", "&amp;", "&", "b=1", "&#35;", "é", "%20"]), max_size=9
    )
)
def test_a_link_becomes_what_the_rule_for_urls_says(pieces: list[str]) -> None:
    """The tagged attribute, read as a browser does, is the URL with its token."""
    address = "".join(("https://shop.example/", *pieces))
    assume("##" not in address)  # the mark of a placeholder
    for place, param in product(("auto", "fragment", "query"), ("gv", "x1")):
        rule = UrlRule(origins=ORIGINS, param=param, place=place, joint="-")
        html = read_mail(f'<a href="{address}">', rule).tagged(TOKEN)
        (tag,) = (token for token in html_tokens(html) if isinstance(token, StartTag))
        value = tag.attributes["href"]
        found = attribute_text(html[value.start : value.end])
        assert found == tagged(attribute_text(address), TOKEN, param, place, "-")


@given(strategies.binary(max_size=200))
def test_bytes_come_back(data: bytes) -> None:
    assert encoded(decoded(data), data) == data


@pytest.mark.parametrize(
    ("html", "page"),
    [
        ('<a href="//shop.example/a?x=1&amp;gclid=2#c">', "https://shop.example/a?x=1&gclid=2"),
        ('<a href="https://shop.example/{{ x }}"><a href="https://shop.example/b?y={{ y }}&z=1">', "https://shop.example/b?z=1"),
        ('<a href="HTTP://Shop.example:80/{{ x }}">', "http://Shop.example:80/"),
        ('<base href="https://shop.example/m/"><a href="../{{ x }}">', "https://shop.example/"),
        ('<base href="https://shop.example/m/"><a href="n?o">', "https://shop.example/m/n?o"),
        ("<a href='https:\\shop.example\\a?b\\c'>", "https://shop.example/a?b\\c"),
        ("<a href='///SHOP.example/{{ x }}'>", "https://SHOP.example/"),
        ("<a href='https://shop.example/a\"b c\\d'>", "https://shop.example/a%22b%20c/d"),
        ('<a href="https://other.example/">', None),
    ],
)  # fmt: skip
def test_the_page_of_a_mail_is_that_of_its_first_own_link(html: str, page: str | None) -> None:
    assert read_mail(html, RULE).page == page


def test_a_merge_field_takes_the_place_of_the_token() -> None:
    html = '<a href="https://shop.example/?a=1&amp;b#c"><a href=https://shop.example/d><a href="//shop.example/e">'
    mail = read_mail(html, RULE, "*|GV|*")
    tagged_mail = mail.tagged("*|GV|*")
    assert tagged_mail.count("*|GV|*") == mail.links == 3
    assert read_mail(tagged_mail, RULE, "*|GV|*").skipped == SkippedLinks(tagged=3)
    assert read_mail(tagged_mail, RULE).skipped == SkippedLinks(tagged=3)
    assert read_mail(html, RULE, "<%= gv %>").skipped == SkippedLinks(unusable=1)
    custom = read_mail(html, RULE, "$GV$")
    assert read_mail(custom.tagged("$GV$"), RULE, "$GV$").skipped == SkippedLinks(tagged=3)


def test_own_links_are_bounded() -> None:
    link = '<a href="https://shop.example/">'
    assert read_mail(link * MOST_LINKS, RULE).links == MOST_LINKS
    foreign = read_mail('<a href="https://other.example/">' * 1_000, RULE)
    assert foreign.skipped == SkippedLinks(elsewhere=1_000)
    for html in (link * (MOST_LINKS + 1), f'<a href="https://shop.example/#gv-{TOKEN}">' * MOST_LINKS + link):
        with pytest.raises(TooManyLinks):
            read_mail(html, RULE)


def test_long_links_are_left_alone() -> None:
    for address in (f"https://shop.example/{'a' * 2_048}", f"https://shop.example/{'&#97;' * 100_000}"):
        assert read_mail(f'<a href="{address}">', RULE).skipped == SkippedLinks(unusable=1)


def test_a_short_path_that_looks_like_a_token_is_none() -> None:
    assert token_in(f"https://shop.example/{TOKEN}", "gv") is None
    assert token_in(f"{TOKEN}.html", "gv") is None


HOSTILE = (
    "<!--", "<!--[if mso]>", "<!--[if ", "<a ", '<a href="', "<a href=//shop.example/", "<a href=//a>", "</",
    "<script>", "<v:a href=//b>", "{{", "{% ", "<% %>", "*|", "*||*", "%%", "[[", "#{", "&#", "&#1", "&amp;", "\0",
    "<base href=//", "<p data-grapevine-ignore>", "<a x='", "</script", "<a a=a b c d e>", "<!", "<div>",
    "<a\n\n\n\n", "<a =======>", "\ud800", "<a href='{{", "<a href=https:&#47;&#47;shop.example/><i>",
)  # fmt: skip
DEADLINE_SECONDS = 20
"""Of processor time: reading takes about a second, and a second pass for each piece minutes."""


@pytest.mark.parametrize("piece", HOSTILE)
def test_hostile_mails_are_read_in_one_pass(piece: str) -> None:
    size = 1 << 20 if piece.startswith(("<!--", "<a x", '<a href="', "<script", "{{")) else 1 << 17
    started = time.process_time()
    try:
        mail = read_mail((piece * (size // len(piece) + 1))[:size], RULE)
    except TooManyLinks:
        mail = None
    assert mail is None or mail.links <= MOST_LINKS
    assert time.process_time() - started < DEADLINE_SECONDS
