"""Feeds as they are found: what is read of them, what of it names the site, and what hostile ones cost."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable

import feedparser
import pytest

from grapevine.mentions.feeds.matching import MOST_PAGES, Named, named_by, text_of, unwrapped
from grapevine.mentions.feeds.reader import MOST_ENTRIES, FeedUnreadable, date_at, read_feed
from tests.unit.mentions.feed_samples import (
    AGGREGATOR,
    ALERTS,
    BLOG,
    BLUESKY,
    MASTODON,
    ORIGINS,
    PAGE,
    RSS1,
    XHTML,
)

HERE = "https://blog.example/feed.xml"
NOON = 1_796_040_000_000  # 2026-11-30T12:00Z


def named(text: str, encoding: str = "utf-8", content_type: str = "") -> list[Named]:
    """What the entries of a feed say of the site."""
    feed = read_feed(text.encode(encoding), HERE, content_type)
    assert feed.fault is None
    return [found for entry in feed.entries if (found := named_by(entry, ORIGINS)) is not None]


def test_each_shape_of_feed_names_the_page() -> None:
    hour = 3_600_000
    assert named(ALERTS) == [
        Named(
            "https://news.example/story",
            "How bread & butter",
            "Ann News",
            NOON - 7 * hour // 2,
            (f"{PAGE}?utm_source=n",),
        )
    ]
    assert named(MASTODON) == [Named("https://social.example/@ann/1", None, None, NOON - 2 * hour, (PAGE,))]
    assert named(BLUESKY) == [
        Named("https://bsky.example/profile/ann/post/3k", None, None, NOON - hour, (f"{PAGE}?a=1#gv-x", PAGE))
    ]
    assert named(BLOG, "iso-8859-1") == [
        Named("https://blog.example/2026/post", "Brötchen été", "Ann B.", NOON - 27 * hour, (f"{PAGE}?x=1&y=2",))
    ]
    assert named(RSS1) == [Named("https://c.example/1", "One", None, None, (PAGE,))]
    assert named(AGGREGATOR) == [Named("https://news.example/item?id=1", "Bread", "Ann", None, (PAGE,))]
    assert named(XHTML) == [Named("https://d.example/blog/2026/post", "A b", None, NOON - 60 * hour, (PAGE,))]


def test_a_title_alone_is_no_mention() -> None:
    entry = "<item><title>How to bake bread</title><link>https://b.example/1</link><description>a.example</description></item>"
    assert named(f"<rss version='2.0'><channel>{entry}</channel></rss>") == []


@pytest.mark.parametrize("sample", [ALERTS, MASTODON, BLUESKY, RSS1, AGGREGATOR], ids=str.__len__)
def test_entries_are_those_that_feedparser_finds(sample: str) -> None:
    ours, theirs = read_feed(sample.encode(), HERE).entries, feedparser.parse(sample)["entries"]
    assert [entry.links[0] for entry in ours] == [entry["link"] for entry in theirs]
    assert [text_of(entry.title) for entry in ours] == [text_of(entry.get("title", "")) for entry in theirs]
    assert [entry.author for entry in ours] == [
        (entry.get("author_detail") or {}).get("name", entry.get("author", "")) for entry in theirs
    ]


def test_encodings_are_found_where_they_are_said() -> None:
    def body(encoding: str) -> str:
        return (
            f'<?xml version="1.0" encoding="{encoding}"?><rss><channel><item><title>é世</title></item></channel></rss>'
        )

    cases: list[tuple[bytes, str]] = [
        (body("utf-8").encode(), ""),
        (body("utf-16").encode("utf-16"), ""),
        (body("gb2312").encode("gb18030"), "text/xml; charset=gb18030"),
        (body("shift_jis").encode(), 'application/rss+xml; charset="utf-8"'),
        (body("latin-1").encode("utf-8-sig"), ""),
    ]
    for data, content_type in cases:
        assert read_feed(data, HERE, content_type).entries[0].title == "é世", content_type
    for data in (body("zip").encode(), body("rot13").encode(), body("nonsense").encode()):
        with pytest.raises(FeedUnreadable):
            read_feed(data, HERE)


def test_blanks_before_the_document_do_not_matter() -> None:
    text = BLOG.replace("ISO-8859-1", "utf-8")
    found = named(text)
    assert [each.title for each in found] == ["Brötchen été"]
    for before in ("\n", " \r\n\t", "\ufeff", "\ufeff\n", "\n\ufeff"):
        assert named(before + text) == found, repr(before)
    assert named("\n" + BLOG, "iso-8859-1") == found


def test_dates() -> None:
    for text in (
        "Mon, 30 Nov 2026 12:00:00 GMT",
        "2026-11-30T13:00:00+01:00",
        "30 Nov 2026 12:00 UT",
        "2026-11-30T12:00",
    ):
        assert date_at(text) == NOON, text
    for text in (
        "",
        "yesterday",
        "9" * 60,
        "0001-01-01",
        "9999-12-31",
        "1969-01-01T00:00:00Z",
        "Mon, 99 Nov 2026",
        "١",
    ):
        assert date_at(text) is None, text


def test_known_redirects_are_unwrapped_as_text() -> None:
    cases = {
        f"https://www.google.de/url?q={PAGE}&sa=U": PAGE,
        f"https://www.google.co.uk/url?url={PAGE}": PAGE,
        f"https://www.bing.com/news/apiclick.aspx?ref=x&url={PAGE}": PAGE,
        f"https://out.reddit.com/t3?url={PAGE}": PAGE,
    }
    assert {url: unwrapped(url) for url in cases} == cases
    for same in (
        f"https://www.google.com/search?q={PAGE}",
        f"https://www.google.evil.example/url?q={PAGE}",
        "https://www.google.com/url?q=javascript:alert(1)",
        "https://www.google.com/url",
        "https://[/url?q=x",
        f"https://b.example/url?q={PAGE}",
    ):
        assert unwrapped(same) == same


def test_titles_are_text() -> None:
    cases = {
        "<script>alert(1)</script>Hi": "Hi",
        "a &lt;b&gt; c": "a <b> c",
        "x <img src=x onerror=alert(1)>": "x ",
    }
    assert {html: text_of(html) for html in cases} == cases
    (entry,) = read_feed(AGGREGATOR.replace("Bread<", "\u202e\x85" + "x" * 3_000 + "<").encode(), HERE).entries
    found = named_by(entry, ORIGINS)
    assert found is not None
    assert found.title == "x" * 200


def rss(items: str) -> bytes:
    return f"<rss><channel>{items}</channel></rss>".encode()


HOSTILE: dict[str, Callable[[], bytes]] = {
    "entities in one another": lambda: (
        b'<!DOCTYPE l [<!ENTITY a "lol">'
        + b"".join(b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 10 if n else b"&a;" * 10) for n in range(9))
        + b"]><rss><channel><item><title>&a8;</title></item></channel></rss>"
    ),
    "a file": lambda: (
        b'<!DOCTYPE l [<!ENTITY a SYSTEM "file:///etc/passwd">]><rss><channel><item><title>&a;</title></item></channel></rss>'
    ),
    "a parameter": lambda: b'<!DOCTYPE l [<!ENTITY % a SYSTEM "http://127.0.0.1:1/"> %a;]><rss/>',
    "attributes by default": lambda: (
        b"<!DOCTYPE r [<!ATTLIST a "
        + b" ".join(b'a%d CDATA "x"' % n for n in range(10_000))
        + b">]><rss>"
        + b"<a/>" * 100_000
    ),
    "no feed": lambda: b"<html><body>Hello</body></html>",
    "nothing": lambda: b"",
    "zeros": lambda: bytes(100_000),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_documents_are_refused(name: str) -> None:
    with pytest.raises(FeedUnreadable):
        read_feed(HOSTILE[name](), HERE)


def test_large_documents_are_read_in_bounds() -> None:
    entry = f"<item><link>https://b.example/1</link><description>{PAGE}</description></item>"
    feed = read_feed(rss(entry * 10_000), HERE)
    assert (len(feed.entries), feed.fault) == (MOST_ENTRIES, None)
    deep = read_feed(rss(entry + "<item>" + "<q>" * 100_000), HERE)
    assert len(deep.entries) == 1
    assert deep.fault is not None
    broken = read_feed(rss(entry + "<item><title>R & D</title></item>"), HERE)
    assert len(broken.entries) == 1
    assert broken.fault is not None
    assert "no well-formed XML in line 1" in broken.fault
    links = "".join(f"<![CDATA[<a href='{PAGE}{n}'>x</a>]]>" for n in range(5_000))
    (found,) = named(
        f"<rss><channel><item><link>https://b.example/</link><description>{links}</description></item></channel></rss>"
    )
    assert len(found.urls) == MOST_PAGES
    for text in (
        "&lt;a " * 100_000,
        "http://" * 100_000,
        "https://" + "a" * 900_000,
        "&amp;" * 150_000 + "://",
        "&lt;!--" * 50_000,
    ):
        item = f"<item><link>https://b.example/</link><description>{text}</description></item>"
        (only,) = read_feed(rss(item), HERE).entries
        assert named_by(only, ORIGINS) is None


def test_addresses_that_bases_make_long_are_kept_within_bounds() -> None:
    bases = 100
    part = "".join(f'<b xml:base="{"a" * 4_000}/">' for _ in range(bases - 10))
    links = "".join(f'<link href="{number}"/>' for number in range(900))
    entry = f'<entry xml:base="{"b" * 7_000}/">{links}</entry>'
    body = f'<feed xmlns="http://www.w3.org/2005/Atom">{part}{"</b>" * (bases - 10)}{entry * 40}</feed>'
    tracemalloc.start()
    found = read_feed(body.encode(), "https://feed.example/")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(found.entries) == 40
    assert sum(len(link) for entry in found.entries for link in entry.links) < 5_000_000
    assert peak < 60_000_000


@pytest.mark.parametrize("name", ["punycode", "idna", "unicode_escape", "utf-7", "bz2", "rot13"])
def test_encodings_that_are_none_of_the_web_are_not_used(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def unused(_: str) -> None:
        raise AssertionError("the codec was looked up")

    monkeypatch.setattr("codecs.lookup", unused)
    feed = f'<?xml version="1.0" encoding="{name}"?><rss><channel></channel></rss>'.encode()
    with pytest.raises(FeedUnreadable):
        read_feed(feed, "https://feed.example/")
