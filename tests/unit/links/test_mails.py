"""Thirty mails in the shapes that mail programs and services make: the token goes into each own link, and nowhere else.

In the files each text between two ``@@`` is what tagging has to insert there.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from grapevine.links.mail.encodings import decoded, encoded
from grapevine.links.mail.tagging import ReadMail, UrlRule, read_mail

FOLDER = Path(__file__).parent / "mails"
NAMES = sorted(path.name for path in FOLDER.glob("*.html"))
TOKEN = "4fZk2Qm81xLr0aTn7Ye3WbC"
ORIGINS = (
    "https://shop.example", "https://www.shop.example", "http://shop.example", "https://xn--bcher-kva.example",
)  # fmt: skip
RULE = UrlRule(origins=frozenset(ORIGINS), param="gv", place="auto", joint="-")
MARKED = re.compile(rb"@@(.*?)@@")


def original(name: str) -> bytes:
    return MARKED.sub(b"", (FOLDER / name).read_bytes())


def expected(name: str) -> bytes:
    return MARKED.sub(rb"\1", (FOLDER / name).read_bytes()).replace(b"TOKEN", TOKEN.encode())


def read(html: bytes) -> ReadMail:
    return read_mail(decoded(html), RULE)


def test_there_are_thirty() -> None:
    assert len(NAMES) == 30
    assert sum(len(MARKED.findall((FOLDER / name).read_bytes())) for name in NAMES) > 250


@pytest.mark.parametrize("name", NAMES)
def test_each_own_link_is_tagged_and_no_other_byte_is_changed(name: str) -> None:
    mail = read(original(name))
    tagged = encoded(mail.tagged(TOKEN), original(name))
    assert tagged == expected(name)
    assert mail.links == len(MARKED.findall((FOLDER / name).read_bytes()))


@pytest.mark.parametrize("name", NAMES)
def test_a_tagged_mail_is_tagged_no_more(name: str) -> None:
    again = read(expected(name))
    assert again.pieces == (decoded(expected(name)),)
    assert again.page is None
    assert again.skipped.tagged >= read(original(name)).links


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-8-sig"])
def test_other_encodings(encoding: str) -> None:
    text = original("09-right-to-left.html").decode()
    html = ("\ufeff" * encoding.endswith("be") + text).encode(encoding)
    mail = read(html)
    assert mail.links == 2
    assert encoded(mail.tagged(""), html).decode(encoding).lstrip("\ufeff") == mail.tagged("").lstrip("\ufeff")
    assert encoded("".join(decoded(html)), html) == html
