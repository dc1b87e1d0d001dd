"""Our line in a page: found wherever it is, and told what is wrong with it."""

from __future__ import annotations

import pytest

from grapevine.doctor.page.embeds import find_embeds
from grapevine.doctor.page.snippet import check_line, check_missing
from tests.unit.doctor.pages import HERE, KEY, LINE, NOWHERE, SCRIPT, codes, embed_of, page_of

SCRIPT_OF = f"src='{SCRIPT}'"


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        (LINE, {"snippet-found": "ok"}),
        (f"<script defer src='/g/widget.js?site={KEY}'></script>", {"snippet-found": "ok"}),
        (
            f"<script async src='https://x.example/widget.0123456789ab.js' data-site={KEY}></script>",
            {"snippet-found": "ok"},
        ),
        (f"<script type=module {SCRIPT_OF} data-site={KEY}></script>", {"snippet-found": "ok"}),
        (f"<script {SCRIPT_OF} data-site={KEY}></script>", {"snippet-found": "ok", "snippet-not-async": "hint"}),
        (LINE + LINE, {"snippet-found": "ok", "snippet-twice": "hint"}),
        (LINE + LINE.replace(KEY, "b" * 16), {"snippet-two-sites": "problem"}),
        (f"<script async {SCRIPT_OF}></script>", {"snippet-without-site": "problem"}),
        (f"<script async {SCRIPT_OF} data-site='gv_{'x' * 40}'></script>", {"snippet-secret-key": "problem"}),
        (f"<script async {SCRIPT_OF} data-site='{KEY}'>", {"snippet-broken": "problem"}),
        (f"<script async {SCRIPT_OF} data-site='{KEY}'><p>text</p><script></script>", {"snippet-broken": "problem"}),
        (
            f"<script async {SCRIPT_OF} data-site='{KEY}\"></script><p title='x'></script>",
            {"snippet-broken": "problem"},
        ),
        (f"<script async {SCRIPT_OF} data-site='SITE_KEY'></script>", {"snippet-placeholder": "problem"}),
        (f"<script async {SCRIPT_OF} data-site='YOUR-KEY'></script>", {"snippet-placeholder": "problem"}),
        (f"<script async {SCRIPT_OF} data-site='{{{{ site }}}}'></script>", {"snippet-placeholder": "problem"}),
        (f"<script async src=”{SCRIPT}” data-site=”{KEY}”></script>", {"snippet-quotes": "problem"}),
        (f"<script async src=&quot;{SCRIPT}&quot; data-site={KEY}></script>", {"snippet-quotes": "problem"}),
        (
            f"<script async src='http://x.example/widget.js' data-site={KEY}></script>",
            {"snippet-mixed-content": "problem"},
        ),
        (
            f"<script async src='http://127.0.0.1:8000/widget.js' data-site={KEY}></script>",
            {"snippet-local-address": "problem"},
        ),
        (
            f"<script async src='http://localhost/widget.js' data-site={KEY}></script>",
            {"snippet-local-address": "problem"},
        ),
        (f"<script nomodule async {SCRIPT_OF} data-site={KEY}></script>", {"snippet-nomodule": "problem"}),
        (LINE.replace("async", "async data-endpoint='ftp://x/'"), {"snippet-endpoint": "problem"}),
        (LINE.replace("async", "async data-endpoint='http://x.example/'"), {"snippet-endpoint": "problem"}),
        (LINE.replace("async", "async data-endpoint='/g'"), {"snippet-found": "ok"}),
        (LINE.replace("async", "async data-ignore"), {"snippet-ignore": "problem"}),
        (LINE.replace("async", "async data-ignore=True"), {"snippet-ignore": "problem"}),
        (f"<script async src='{SCRIPT}?site={KEY}&ignore=on'></script>", {"snippet-ignore": "problem"}),
        (f"<script async src='{SCRIPT}?site={KEY}&ignore'></script>", {"snippet-ignore": "problem"}),
        (LINE.replace("async", "async data-ignore=false"), {"snippet-found": "ok"}),
        (f"<script async data-ignore=off src='{SCRIPT}?site={KEY}&ignore=on'></script>", {"snippet-found": "ok"}),
        (f"<script async data-site={KEY}>(()=>{{}})()</script>", {"snippet-without-address": "problem"}),
    ],
)
def test_how_the_line_is_written(html: str, expected: dict[str, str]) -> None:
    page = page_of(html)
    assert codes(check_line(page, find_embeds(page, HERE), HERE)) == expected


