"""Tokens in URLs: where one is written, and that one is found and taken out whatever hangs on it."""

from __future__ import annotations

import pytest

from grapevine.domain.token_urls import find_token, leading_token, tagged, without_tokens
from grapevine.domain.urls import page_of

T = "8M8zH0OCQtFQh6C5tNQwDkz"
ORIGINS = frozenset({"https://a.example"})
TAILS = [
    ".", ")", "]", "}", ">", ",", ";", ":", "!", "?", "'", '"', "*", "**", "_", "~", "…", "”", "’", "»", "。", "、",
    "）", "を見て", " ", " and more", "%20", "%22", "%E2%80%9D", "%29.", "%0A", "/", "/more", "-", "=", "|", "\\",
    "%C2%AD", "%E2%80%8B", "\u200b", "\u00ad.", "&#038;fbclid=x", "<br>", "?utm_source=email", "%3Futm_source%3Demail",
    "%26fbclid%3Dx", "&fbclid=x", "&amp;utm_medium=mail", "#part",
]  # fmt: skip
"""What links were seen with behind a token: text around it, parameters that somebody added, and both encoded."""
PARAMETER_TAILS = [tail for tail in TAILS if not tail.startswith(("&", "#"))]


@pytest.mark.parametrize(
    ("url", "place", "result"),
    [
        ("https://a.example/x", "auto", "https://a.example/x#gv=T"),
        ("https://a.example/x?a=1", "auto", "https://a.example/x?a=1#gv=T"),
        ("https://a.example/x#part", "auto", "https://a.example/x?gv=T#part"),
        ("https://a.example/x?a=1#/route", "auto", "https://a.example/x?a=1&gv=T#/route"),
        ("https://a.example/x#:~:text=hi", "auto", "https://a.example/x?gv=T#:~:text=hi"),
        ("https://a.example/x", "query", "https://a.example/x?gv=T"),
        ("https://a.example/x#part", "fragment", "https://a.example/x#part&gv=T"),
        ("https://a.example/x", "fragment", "https://a.example/x#gv=T"),
    ],
)
def test_where_the_token_goes(url: str, place: str, result: str) -> None:
    assert tagged(url, "T", "gv", place, "=") == result
    base, _, fragment = result.partition("#")
    assert tagged(url, "T", "gv", place, "-") == f"{base}#{fragment.replace('gv=', 'gv-')}".rstrip("#")


@pytest.mark.parametrize("tail", ["", *TAILS])
def test_what_hangs_on_a_token_is_no_part_of_it(tail: str) -> None:
    assert leading_token(T + tail) == T
    for link in (f"#gv-{T}", f"?gv={T}", f"?gv-{T}", f"#gv={T}", f"?a=1&gv={T}", f"#gv%3D{T}", f"?gv%3d{T}"):
        assert find_token(f"Look: https://a.example/x{link}{tail}", "gv") == T
    for path in ("s", "about"):
        assert find_token(f"https://share.example/{path}/{T}{tail}", "gv") == T


@pytest.mark.parametrize("unseen", ["\u00ad", "\u200b", "\u2060", "\ufeff", "\u200e", "\u2066"])
def test_what_is_unseen_in_a_token_is_no_part_of_it(unseen: str) -> None:
    for text in (T[:9] + unseen + T[9:], unseen + T, unseen + T[:5] + unseen + T[5:] + unseen, T + unseen + "and"):
        assert leading_token(text) == T
    assert leading_token(T[:9] + unseen + T[9:] + "and") != T


WRAPPED = {
    "a mail gateway": "https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fa.example%2Fx%23gv-{}&data=05%7C02",
    "a short link in one": "https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fgv.example%2Fs%2F{}&data=0",
    "a redirect": "https://out.example/?u=https%3A%2F%2Fa.example%2Fx%3Fa%3D1%26gv%3D{}",
    "a redirect in one": "https://o.example/?u=https%3A%2F%2Fi.example%2F%3Fu%3Dhttps%253A%252F%252Fa.example%252F%2523gv-{}",
    "the source of a page": '<a href="https://a.example/x?a=1&amp;gv={}&amp;b=2">',
    "a blog that escapes": "https://a.example/x?a=1&#038;gv={}",
    "a short link below a prefix": "Look: (https://gv.example/leaf/s/{}).",
}


@pytest.mark.parametrize("kind", WRAPPED)
def test_a_token_is_found_in_what_wraps_its_link(kind: str) -> None:
    assert find_token(WRAPPED[kind].format(T), "gv") == T


@pytest.mark.parametrize("text", [f"{T}0", T[:-1], f"{T[:-1]}-", f" {T}", f".{T}", f"{T}é"[:22], ""])
def test_what_is_no_token_stays_as_it_is(text: str) -> None:
    assert leading_token(text) == text


@pytest.mark.parametrize("tail", ["", *PARAMETER_TAILS])
@pytest.mark.parametrize("written", ["gv=", "gv-", "gv%3D", "gv%2d"])
def test_no_stored_page_has_a_token(tail: str, written: str) -> None:
    token = (
        written
        + T
        + tail.replace("\\", "%5C").replace(" ", "+").replace("<", "%3C").replace(">", "%3E").replace('"', "%22")
    )
    pages = {
        f"https://a.example/x?{token}": "https://a.example/x",
        f"https://a.example/x?{token}&page=2": "https://a.example/x?page=2",
        f"https://a.example/x?page=2&{token}": "https://a.example/x?page=2",
        f"https://a.example/x?page=2&{token}#part": "https://a.example/x?page=2",
        f"https://a.example/x?page=2?{token}": "https://a.example/x?page=2",
        f"https://a.example/x?page=2&amp;{token}": "https://a.example/x?page=2",
        f"https://a.example/x?page=2&#038;{token}": "https://a.example/x?page=2",
        f"https://a.example/x#{token}": "https://a.example/x",
        f"https://a.example/x%23{token}": "https://a.example/x",
        f"https://a.example/x&{token}": "https://a.example/x",
    }
    for url, page in pages.items():
        assert page_of(1, url, ORIGINS, "gv", None).url == page, url
        assert T not in page_of(1, url, ORIGINS, "gv", frozenset({"page", "gv", f"gv-{T}"})).url, url


@pytest.mark.parametrize(
    "kept",
    [f"id={T}", f"gv={T}0", f"gv-{T[:-1]}", f"xgv={T}", f"gv-{T[:11]}-{T[11:]}", f"a=gv-{T}", "gv-en", "page=gv-2"],
)
def test_what_is_no_token_tells_pages_apart(kept: str) -> None:
    assert without_tokens(kept, "gv") == kept
    assert without_tokens(f"a=1&{kept}&b", "gv") == f"a=1&{kept}&b"


def test_the_sites_own_parameter_counts() -> None:
    assert without_tokens(f"gv={T}&ref.x-{T}.", "ref.x") == f"gv={T}&".rstrip("&")
    assert without_tokens(f"ref_x={T}", "ref.x") == f"ref_x={T}"
    assert find_token(f"https://a.example/#ref-{T}!", "ref") == T
