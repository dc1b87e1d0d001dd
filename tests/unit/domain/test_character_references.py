"""Character references, as browsers read them in attributes and in text."""

from __future__ import annotations

import pytest

from grapevine.domain.character_references import Reference, attribute_text, plain_text, references_in


@pytest.mark.parametrize(
    ("value", "meant"),
    [
        ("?a=1&amp;b=2&#38;c=3&#x26;d", "?a=1&b=2&c=3&d"),
        ("?a=1&copy=2&amp=3&ampx&lt4", "?a=1&copy=2&amp=3&ampx&lt4"),
        ("&copy", "©"),
        ("&copy;=1", "©=1"),
        ("&copyright;&nothing;", "&copyright;&nothing;"),
        ("&num;&sol;&#x2F", "#//"),
        ("&#0;&#xD800;&#99999999;", "\ufffd\ufffd\ufffd"),
        (f"&#{'0' * 5000}65;&#{'1' * 5000};&#x{'f' * 5000}", "A\ufffd\ufffd"),
        ("&;&#;&#x;&", "&;&#;&#x;&"),
        ("&nvlt;", "<\u20d2"),
    ],
)
def test_attributes(value: str, meant: str) -> None:
    assert attribute_text(value) == meant


def test_positions() -> None:
    assert list(references_in("a&amp;&x;&#38b")) == [Reference(1, 6, "&"), Reference(9, 13, "&")]


def test_text_is_read_by_its_own_rules() -> None:
    assert plain_text(f"&ltb&gt &#{'1' * 5000};.") == "<b> \ufffd."
