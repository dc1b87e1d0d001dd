"""What holds the script back, who else sees the address, fragments, previews, and answers that are no page."""

from __future__ import annotations

import msgspec
import pytest

from grapevine.doctor.page.answers import check_answer, check_whole
from grapevine.doctor.page.fetch import Fetched, FetchError
from grapevine.doctor.page.fragments import check_fragments, looks_up_hash
from grapevine.doctor.page.held_back import check_held_back, check_own_consent
from grapevine.doctor.page.other_scripts import check_order
from grapevine.doctor.page.previews import check_canonical, check_preview, check_robots
from grapevine.doctor.page.script import check_script
from grapevine.doctor.page.whose import check_answers, check_asked, check_known_site
from tests.unit.doctor.pages import HERE, KEY, LINE, NOWHERE, SCRIPT, SITE, codes, embed_of, page_of

DATA = f'data-site="{KEY}"'
DELAYED = {"optimiser-delays": "hint"}
CONSENT = {"consent-holds": "hint"}


@pytest.mark.parametrize(
    ("attributes", "expected", "name"),
    [
        (f"async src={SCRIPT}", {"runs-at-once": "ok"}, ""),
        (f'type="text/javascript" src={SCRIPT}', {"runs-at-once": "ok"}, ""),
        (f'language="JavaScript" src={SCRIPT} data-cookieconsent="ignore"', {"runs-at-once": "ok"}, ""),
        (f'type="text/plain" data-cookieconsent="statistics" src={SCRIPT}', CONSENT, "Cookiebot"),
        (f'type="text/plain" class="optanon-category-C0002" src={SCRIPT}', CONSENT, "OneTrust"),
        (f'type="text/plain" data-usercentrics="Grapevine" src={SCRIPT}', CONSENT, "Usercentrics"),
        (f'type="text/plain" data-cookieyes="cookieyes-analytics" src={SCRIPT}', CONSENT, "CookieYes"),
        (
            f'type="text/plain" class="cmplz-script" data-category="statistics" data-cmplz-src={SCRIPT}',
            CONSENT,
            "Complianz",
        ),
        (
            f'type="text/plain" data-name="grapevine" data-type="application/javascript" data-src={SCRIPT}',
            CONSENT,
            "Klaro",
        ),
        (f'type="text/plain" class="_iub_cs_activate" data-suppressedsrc={SCRIPT}', CONSENT, "iubenda"),
        (f'type="didomi/javascript" data-vendor="c:grapevine" src={SCRIPT}', CONSENT, "Didomi"),
        (f'type="text/plain" data-cookiecategory="analytics" src={SCRIPT}', CONSENT, "CookieConsent"),
        (
            f'type="text/plain" class="cmplazyload" data-cmp-vendor="s1" data-cmp-src={SCRIPT}',
            CONSENT,
            "consentmanager",
        ),
        (f'type="text/plain" src={SCRIPT}', CONSENT, "Something"),
        (f'type="0a1b2c3d-text/javascript" src={SCRIPT}', DELAYED, "Cloudflare Rocket Loader"),
        (f'type="rocketlazyloadscript" data-rocket-src={SCRIPT}', DELAYED, "WP Rocket"),
        (f'type="litespeed/javascript" data-src={SCRIPT}', DELAYED, "LiteSpeed Cache"),
        (f'type="pmdelayedscript" data-perfmatters-type="text/javascript" src={SCRIPT}', DELAYED, "Perfmatters"),
        (f'data-type="lazy" data-src={SCRIPT}', DELAYED, "Flying Scripts"),
        (f'type="text/psajs" data-pagespeed-orig-src={SCRIPT}', DELAYED, "PageSpeed"),
        (f'type="text/partytown" src={SCRIPT}', {"optimiser-worker": "problem"}, "Partytown"),
        (f'type="text/template" src={SCRIPT}', {"script-type": "problem"}, "text/template"),
    ],
)
def test_who_holds_the_script_back(attributes: str, expected: dict[str, str], name: str) -> None:
    found = check_held_back(embed_of(page_of(f"<script {attributes} {DATA}></script>")))
    assert codes(found) == expected
    assert name in found[0].says
    if found[0].paste:
        assert check_held_back(embed_of(page_of(found[0].paste)))[0].code == "runs-at-once"


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("$(location.hash).show()", True),
        ("jQuery( window.location.hash )", True),
        ("document.querySelector(window.location.hash)", True),
        ("document.querySelectorAll(document.location.hash+' a')", True),
        ("var h = window.location.hash; if (h) { $(h).tab('show') }", True),
        ("let t=location.hash;q=d.querySelector(t)", True),
        ("const id=decodeURIComponent(location.hash);e.querySelector(id)", True),
        ("document.querySelector(decodeURIComponent(location.hash))", True),
        ("document.getElementById(location.hash.slice(1))", False),
        ("$(location.hash.slice(1))", False),
        ("var h = location.hash; console.log(h); $('#x')", False),
        ("$(document)", False),
        ("$(" * 20_000 + "hash", False),
        ("a=location.hash;" * 5_000, False),
    ],
)
def test_look_ups_of_the_fragment_as_a_selector(script: str, *, expected: bool) -> None:
    assert looks_up_hash(script) is expected


