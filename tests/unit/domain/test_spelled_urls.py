"""URLs that are stored whole: as a browser spells them, and without anybody's token."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grapevine.domain.token_urls import tagged, untagged
from grapevine.domain.urls import MAX_LENGTH, UrlError, origin_of, page_of, spelled_url

ORIGIN = "https://a.example"
TOKEN = "8ELulSh3Pe9N6xYWSciuLsM"
PIECES = st.lists(
    st.sampled_from([
        "/", "a", "é", "%C3%A9", "%c3%a9", "%", "?", "&", "=", "#", "..", ".", "+", "%20", "[", "|", "'", "(", ";",
        "x=1", "題", "gv=", "gv-", TOKEN, "GV=", "&amp;",
    ])
).map("".join)  # fmt: skip


@given(PIECES)
def test_a_spelled_url_is_ascii_stays_as_it_is_and_shows_the_same_page(rest: str) -> None:
    try:
        url = spelled_url(f"{ORIGIN}/{rest}")
    except UrlError:
        return
    assert url.isascii()
    assert re.search(r"[\s\"<>`]", url) is None
    assert spelled_url(url) == url
    assert origin_of(url) == ORIGIN
    pages = [page_of(1, each, frozenset({ORIGIN}), "gv", None) for each in (url, f"{ORIGIN}/{rest}")]
    assert pages[0] == pages[1]


@given(PIECES, st.sampled_from(["auto", "fragment", "query"]), st.sampled_from(["-", "="]))
def test_a_token_that_was_put_in_is_taken_out(rest: str, place: str, joint: str) -> None:
    url = untagged(f"{ORIGIN}/{rest}", "gv")
    assert untagged(url, "gv") == url or TOKEN in rest
    if TOKEN not in url:
        assert TOKEN not in untagged(tagged(url, TOKEN, "gv", place, joint), "gv")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ftp://a.example/",
        f"{ORIGIN}\\x",
        f"{ORIGIN}/ ",
        "https://u@a.example/",
        f"{ORIGIN}/{'ü' * (MAX_LENGTH // 6)}",
    ],
)
def test_what_cannot_be_spelled(url: str) -> None:
    with pytest.raises(UrlError):
        spelled_url(url)
