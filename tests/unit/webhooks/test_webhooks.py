"""Webhooks' pure parts: when they are tried again, and where they may go."""

from __future__ import annotations

import base64

import pytest

from grapevine.webhooks.egress_policy import EgressPolicy, EgressRefused
from grapevine.webhooks.retry_schedule import LONGEST_RETRY_AFTER_MS, RETRY_DELAYS_MS, retry_delay
from grapevine.webhooks.signing import headers, new_id, new_secret

HOUR = 3_600_000


def test_the_schedule_is_the_specifications_and_ends_after_three_days() -> None:
    assert [retry_delay(attempt, 0.0) for attempt in range(1, 11)] == [*RETRY_DELAYS_MS, None]
    assert sum(RETRY_DELAYS_MS) == 75 * HOUR + 35 * 60_000 + 5_000


def test_jitter_adds_up_to_a_fifth() -> None:
    assert retry_delay(4, 0.0) == 2 * HOUR
    assert retry_delay(4, 1.0) == 2.4 * HOUR


def test_an_endpoint_is_left_alone_as_long_as_it_asks_up_to_a_day() -> None:
    assert retry_delay(1, 0.0, 60_000) == 60_000
    assert retry_delay(4, 0.0, 60_000) == 2 * HOUR
    assert retry_delay(1, 0.0, 10**12) == LONGEST_RETRY_AFTER_MS
    assert retry_delay(10, 0.0, 60_000) is None


def test_the_signature_of_the_specifications_own_tests() -> None:
    """Secret, message and signature as the reference libraries of Standard Webhooks are tested with."""
    sent = headers(
        "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330_999, b'{"test": 2432232314}',
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    )  # fmt: skip
    assert sent["webhook-timestamp"] == "1614265330"
    assert sent["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_secrets_and_ids() -> None:
    assert base64.b64decode(new_secret(bytes).removeprefix("whsec_")) == bytes(32)
    assert new_id("msg", bytes) == f"msg_{'0' * 32}"


@pytest.mark.parametrize(
    ("networks", "url"),
    [
        ((), "https://example.com/"), ((), "https://93.184.215.14:8443/x?y"), ((), "https://[2606:2800:220:1::1]/"),
        (("10.0.0.0/8",), "http://10.1.2.3/"), (("10.0.0.0/8",), "http://crm.internal/"),
        (("::1",), "http://[::1]:8080/"), (("127.0.0.0/8", "10.0.0.0/8"), "https://10.0.0.1/"),
        (("10.0.0.0/8",), "http://[::ffff:10.0.0.1]/"),
    ],
)  # fmt: skip
def test_what_may_be_reached(networks: tuple[str, ...], url: str) -> None:
    EgressPolicy(networks).check(url)


@pytest.mark.parametrize(
    ("networks", "url"),
    [
        ((), "http://example.com/"), ((), "http://93.184.215.14/"), (("10.0.0.0/8",), "http://93.184.215.14/"),
        (("10.0.0.0/8",), "http://127.0.0.1/"), (("10.0.0.0/8",), "https://192.168.0.1/"),
        ((), "https://[fe80::1]/"), ((), "https://[fd00::1]/"), ((), "https://"), ((), "https://a b/"),
    ],
)  # fmt: skip
def test_what_may_not(networks: tuple[str, ...], url: str) -> None:
    with pytest.raises(EgressRefused):
        EgressPolicy(networks).check(url)


def test_one_address_that_may_not_be_reached_spoils_them_all() -> None:
    egress = EgressPolicy(["10.0.0.0/8"])
    assert egress.usable(["10.0.0.1", "10.0.0.1", "10.0.0.2"], "http") == ["10.0.0.1", "10.0.0.2"]
    assert egress.usable(["93.184.215.14", "10.0.0.1"], "https") == ["93.184.215.14", "10.0.0.1"]
    with pytest.raises(EgressRefused, match=r"169\.254\.169\.254"):
        egress.usable(["93.184.215.14", "169.254.169.254"], "https")
    with pytest.raises(EgressRefused, match="https"):
        egress.usable(["10.0.0.1", "93.184.215.14"], "http")
    with pytest.raises(EgressRefused, match="fe80::1"):
        egress.usable(["fe80::1%eth0"], "https")
