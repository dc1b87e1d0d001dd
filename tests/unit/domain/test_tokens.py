"""The token format: every value comes back, and nothing but what a site's own key signed is taken."""

from __future__ import annotations

import hmac

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grapevine.domain import channels, ids
from grapevine.domain.tokens import LAST_N, LENGTH, BadSignature, NotAToken, Token, TokenError, Tokens, next_n

OLD, NEW = b"old key, sixteen+", b"new key, sixteen+"
SITE = Tokens([OLD, NEW], b"site one")

visit_ids = st.integers(0, (1 << 60) - 1)
codes = st.sampled_from(sorted(channels.NAMES))
numbers = st.integers(0, LAST_N)


@given(visit_ids, codes, numbers)
def test_what_is_minted_is_read(visit_id: int, code: int, n: int) -> None:
    (text,) = SITE.mint(visit_id, [code], n)
    assert len(text) == LENGTH
    assert set(text) <= set(ids.ALPHABET)
    assert SITE.read(text) == Token(visit_id, code, n)


@given(visit_ids, numbers)
def test_all_channels_at_once_are_the_same_as_one_by_one(visit_id: int, n: int) -> None:
    together = SITE.mint(visit_id, channels.NAMES, n)
    assert together == [SITE.mint(visit_id, [code], n)[0] for code in channels.NAMES]
    assert together == [SITE.mint_one(visit_id, code, n) for code in channels.NAMES]
    assert len(set(together)) == len(channels.NAMES)


@given(visit_ids, visit_ids, st.text(max_size=30))
def test_a_session_is_recognised_as_that_of_its_visit_alone(visit_id: int, other: int, text: str) -> None:
    session = SITE.session(visit_id)
    assert SITE.is_session_of(session, visit_id)
    assert SITE.is_session_of(session, other) == (visit_id == other)
    older, stranger = Tokens([OLD], b"site one").session(visit_id), Tokens([NEW], b"site two").session(visit_id)
    share = SITE.mint(visit_id, [0])[0]
    for wrong in (older, stranger, share, session[:-1], session + "0", session.swapcase(), text, f"ü{session[1:]}"):
        assert not SITE.is_session_of(wrong, visit_id)


@given(visit_ids)
def test_a_session_is_distinguished_from_a_share(visit_id: int) -> None:
    token = SITE.read(SITE.session(visit_id))
    assert token.is_session
    assert token.visit_id == visit_id
    assert not any(SITE.read(text).is_session for text in SITE.mint(visit_id, channels.NAMES))


@settings(max_examples=15)
@given(visit_ids, codes, numbers)
def test_every_change_of_one_character_is_refused(visit_id: int, code: int, n: int) -> None:
    (text,) = SITE.mint(visit_id, [code], n)
    for index in range(LENGTH):
        for character in ids.ALPHABET:
            changed = text[:index] + character + text[index + 1 :]
            if changed != text:
                with pytest.raises(BadSignature):
                    SITE.read(changed)


def test_a_token_is_what_the_format_says() -> None:
    """Spelled out with the standard library alone."""
    key, salt = b"only key", b"salt"
    derived = hmac.digest(key, b"grapevine.share." + salt, "sha512")
    payload = 1 << 70 | 7 << 63 | 2 << 60 | 12345
    digest = hmac.digest(derived, (payload & ~(7 << 63)).to_bytes(9, "big"), "sha512")
    number = int.from_bytes(payload.to_bytes(9, "big") + digest[7 * 8 :], "big")
    digits = "".join(ids.ALPHABET[number // 62**index % 62] for index in reversed(range(23)))
    assert Tokens([key], salt).mint(12345, [7], 2) == [digits]


@given(visit_ids, codes, numbers, st.sampled_from(sorted(channels.NAMES)))
def test_no_bit_of_the_payload_can_be_exchanged(visit_id: int, code: int, n: int, other: int) -> None:
    """A signature cut from one token does not fit any other payload, not even one that shares its hash."""
    (text,) = SITE.mint(visit_id, [code], n)
    (target,) = SITE.mint(visit_id, [other], n)
    signature = ids.from_base62(text) or 0
    payload = (ids.from_base62(target) or 0) >> 64 << 64
    forged = ids.token_text(payload | signature & (1 << 64) - 1)
    if other != code:
        with pytest.raises(BadSignature):
            SITE.read(forged)


@given(visit_ids, codes)
def test_another_sites_token_is_refused(visit_id: int, code: int) -> None:
    other = Tokens([OLD, NEW], b"site two")
    with pytest.raises(BadSignature):
        SITE.read(other.mint(visit_id, [code])[0])


@given(visit_ids, codes, numbers)
def test_an_older_key_still_verifies_and_a_revoked_one_does_not(visit_id: int, code: int, n: int) -> None:
    (text,) = Tokens([OLD], b"site one").mint(visit_id, [code], n)
    assert SITE.read(text) == Token(visit_id, code, n)
    with pytest.raises(BadSignature):
        Tokens([NEW], b"site one").read(text)
    assert SITE.mint(visit_id, [code], n) == Tokens([NEW], b"site one").mint(visit_id, [code], n)


@given(visit_ids, codes)
def test_there_is_one_spelling_only(visit_id: int, code: int) -> None:
    """The same 17 bytes plus 2^136 still fit into 23 characters, and are no token."""
    value = ids.from_base62(SITE.mint(visit_id, [code])[0]) or 0
    too_large = value + (1 << 136)
    if too_large < 62**LENGTH:
        with pytest.raises(BadSignature):
            SITE.read(ids.token_text(too_large))


@pytest.mark.parametrize(
    "text", ["", "a" * 22, "a" * 24, "a" * 22 + "-", " " + "a" * 22, "é" * 23, "a" * 22 + "\n", "１" * 23]
)
def test_what_has_no_tokens_shape_is_no_token(text: str) -> None:
    with pytest.raises(NotAToken):
        SITE.read(text)


@pytest.mark.parametrize("field", ["version", "channel"])
def test_unknown_versions_and_channels_are_refused_though_signed(field: str) -> None:
    from grapevine.domain import tokens

    payload = (2 << 70 | 0) if field == "version" else (tokens.VERSION << 70 | 100 << 63)
    code = payload >> 63 & 0x7F
    derived = hmac.digest(b"only key", b"grapevine.share.salt", "sha512")
    digest = hmac.digest(derived, (payload & ~(7 << 63)).to_bytes(9, "big"), "sha512")
    value = payload << 64 | int.from_bytes(digest[(code & 7) * 8 :][:8], "big")
    with pytest.raises(BadSignature, match=field):
        Tokens([b"only key"], b"salt").read(ids.token_text(value))


@given(st.text(max_size=30))
def test_no_text_breaks_the_reader(text: str) -> None:
    with pytest.raises(TokenError):
        SITE.read(text)


@given(visit_ids)
def test_visit_ids_say_day_and_cell(visit_id: int) -> None:
    assert ids.pack(ids.day_of(visit_id), ids.cell_of(visit_id), visit_id & 0xFFFFFFFF) == visit_id
    assert ids.visit_number(ids.visit_text(visit_id)) == visit_id


@pytest.mark.parametrize("text", ["", "a" * 10, "a" * 12, "z" * 11, "-" * 11])
def test_what_is_no_visit_id(text: str) -> None:
    assert ids.visit_number(text) is None


def test_share_numbers_stop_at_the_eighth() -> None:
    assert [next_n(n) for n in range(8)] == [1, 2, 3, 4, 5, 6, 7, 7]
