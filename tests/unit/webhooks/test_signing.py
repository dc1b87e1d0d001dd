"""Signatures, secrets and ids of webhooks, as Standard Webhooks specifies them."""

from __future__ import annotations

import base64

from grapevine.webhooks.signing import headers, new_id, new_secret


def test_the_signature_of_the_specifications_own_tests() -> None:
    """Secret, message and signature as the reference libraries of Standard Webhooks are tested with."""
    sent = headers(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1_614_265_330_999,
        b'{"test": 2432232314}',
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    )
    assert sent["webhook-timestamp"] == "1614265330"
    assert sent["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_secrets_and_ids() -> None:
    assert base64.b64decode(new_secret(bytes).removeprefix("whsec_")) == bytes(32)
    assert new_id("msg", bytes) == f"msg_{'0' * 32}"
