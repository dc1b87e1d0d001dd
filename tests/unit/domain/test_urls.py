"""URLs: which page they show, and which site they belong to."""

from __future__ import annotations

import pytest

from grapevine.domain.typed_origins import parse_origin
from grapevine.domain.urls import MAX_LENGTH, UrlError, origin_of, page_id, page_of

ORIGINS = frozenset({"https://a.example", "https://b.example:8443"})


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://A.Example/x", "https://a.example"),
        ("https://a.example:443/x", "https://a.example"),
        ("http://a.example:80", "http://a.example"),
        ("http://a.example:8080?x", "http://a.example:8080"),
        ("https://bücher.example/", "https://xn--bcher-kva.example"),
        ("http://[2001:db8::1]:8000/", "http://[2001:db8::1]:8000"),
        ("http://[2001:0DB8:0::0001]/", "http://[2001:db8::1]"),
        ("https://BÜCHER.example/", "https://xn--bcher-kva.example"),
        ("https://XN--bcher-KVA.example/", "https://xn--bcher-kva.example"),
        ("https://b%C3%BCcher.example/", "https://xn--bcher-kva.example"),
        ("https://%61.example/", "https://a.example"),
        ("https://i❤.example/", "https://xn--i-7iq.example"),
        ("https://☃.example/", "https://xn--n3h.example"),
        ("https://my_blog.example/", "https://my_blog.example"),
        ('https://a.example/#a b<c>"d', "https://a.example"),
    ],
)
def test_origins(url: str, origin: str) -> None:
    assert origin_of(url) == origin


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("", "must begin with http"),
        ("//a.example/", "must begin with http"),
        ("ftp://a.example/", "must begin with http"),
        ("https:///path", "no host"),
        ("https://me:pw@a.example/", "user name"),
        ("https://a.example:port/", "is no URL"),
        ("https://a.example/ b", "character"),
        ("https://a.example/\t", "character"),
        ("https:\\\\a.example/", "character"),
        ("https://a.example\\x", "character"),
        ("https://a.example%2Fx/", "character"),
        ("https://me%40a.example/", "character"),
        ("https://a.example/#\0", "character"),
        ("https://a.example/#\ud800", "character"),
        ("https://a.example/%\udfff", "character"),
        ("https://\u202ea.example/", "cannot be"),
        ("https://a%FF.example/", "cannot be"),
        ("https://a\u200db.example/", "cannot be"),
        ("https://[::1::]/", "is no URL"),
        ("https://a.example/\\x", "character"),
        ("https://a.ex|ample/", "character"),
        ("https://a^b.example/", "character"),
        ('https://a.example/?"', "character"),
        ("https://a.example/<x>", "character"),
        ("https://a.example/\x7f", "character"),
        ("https://[::1/", "is no URL"),
        ("https://a.example/" + "x" * MAX_LENGTH, "characters long"),
        ("https://a.example/\ud800", "character"),
    ],
)
def test_what_is_no_origin(url: str, why: str) -> None:
    with pytest.raises(UrlError, match=why):
        origin_of(url)


def test_an_origin_is_typed_without_a_path() -> None:
    assert parse_origin("https://a.example/") == "https://a.example"
    with pytest.raises(UrlError, match=r"use https://a\.example"):
        parse_origin("https://a.example/blog")


@pytest.mark.parametrize(
    ("url", "page"),
    [
        ("https://a.example", "https://a.example/"),
        ("https://a.example/x#part", "https://a.example/x"),
        ("https://a.example/x?b=2&a=1", "https://a.example/x?b=2&a=1"),
        ("https://a.example/x?utm_source=s&a=1&fbclid=f", "https://a.example/x?a=1"),
        ("https://a.example/x?id=1&amp;utm_source=s&amp;amp;mc_eid=2&amp;p=3", "https://a.example/x?id=1&amp;p=3"),
        ("https://a.example/x?id=1&amp;reset_token=T", "https://a.example/x?id=1"),
        ("https://a.example/x?gv=T&&a", "https://a.example/x?a"),
        ("https://a.example/x?id=5&reset_token=T&page=2", "https://a.example/x?id=5&page=2"),
        ("https://a.example/x?token=T", "https://a.example/x"),
        ("https://a.example/x?author=bob&to=bob%40example.com", "https://a.example/x?author=bob"),
        ("https://a.example/x;jsessionid=1A;v=2/y?a=1", "https://a.example/x;v=2/y?a=1"),
        ("https://a.example/u/bob@example.com/leave", "https://a.example/u/*/leave"),
        ("https://a.example/@bob@social.example/5", "https://a.example/@bob@social.example/5"),
        ("https://a.example/%C3%A9?q=%20", "https://a.example/%C3%A9?q=%20"),
        ("https://a.example/a|b^c{d}`e?f=|^{}`\\'", "https://a.example/a%7Cb%5Ec%7Bd%7D%60e?f=%7C%5E%7B%7D%60%5C%27"),
        ("https://a.example/\x9b31m\u202ex?y=\u2066", "https://a.example/%C2%9B31m%E2%80%AEx?y=%E2%81%A6"),
        ("https://a.example/%C2%9B31m", "https://a.example/%C2%9B31m"),
        ("https://a.example/日本", "https://a.example/%E6%97%A5%E6%9C%AC"),
        ("https://B.example:8443/x", "https://b.example:8443/x"),
    ],
)
def test_pages(url: str, page: str) -> None:
    assert page_of(1, url, ORIGINS, "gv", None).url == page


def test_a_site_may_list_the_parameters_that_tell_its_pages_apart() -> None:
    found = page_of(1, "https://a.example/x?id=1&view=2&utm_id=3", ORIGINS, "gv", frozenset({"id"}))
    assert found.url == "https://a.example/x?id=1"


@pytest.mark.parametrize("kept", [None, frozenset({"id"})])
def test_a_site_may_keep_parameters_that_are_known_to_track(kept: frozenset[str] | None) -> None:
    url = "https://a.example/x?si=4&id=1&SI=5&utm_id=3&code=6"
    found = page_of(1, url, ORIGINS, "gv", kept, frozenset({"si", "code"}))
    assert found.url == "https://a.example/x?si=4&id=1&code=6"


def test_a_page_of_another_origin_is_refused() -> None:
    with pytest.raises(UrlError, match="not an origin of this site"):
        page_of(1, "https://c.example/", ORIGINS, "gv", None)


def test_only_the_bare_origin_is_home() -> None:
    homes = ("https://a.example", "https://a.example/", "https://a.example/?utm_source=x", "https://a.example/#top")
    assert all(page_of(1, url, ORIGINS, "gv", None).is_home for url in homes)
    assert not page_of(1, "https://a.example/?p=3", ORIGINS, "gv", None).is_home


def test_page_ids_differ_by_site() -> None:
    assert page_id(1, "https://a.example/") != page_id(2, "https://a.example/")
