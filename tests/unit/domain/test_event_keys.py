"""The public ids of conversions and answers."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from grapevine.domain.ids import ALPHABET, key_number, key_text


@given(st.integers(-(1 << 63), (1 << 63) - 1))
def test_every_key_has_one_text(key: int) -> None:
    text = key_text(key)
    assert len(text) == 11
    assert set(text) <= set(ALPHABET)
    assert key_number(text) == key


def test_a_text_that_is_no_key_is_none() -> None:
    assert key_text(0) == "00000000000"
    assert key_text(-1) == "LygHa16AHYF"
    for text in ("", "0", "LygHa16AHYG", "zzzzzzzzzzz", "0000000000", "000000000000", "0000000000-", "٠٠٠٠٠٠٠٠٠٠٠"):
        assert key_number(text) is None, text
