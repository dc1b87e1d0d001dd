"""The contact of a site: a URL or a mail address, checked as its owner types it."""

from __future__ import annotations

import pytest

from grapevine.errors import Invalid
from grapevine.sites.validation import checked_changes, checked_contact


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("privacy@example.com", "privacy@example.com"),
        ("  o'neil+a&b@mail.example.com ", "o'neil+a&b@mail.example.com"),
        ("mailto:privacy@example.com", "privacy@example.com"),
        ("datenschutz@bücher.example", "datenschutz@bücher.example"),
        ("https://example.com/privacy?lang=de#erase", "https://example.com/privacy?lang=de#erase"),
        ("http://localhost:8000/", "http://localhost:8000/"),
        ("https://example.com/übersicht", "https://example.com/übersicht"),
        ("", None),
        ("   ", None),
        ("mailto:", None),
    ],
)
def test_what_can_be_a_contact(typed: str, stored: str | None) -> None:
    assert checked_contact(typed) == stored
    assert checked_changes({"contact": [typed]}) == {"contact": stored}


@pytest.mark.parametrize(
    "typed",
    [
        "javascript:alert(1)",
        "data:text/html,hello",
        "ftp://example.com",
        "example.com",
        "privacy@localhost",
        "privacy@",
        "@example.com",
        "a@b@example.com",
        "a b@example.com",
        "a@example.com?cc=everybody@example.com",
        "a@example.com,b@example.com",
        "Anna <anna@example.com>",
        "a@exa\u202emple.com",
        "a\r\nBcc: b@example.com",
        "a@-.com",
        "a@example,b.com",
        "a@.com",
        "a@example..com",
        '"a"@example.com',
        "https://user:password@example.com/",
        "https://",
        'https://example.com/"onmouseover=alert(1)',
        "https://example.com/" + "x" * 240,
        "x" * 65 + "@example.com",
    ],
)
def test_what_cannot_be_a_contact(typed: str) -> None:
    with pytest.raises(Invalid, match=r"contact.*privacy@example\.com or https://example\.com/privacy"):
        checked_contact(typed)


def test_a_site_has_one_contact() -> None:
    with pytest.raises(Invalid, match="one value only"):
        checked_changes({"contact": ["a@example.com", "b@example.com"]})