ESCAPED = LINE.replace("<", "&lt;").replace(">", "&gt;")


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<p>hello</p>", {"snippet-missing": "problem"}),
        (f"<!-- {LINE} -->", {"snippet-in-comment": "problem"}),
        (f"<noscript>{LINE}</noscript>", {"snippet-in-noscript": "problem"}),
        (f"<template>{LINE}</template>", {"snippet-in-template": "problem"}),
        (f"<iframe srcdoc='{LINE}'></iframe>", {"snippet-in-frame": "problem"}),
        (f"<p>{ESCAPED}</p>", {"snippet-as-text": "problem"}),
        (
            f"<pre>&lt;script async src=&#8221;{SCRIPT}&#8221; data-site=&#8221;{KEY}&#8221;&gt;</pre>",
            {"snippet-as-text": "problem"},
        ),
        (f"<textarea>{LINE}</textarea>", {"snippet-missing": "problem"}),
        (
            "<script src='https://cdn.usefathom.com/script.js' data-site='ABCDEFGH'></script>",
            {"snippet-missing": "problem"},
        ),
        (f"<script async<br />\nsrc='{SCRIPT}'<br />\ndata-site='{KEY}'></script>", {"snippet-broken": "problem"}),
        (f'<script async src="{SCRIPT} data-site="{KEY}"></script>', {"snippet-broken": "problem"}),
        (f"<script>s.src='{SCRIPT}';s.dataset.site='{KEY}'</script>", {"snippet-added-by-script": "hint"}),
        (
            f"<script>self.__next_f.push([1,'{{src:{SCRIPT}?site={KEY}}}'])</script>",
            {"snippet-added-by-script": "hint"},
        ),
        (
            "<script src='https://www.googletagmanager.com/gtm.js?id=GTM-1'></script>",
            {"snippet-in-tag-manager": "hint"},
        ),
    ],
)
def test_a_page_where_browsers_do_not_run_it(html: str, expected: dict[str, str]) -> None:
    page = page_of(html)
    assert not find_embeds(page, HERE)
    (finding,) = check_missing(page, HERE, [])
    assert {finding.code: finding.level} == expected
    assert finding.fix


def test_a_line_that_a_file_of_the_page_adds() -> None:
    page = page_of("<script src=/app.js></script>")
    file = f"e.src='{SCRIPT}';e.dataset.site='{KEY}'"
    assert codes(check_missing(page, HERE, [file])) == {"snippet-added-by-script": "hint"}
    assert codes(check_missing(page, HERE, ["import './other-widget.js'"])) == {"snippet-missing": "problem"}


def test_a_line_is_repaired_with_what_is_known() -> None:
    page = page_of(f"<script async {SCRIPT_OF}></script>")
    (finding,) = check_line(page, find_embeds(page, HERE), HERE)
    assert finding.paste == f'<script async src="{SCRIPT}?site={KEY}"></script>'
    (missing,) = check_missing(page_of(""), HERE, [])
    assert missing.paste == LINE
    (unknown,) = check_missing(page_of(""), NOWHERE, [])
    assert "YOUR-SERVER" in unknown.paste
    assert "SITE_KEY" in unknown.paste


def test_a_secret_is_not_repeated() -> None:
    page = page_of(f"<script async {SCRIPT_OF} data-site='gv_secret'></script>")
    (finding,) = check_line(page, find_embeds(page, HERE), HERE)
    assert "gv_secret" not in f"{finding}"
    assert finding.paste == LINE


def test_options_are_read_from_both_places() -> None:
    embed = embed_of(page_of(f"<script src='{SCRIPT}?site={KEY}&place=query&link=short' data-link=page></script>"))
    assert (embed.option("place"), embed.option("link"), embed.folder) == ("query", "page", "https://share.example/")