def test_fragments_by_what_the_site_writes_there() -> None:
    page, scripts = page_of(LINE), ["$(location.hash)"]

    def found(
        place: str = "auto", fragment: str = "identifier", *, texts: list[str] | None = None, line: str = LINE
    ) -> str:
        site = msgspec.structs.replace(SITE, place=place, fragment=fragment)
        known = msgspec.structs.replace(HERE, sites=(site,))
        (finding,) = check_fragments(page, embed_of(page_of(line)), scripts if texts is None else texts, known)
        return f"{finding.code} {finding.level} {finding.paste}".strip()

    assert found(texts=[]) == "fragment-free ok"
    assert found() == "fragment-selector ok"
    assert found(fragment="parameter").startswith(
        f"fragment-selector hint grapevine site set {KEY} fragment=identifier"
    )
    assert found(place="query", fragment="parameter") == "fragment-free ok"
    assert found(line=LINE.replace("async", "async data-place=query"), fragment="parameter") == "fragment-free ok"
    assert found(texts=["createWebHashHistory()"]) == f"fragment-routes hint grapevine site set {KEY} place=query"
    page = page_of(f"{LINE}<a href='#/a'>a</a><a href='#/b'>b</a>")
    assert found(texts=[]).startswith("fragment-routes hint")


def test_scripts_that_may_see_the_token() -> None:
    tags = (
        '<script async src="https://www.googletagmanager.com/gtm.js?id=G"></script><script>posthog.init("x")</script>'
    )
    page = page_of(tags + LINE)
    (finding,) = check_order(page, embed_of(page))
    assert finding.code == "order-others-first"
    assert finding.says.startswith("Google Tag Manager and PostHog stand before")
    for html in (LINE + tags, tags.replace("<script", "<script type=text/plain") + LINE, LINE):
        page = page_of(html)
        assert codes(check_order(page, embed_of(page))) == {"order-first": "ok"}


@pytest.mark.parametrize(
    ("href", "code"),
    [
        ("https://a.example/page", "canonical-ok"),
        ("https://a.example/page/", "canonical-ok"),
        ("", "canonical-missing"),
        ("https://a.example/other", "canonical-other"),
        ("https://b.example/page", "canonical-other"),
        ("/page", "canonical-other"),
        ("mailto:x@y", "canonical-other"),
        ("http://[", "canonical-other"),
    ],
)
def test_canonical_addresses(href: str, code: str) -> None:
    assert list(codes(check_canonical(page_of(f'<link rel="canonical" href="{href}">')))) == [code]


def test_previews() -> None:
    whole = "".join(
        f'<meta property="og:{name}" content="{value}">'
        for name, value in (("title", "t"), ("description", "d"), ("image", "https://a.example/i.png"))
    )
    card = '<meta name="twitter:card" content="summary_large_image">'
    assert codes(check_preview(page_of(whole + card))) == {"preview-ok": "ok"}
    assert codes(check_preview(page_of(whole))) == {"preview-card": "hint"}
    assert codes(check_preview(page_of(whole + card), "no")) == {"preview-image": "hint"}
    assert codes(check_preview(page_of(""))) == {"preview-incomplete": "hint"}
    relative = page_of((whole + card).replace("https://a.example/i", "/i"))
    assert "https://a.example/i.png" in check_preview(relative)[0].paste
    page = page_of("")
    assert codes(check_robots(page, "User-agent: *\nDisallow: /")) == {"preview-robots": "hint"}
    assert check_robots(page, "User-agent: *\nDisallow: /private") == check_robots(page, None) == []


@pytest.mark.parametrize(
    ("status", "media_type", "body", "code"),
    [
        (401, "text/html", "x", "page-login"),
        (403, "text/html", "x", "page-refused"),
        (404, "text/html", "x", "page-missing"),
        (500, "text/html", "x", "page-error"),
        (302, "text/html", "x", "page-refused"),
        (200, "image/png", "x", "page-not-html"),
        (200, "text/html", " ", "page-empty"),
        (200, "text/html; charset=utf-8", "x", None),
        (200, "", "x", None),
    ],
)
def test_answers_that_are_no_page(status: int, media_type: str, body: str, code: str | None) -> None:
    found = check_answer(Fetched("https://a.example/", status, (("content-type", media_type),), body.encode()))
    assert [finding.code for finding in found] == ([code] if code else [])


