"""The HTML snippet of a site, with an attribute for each setting that is not the default."""

from __future__ import annotations

import msgspec

from grapevine.sites.snippet import snippet
from grapevine.store.rows import SiteRow

NOW = 1_800_000_000_000


def test_snippets() -> None:
    site = SiteRow(
        site_id=1,
        key="KEY",
        name="Lees",
        salt="00",
        param="gv",
        place="auto",
        query="*",
        created_at=NOW,
        origins=("https://a.example",),
    )
    assert (
        snippet(site, "https://share.example.com")
        == '<script async src="https://share.example.com/widget.js" data-site="KEY"></script>'
    )
    other = SiteRow(
        site_id=1,
        key="KEY",
        name="Lees",
        salt="00",
        param="via",
        place="query",
        query="*",
        created_at=NOW,
        origins=("https://a.example",),
    )
    assert snippet(other, "https://share.example.com", "/g") == (
        '<script async src="https://share.example.com/g/widget.js" data-site="KEY" data-param="via" data-place="query">'
        "</script>"
    )
    named = SiteRow(
        site_id=1,
        key="KEY",
        name="Lees",
        salt="00",
        param="gv",
        place="auto",
        query="*",
        created_at=NOW,
        origins=("https://a.example",),
        element="lees",
    )
    assert 'data-site="KEY" data-element="lees">' in snippet(named, "https://share.example.com")
    kept = snippet(msgspec.structs.replace(site, keep="gclid si"), "https://share.example.com")
    assert 'data-site="KEY" data-keep="gclid si">' in kept
    for query, attribute in (("code id", ' data-query="code id"'), ("", ""), ("*", "")):
        selecting = snippet(msgspec.structs.replace(site, query=query), "https://share.example.com")
        assert f'data-site="KEY"{attribute}>' in selecting
