"""Content Security Policies: what they allow, and the directive that is missing."""

from __future__ import annotations

import pytest

from grapevine.doctor.page.csp import check_policies
from tests.unit.doctor.pages import LINE, codes, embed_of, page_of

OK = {"csp-ok": "ok"}
SCRIPT = {"csp-script-blocked": "problem"}
CONNECT = {"csp-connect-blocked": "problem"}
NONCE = {"csp-script-nonce": "problem"}
PARTS = {"csp-parts-blocked": "hint"}
BOTH = SCRIPT | CONNECT


POLICIES = [
    ("", OK),
    ("img-src 'none'; style-src 'none'", OK),
    ("require-trusted-types-for 'script'; trusted-types 'none'", OK),
    ("default-src *", OK),
    ("default-src https:", OK),
    ("default-src 'none'", BOTH),
    ("default-src 'self'", BOTH),
    ("script-src https://share.example; connect-src https://share.example", OK),
    ("script-src share.example; connect-src *.example", OK),
    ("script-src *.share.example", SCRIPT),
    ("script-src https://share.example/widget.js; connect-src https://share.example/v1/", PARTS | OK),
    ("connect-src https://share.example/", OK),
    ("connect-src https://share.example/v2/", CONNECT),
    ("script-src https://share.example/widget.js", PARTS | OK),
    ("script-src https://share.example/widget.js 'nonce-abc'", OK),
    ("script-src https://share.example/other/", SCRIPT),
    ("script-src http://share.example", OK),
    ("script-src https://share.example:8443", SCRIPT),
    ("script-src https://share.example:*", OK),
    ("script-src https://share.example:443", OK),
    ("script-src SHARE.example", OK),
    ("script-src 'unsafe-inline' 'unsafe-eval' data: blob:", SCRIPT),
    ("script-src 'self'; script-src-elem share.example", OK),
    ("script-src *; script-src-elem 'self'", SCRIPT),
    ("script-src 'self' share.example; default-src 'self'", CONNECT),
    ("script-src 'nonce-abc'", OK),
    ("script-src 'nonce-ABC'", SCRIPT),
    ("script-src 'nonce-abc' 'strict-dynamic'", OK),
    ("script-src 'nonce-xyz' 'strict-dynamic' https: 'unsafe-inline'", NONCE),
    ("script-src *; script-src 'none'", OK),
    ("script-src *, script-src 'self'", SCRIPT),
    ("sandbox allow-scripts", {"csp-sandbox": "problem"}),
    ("sandbox allow-scripts allow-same-origin", OK),
    ("sandbox", {"csp-sandbox": "problem"}),
]
"""Policy → what is found for a line with the nonce ``abc``; `tests/browser/test_page_policies.py` asks Chromium."""


@pytest.mark.parametrize(("policy", "expected"), POLICIES)
def test_what_a_policy_allows(policy: str, expected: dict[str, str]) -> None:
    page = page_of(LINE.replace("async", "async nonce=abc"), content_security_policy=policy)
    assert codes(check_policies(page, embed_of(page))) == expected
    if "," not in policy and "sandbox" not in policy:
        meta = page_of(
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">{LINE.replace("async", "async nonce=abc")}'
        )
        assert codes(check_policies(meta, embed_of(meta))) == expected


def test_the_missing_directive_is_whole() -> None:
    def pastes(policy: str) -> list[str]:
        page = page_of(LINE, content_security_policy=policy)
        return [finding.paste for finding in check_policies(page, embed_of(page)) if finding.level == "problem"]

    assert pastes("script-src 'self' https://cdn.example") == [
        "script-src 'self' https://cdn.example https://share.example"
    ]
    assert pastes("default-src 'none'") == ["script-src https://share.example", "connect-src https://share.example"]
    assert pastes("default-src 'self'; connect-src *") == ["script-src 'self' https://share.example"]
    assert pastes("script-src-elem 'none'") == ["script-src-elem https://share.example"]


def test_policies_that_only_report_and_policies_of_integrity() -> None:
    page = page_of(LINE, content_security_policy_report_only="script-src 'self'")
    found = check_policies(page, embed_of(page))
    assert codes(found) == {"csp-ok": "ok", "csp-report-only": "hint"}
    assert found[1].paste == "script-src 'self' https://share.example"
    page = page_of(LINE, integrity_policy="blocked-destinations=(script)")
    assert codes(check_policies(page, embed_of(page))) == {"csp-integrity-policy": "problem"}


def test_reports_go_where_the_endpoint_says() -> None:
    html = LINE.replace("async", "async data-endpoint=https://other.example/g")
    page = page_of(html, content_security_policy="connect-src https://other.example/g/")
    assert codes(check_policies(page, embed_of(page))) == OK | {}
