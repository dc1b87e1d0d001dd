"""Origins as people type them."""

from __future__ import annotations

import pytest

from grapevine.domain.typed_origins import parse_origin
from grapevine.domain.urls import UrlError


@pytest.mark.parametrize(
    ("typed", "origin"),
    [
        ("HTTPS://Example.COM:443/", "https://example.com"),
        ("http://example.com:80", "http://example.com"),
        (" https://example.com. ", "https://example.com"),
        ("“https://example.com”", "https://example.com"),
        ("<https://example.com/>,", "https://example.com"),
        ("https://https://example.com", "https://example.com"),
        ("https://münchen.example", "https://xn--mnchen-3ya.example"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("https://a_b.example:8443", "https://a_b.example:8443"),
    ],
)
def test_what_is_understood(typed: str, origin: str) -> None:
    assert parse_origin(typed) == origin


@pytest.mark.parametrize(
    "typed",
    ["https://*.example.com", "*.example.com", "https://example.*", "*", "https://www.*.example.com", "http://*:8000"],
)
def test_a_wildcard_is_refused_with_the_reason(typed: str) -> None:
    with pytest.raises(UrlError, match=r"cannot have a \* in it: pages of any host .* Name each origin by itself"):
        parse_origin(typed)


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("example.com", "must begin with http:// or https://; use https://example.com"),
        ("//example.com", "must begin with http:// or https://; use https://example.com"),
        ("http:/example.com", "must begin with http:// or https://; use http://example.com"),
        ("https//example.com/shop", "must begin with http:// or https://; use https://example.com"),
        ("https:example.com", "must begin with http:// or https://; use https://example.com"),
        ("https:\\\\example.com", "must begin with http:// or https://; use https://example.com"),
        ("localhost:8000", "must begin with http:// or https://; use http://localhost:8000"),
        ("127.0.0.1:8000", "must begin with http:// or https://; use http://127.0.0.1:8000"),
        ("www.example.com:8443", "must begin with http:// or https://; use https://www.example.com:8443"),
        ("https:///example.com", "names no host; use https://example.com"),
        ("https://example.com/blog", "is more than an origin; use https://example.com"),
        ("https://example.com?x", "is more than an origin; use https://example.com"),
        ("https://ann:secret@example.com", "must not carry a user name or password; use https://example.com"),
        ("https://a.example https://b.example", "name each origin by itself, such as https://a.example"),
        ("a.example,b.example", "has a space, comma or semicolon in it; name each origin by itself"),
        ("https://example.com:99999", "is no URL: Port out of range"),
    ],
)
def test_what_is_refused_says_what_to_type(typed: str, says: str) -> None:
    with pytest.raises(UrlError) as refused:
        parse_origin(typed)
    assert says in str(refused.value)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("typed", ["ftp://example.com", "file:///x", "mailto:ann@example.com", "null", "", "shop"])
def test_nothing_is_suggested_for_what_is_no_website(typed: str) -> None:
    with pytest.raises(UrlError, match=r"must begin with http:// or https://$"):
        parse_origin(typed)
