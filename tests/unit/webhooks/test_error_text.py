"""The error of a delivery: short, printable, and without addresses."""

from __future__ import annotations

import pytest

from grapevine.webhooks.error_text import error_text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("answered 500", "answered 500"),
        ("no answer within 20 seconds", "no answer within 20 seconds"),
        ("leads to 10.0.0.1, which", "leads to (address), which"),
        ("connect to ('fd00::1', 443, 0, 0)", "connect to ('(address)', 443, 0, 0)"),
        ("to ::ffff:10.0.0.1.", "to (address)."),
        ("10.0.0.1:443 refused", "10.0.0.1:443 refused".replace("10.0.0.1", "(address)")),
        ("at 12:30:45, version 1.2.3", "at 12:30:45, version 1.2.3"),
        ("red \x1b[31m\u202e\u009b\n", "red \\u001b[31m\\u202e\\u009b\\n"),
    ],
)
def test_what_is_shown(text: str, shown: str) -> None:
    assert error_text(text) == shown


def test_it_is_cut() -> None:
    assert len(error_text("x" * 90_000)) == 200
    assert len(error_text("\x1b" * 90_000)) == 200