def test_walls_and_referrers() -> None:
    assert check_whole(page_of("")) == []
    assert codes(check_whole(page_of("", referrer_policy="no-referrer"))) == {"referrer-policy": "hint"}
    login = Fetched("https://a.example/x", 200, (), b"<input type=password>", passed=("https://a.example/",))
    page = page_of("<input type=password>")
    page.fetched = login
    assert codes(check_whole(page)) == {"page-login": "hint"}


def test_pages_that_robots_shall_leave_out() -> None:
    for page in (page_of("<meta name=robots content='noindex, follow'>"), page_of("", x_robots_tag="none")):
        assert codes(check_whole(page)) == {"page-noindex": "hint"}
    assert check_whole(page_of("<meta name=robots content='max-image-preview:none'>")) == []


def test_code_that_waits_for_consent_by_itself() -> None:
    required = embed_of(page_of(LINE.replace("async", "async data-consent=required")))
    assert check_own_consent(embed_of(page_of(LINE)), []) == []
    assert codes(check_own_consent(required, ["other()"])) == {"consent-required": "hint"}
    for script in ("window.grapevine.consent(true)", "grapevine.q.push(['consent', true])", "grapevine?.consent(ok)"):
        assert codes(check_own_consent(required, [script])) == {"consent-required": "ok"}, script


def test_whose_page_it_is() -> None:
    page, embed = page_of(LINE), embed_of(page_of(LINE))
    assert codes(check_known_site(page, embed, HERE) or []) == {"site-known": "ok"}
    (foreign,) = check_known_site(page_of(LINE, "https://www.a.example/"), embed, HERE) or []
    assert foreign.paste == f"grapevine site set {KEY} origin=https://a.example origin=https://www.a.example"
    other = msgspec.structs.replace(HERE, only=msgspec.structs.replace(SITE, key="other"))
    assert codes(check_known_site(page, embed, other) or []) == {"site-other": "problem"}
    assert check_known_site(page, embed, NOWHERE) is None
    for status, body, code in (
        (200, b'{"total":0,"channels":{}}', "site-known"),
        (404, b'{"code":"unknown-site"}', "site-unknown"),
        (422, b'{"code":"invalid"}', "origin-foreign"),
        (502, b"<html>", "site-not-asked"),
        (200, b"[]", "site-not-asked"),
    ):
        answer = Fetched(SCRIPT, status, (), body)
        assert list(codes(check_asked(page, embed, answer, NOWHERE))) == [code]
    assert list(codes(check_asked(page, embed, None, NOWHERE))) == ["site-not-asked"]
    assert list(codes(check_asked(page, embed, None, HERE))) == ["site-unknown"]


def test_a_copy_of_the_script_reports_to_no_server() -> None:
    page = page_of(LINE)
    for body, expected in ((b"<html>", ["reports-unreachable"]), (b'{"total":0}', []), (b'{"code":"invalid"}', [])):
        answer = Fetched(SCRIPT, 200, (), body)
        assert list(codes(check_answers(page, embed_of(page), answer, HERE))) == expected
    assert list(codes(check_answers(page, embed_of(page), None, HERE))) == ["reports-unreachable"]


def test_what_is_at_the_scripts_address() -> None:
    ours = Fetched(SCRIPT, 200, (("content-type", "text/javascript"),), b"window.grapevine")
    embed = embed_of(page_of(LINE))
    assert codes(check_script(embed, ours)) == {"script-reachable": "ok"}
    assert codes(check_script(embed, msgspec.structs.replace(ours, status=404))) == {"script-unreachable": "problem"}
    assert codes(check_script(embed, msgspec.structs.replace(ours, body=b"x"))) == {"script-not-ours": "problem"}
    assert codes(check_script(embed, FetchError("page-slow", "Slow.", "Wait."))) == {"script-unreachable": "problem"}
    pinned = LINE.replace("async", "async integrity=sha384-AAAA")
    assert codes(check_script(embed_of(page_of(pinned)), ours))["script-integrity"] == "problem"
    right = "sha256-K4T0pGzYcpr2UnGlYBDtoFwr0Z5TnGJ3oQKHIYRHyqE="
    assert codes(check_script(embed_of(page_of(pinned.replace("sha384-AAAA", right))), ours))
