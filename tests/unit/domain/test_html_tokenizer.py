"""The positions that the tokenizer gives; what browsers see is tested with its reader in ``unit/doctor``."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies

from grapevine.domain.html_tokenizer import MOST_ATTRIBUTES, Comment, StartTag, Text, html_tokens

PIECES = strategies.sampled_from(
    [
        "<",
        ">",
        "</",
        "<!--",
        "-->",
        "--!>",
        "a",
        " ",
        '"',
        "'",
        "=",
        "/",
        "href",
        "script",
        "title",
        "\n",
        "\0",
        "!",
        "?",
    ]
)


def test_values_are_where_they_stand() -> None:
    html = "x<A HREF = 'a b' b=c d e=\"\">y</a>"
    tag = next(token for token in html_tokens(html) if isinstance(token, StartTag))
    values = {name: (html[each.start : each.end], each.quote) for name, each in tag.attributes.items()}
    assert (tag.name, html[tag.start : tag.end]) == ("a", html[1 : html.index("y")])
    assert values == {"href": ("a b", "'"), "b": ("c", ""), "d": ("", ""), "e": ("", '"')}


@pytest.mark.parametrize("part", ["<script>1<2</script>", "<!-- a -->b", "<a b='c'>", "<p", "<!--"])
def test_a_part_is_read_as_a_text_of_its_own(part: str) -> None:
    whole = f"<textarea>{part}</script>'-->\">"
    first, last = 10, 10 + len(part)
    found = [(type(token), token.start - first, token.end - first) for token in html_tokens(whole, first, last)]
    assert found == [(type(token), token.start, token.end) for token in html_tokens(part)]


def test_attributes_are_bounded() -> None:
    html = "<a " + " ".join(f"a{number}=1" for number in range(1_000)) + ">"
    pause, tag = html_tokens(html)
    assert isinstance(tag, StartTag)
    assert len(tag.attributes) == MOST_ATTRIBUTES
    assert pause == Text(html.index(" a999="), html.index(" a999="))


@pytest.mark.parametrize("mark", ["<", "<!>", "</>", "<?>"])
def test_a_reader_can_pause_where_nothing_is_found(mark: str) -> None:
    pauses = [token for token in html_tokens(mark * 5_000) if token.start == token.end]
    assert len(pauses) == 5


@given(strategies.lists(PIECES, max_size=60).map("".join))
def test_tokens_are_in_order_and_within_the_text(html: str) -> None:
    position = 0
    for token in html_tokens(html):
        assert position <= token.start <= token.end <= len(html)
        position = token.end
        if isinstance(token, Comment):
            assert html[token.start - 4 : token.start] == "<!--"
        elif isinstance(token, StartTag):
            assert token.end <= token.text_end
            assert all(token.start < each.start <= each.end < token.end for each in token.attributes.values())
