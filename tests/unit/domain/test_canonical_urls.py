"""One page in several spellings is one page, and what a server can tell apart stays apart."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grapevine.domain.canonical_urls import canonical_path, canonical_query, canonical_stored, readable
from grapevine.domain.urls import MAX_LENGTH, UrlError, joined_url, origin_of, page_of

SITE = "https://a.example"
ORIGINS = frozenset({SITE, "https://xn--bcher-kva.example"})
UNRESERVED = "abcxyzABCXYZ0189-._~"


def page(url: str) -> str:
    return page_of(1, url, ORIGINS, "gv", None).url


@pytest.mark.parametrize(
    "spellings",
    [
        ("/stra%C3%9Fe", "/stra%c3%9fe", "/stra%C3%9fe", "/straße", "/%73tra%C3%9Fe"),
        ("/~ann", "/%7Eann", "/%7eann"),
        ("/a-b_c.d", "/%61%2Db%5F%63%2E%64"),
        ("/b", "/a/../b", "/./b", "/a/%2e%2E/b", "/../b", "/a/b/../../b", "/a/.%2e/b"),
        ("/b/", "/b/.", "/b/c/..", "/b/%2e"),
        ("/", "", "/.", "/..", "/a/.."),
        ("/feeds/%7Bid%7D.xml", "/feeds/{id}.xml", "/feeds/{id%7d.xml"),
        ("/a%7Cb%5Ec%60", "/a|b^c`", "/a%7cb%5ec%60"),
        ("/p?f=%7Bx%7D", "/p?f={x}", "/p?f=%7bx%7d"),
        ("/p?sort=a%7Cb", "/p?sort=a|b", "/p?sort=%61%7cb"),
        ("/p?q=it%27s", "/p?q=it's"),
        ("/p?w=a%5Cb", "/p?w=a\\b", "/p?w=a%5cb"),
        ("/p?q=%E6%97%A5%E6%9C%AC", "/p?q=日本", "/p?q=%e6%97%a5本"),
        ("/%F0%9F%8D%87", "/🍇", "/%f0%9f%8d%87#part"),
    ],
)
def test_spellings_of_one_page(spellings: tuple[str, ...]) -> None:
    assert {page(SITE + spelling) for spelling in spellings} == {SITE + spellings[0]}


@pytest.mark.parametrize("host", ["a.example", "A.EXAMPLE", "a.example:443", "A.example:443", "%61.example"])
def test_spellings_of_a_host(host: str) -> None:
    assert page(f"https://{host}/x") == f"{SITE}/x"


@pytest.mark.parametrize(
    "host", ["bücher.example", "BÜCHER.example:443", "xn--bcher-kva.example", "b%c3%bccher.example"]
)
def test_spellings_of_a_host_in_other_letters(host: str) -> None:
    assert page(f"https://{host}/ü") == "https://xn--bcher-kva.example/%C3%BC"


APART = r"""
/a%2Fb /a/b /a%3Fb /a?b /a%23b /a%25b /a%252Fb /A /a /a/ /a// /a//b //a /a;b /a%3Bb /a+b /a%20b /a%2Bb /a'b /a%27b
/a?q=x+y /a?q=x%20y /a?q=x%2By /a?q=a/b /a?q=a%2Fb /a?q=%26 /a?q=%3D /a?b=1&a=2 /a?a=2&b=1 /a?b[]=1 /a?b%5B%5D=1
/a!$&()*,:@b /caf%E9 /caf%C3%A9 /cafe%CC%81 /%FF /%00 /a%0Ab /... /.well-known/x /a/.b /a/..b /a% /a%2 /a%zz /a%%341
/a%4%31 /a?r=%zz /a?r=%
"""


@pytest.mark.parametrize("url", APART.split())
def test_what_a_server_can_tell_apart_stays(url: str) -> None:
    assert page(SITE + url) == SITE + url
    assert canonical_stored(SITE + url) == SITE + url


def test_no_address_that_a_browser_shows_is_refused() -> None:
    """``location.href`` of the WHATWG URL Standard: what is in no percent-encode set stays as it is."""
    path = "/!$&'()*+,-./:;=@[]^_|~%%zz%"
    query = "?!$%&'()*+,-./:;=?@[\\]^_`{|}~"
    fragment = "#!#$%&'()*+,-./:;=?@[\\]^_{|}~"
    assert page(SITE + path + query + fragment).startswith(SITE)
    for each in map(chr, range(0x21, 0x7F)):
        if each not in '<>"':
            assert page(f"{SITE}/p?x={each}#y{each}").startswith(SITE)


def test_the_length_of_an_address_is_that_of_its_spelling_in_a_browser() -> None:
    room = MAX_LENGTH - len(f"{SITE}/?q=")
    assert len(page(f"{SITE}/?q={'|' * room}")) > MAX_LENGTH
    assert len(page(f"{SITE}/?q={'ü' * (room // 6)}")) <= MAX_LENGTH
    with pytest.raises(UrlError, match="as browsers spell it"):
        page(f"{SITE}/?q={'ü' * (room // 6 + 1)}")


def test_a_secret_that_is_left_out_leaves_no_dot_segment() -> None:
    assert page(f"{SITE}/a/..;jsessionid=1A/b") == f"{SITE}/b"
    assert page(f"{SITE}/u/b%6Fb@example.com/x") == f"{SITE}/u/*/x"


TEXTS = st.text(
    st.one_of(st.sampled_from("/.%2e7E4C3a~^|{}'\\?&=+[];@ß日"), st.characters(exclude_categories=["Cs"])), max_size=30
)


@settings(deadline=None, max_examples=500)
@given(TEXTS)
def test_the_canonical_spelling_of_a_canonical_one_is_itself(text: str) -> None:
    path, query = canonical_path("/" + text.replace("?", "")), canonical_query(text)
    assert canonical_path(path) == path
    assert canonical_query(query) == query
    assert canonical_stored(f"{SITE}{path}?{query}") == f"{SITE}{path}?{query}"
    assert re.fullmatch(r"[!$%&'(-;=?-Z\[\]_a-z~]*", path + query), "nothing is left to be escaped"


@settings(deadline=None, max_examples=500)
@given(TEXTS)
def test_a_server_reads_the_same_query_and_path(text: str) -> None:
    path = "/" + text.replace("/.", "/").replace("%2", "2").replace("?", "")
    assert unquote(canonical_query(text), errors="surrogateescape") == unquote(text, errors="surrogateescape")
    if "/." not in path:
        assert unquote(canonical_path(path), errors="surrogateescape") == unquote(path, errors="surrogateescape")


@st.composite
def two_spellings(draw: st.DrawFn) -> tuple[str, str]:
    """Two spellings of one address: each character raw or escaped, wherever the two are equivalent."""
    first, second = "", ""
    for each in draw(st.lists(st.sampled_from([*UNRESERVED, *"ß日🍇{}|^`", *"/:@!$&()*+,;=", "%2F", "%20", "%FF"]))):
        for_both = [each]
        if each in UNRESERVED or each in "ß日🍇{}|^`":
            escaped = quote(each, safe="") if each not in UNRESERVED else f"%{ord(each):02X}"
            for_both += [escaped, escaped.lower()]
        elif each.startswith("%"):
            for_both.append(each.lower())
        first += draw(st.sampled_from(for_both))
        second += draw(st.sampled_from(for_both))
    return first, second


@settings(deadline=None, max_examples=500)
@given(two_spellings(), st.sampled_from(["/", "/x/", "/p?"]))
def test_two_spellings_are_one_page(spellings: tuple[str, str], before: str) -> None:
    one, other = spellings
    assert page(SITE + before + one) == page(SITE.upper() + ":443" + before + other)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://a.example/stra%C3%9Fe?q=%E6%97%A5", "https://a.example/straße?q=日"),
        ("https://a.example/%E2%80%AEx%C2%A0%EF%BC%8F%E2%80%8B", "https://a.example/%E2%80%AEx%C2%A0%EF%BC%8F%E2%80%8B"),
        ("https://a.example/%2Fa%20b%26", "https://a.example/%2Fa%20b%26"),
        ("https://a.example/%FF%E3%85%A4e%EF%B8%8F", "https://a.example/%FF%E3%85%A4e%EF%B8%8F"),
        ("https://a.example/%D7%A9%D7%9C%D7%95%D7%9D", "https://a.example/שלום"),
        ("https://a.example/%7Bx%7D/it%27s?a%7Cb%5E%60&it%27s%5C", "https://a.example/{x}/it%27s?a|b^`&it's%5C"),
        ("(other)", "(other)"),
    ],
)  # fmt: skip
def test_what_people_see(url: str, shown: str) -> None:
    assert readable(url) == shown
    if url.startswith("http"):
        assert page(shown) == page(url)


@pytest.mark.parametrize("text", ["(other)", "", "https://a.example", "android-app://x", "ß"])
def test_what_is_no_stored_page_stays(text: str) -> None:
    assert canonical_stored(text) == text


@pytest.mark.parametrize(
    ("stored", "keep", "joined"),
    [
        ("/%7Ea?utm_source=x&id=1&FBCLID=y", frozenset[str](), "/~a?id=1"),
        ("/?mkt_tok=x", frozenset[str](), "/"),
        ("/a?mkt_tok=x&gclid=y", frozenset({"gclid"}), "/a?gclid=y"),
        ("/%7Ea?utm_source=x", None, "/~a?utm_source=x"),
        ("/a?code=de", frozenset[str](), "/a?code=de"),
        ("/a?b=1", frozenset[str](), "/a?b=1"),
    ],
)
def test_what_a_stored_page_is_joined_with(stored: str, keep: frozenset[str] | None, joined: str) -> None:
    assert joined_url(SITE + stored, keep) == SITE + joined
    assert joined_url("(other)", keep) == "(other)"


def test_an_ipv4_address_has_one_spelling() -> None:
    same = (
        "127.0.0.1", "127.1", "127.0.1", "0x7f.1", "0x7F.1", "2130706433", "0x7f000001", "017700000001", "0177.0x0.0.1",
        "127.0.0.1.", "127.000.000.001", "%31%32%37.1", "１２７.1",
    )  # fmt: skip
    assert {origin_of(f"http://{host}/") for host in same} == {"http://127.0.0.1"}
    assert origin_of("http://0:8080/") == "http://0.0.0.0:8080"
    assert origin_of("http://192.0.2.0x/") == "http://192.0.2.0"
    for host in (
        "256.1.1.1",
        "1.2.3.4.5",
        "1.2.3.256",
        "08.1.1.1",
        "4294967296",
        "a.1",
        "1..1",
        "1_0.1",
        "0x1_0.1",
        "1.2.3.0xg1.1",
    ):
        with pytest.raises(UrlError, match="names a host that cannot be"):
            origin_of(f"http://{host}/")
    for host in ("1.example", "a.1b", "0xg", "1-2.a3", "a.0x1x", "127.0.0.1.example"):  # names
        assert origin_of(f"http://{host}/") == f"http://{host}"
