"""The URLs and addresses that webhooks may be sent to."""

from __future__ import annotations

import pytest

from grapevine.webhooks.egress_policy import EgressPolicy, EgressRefused


@pytest.mark.parametrize(
    ("networks", "url"),
    [
        ((), "https://example.com/"),
        ((), "https://93.184.215.14:8443/x?y"),
        ((), "https://[2606:2800:220:1::1]/"),
        (("10.0.0.0/8",), "http://10.1.2.3/"),
        (("10.0.0.0/8",), "http://crm.internal/"),
        (("::1",), "http://[::1]:8080/"),
        (("127.0.0.0/8", "10.0.0.0/8"), "https://10.0.0.1/"),
        (("10.0.0.0/8",), "http://[::ffff:10.0.0.1]/"),
    ],
)
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
