"""The URLs and addresses that webhooks may be sent to."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest

from grapevine.egress.policy import EgressPolicy, EgressRefused


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
        ((), "https://127.1/"), ((), "https://0x7f.1/"), ((), "https://2130706433/"), ((), "https://10.1/"),
        ((), "https://[fe80::1]/"), ((), "https://[fd00::1]/"), ((), "https://"), ((), "https://a b/"),
    ],
)  # fmt: skip
def test_what_may_not(networks: tuple[str, ...], url: str) -> None:
    with pytest.raises(EgressRefused):
        EgressPolicy(networks).check(url)


SPECIAL = """
0.0.0.0 0.255.255.255 10.0.0.1 100.64.0.1 100.100.100.200 100.127.255.255 127.0.0.1 127.255.255.254 168.63.129.16
169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.8 192.0.0.9 192.0.0.170 192.0.0.192 192.0.2.1 192.31.196.1
192.52.193.1 192.88.99.1 192.168.255.255 192.175.48.1 198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1
239.255.255.255 240.0.0.1 255.255.255.255
:: ::1 ::8.8.8.8 ::10.0.0.1 ::ffff:10.0.0.1 ::ffff:8.8.8.8 ::ffff:0:8.8.8.8 ::ffff:0:10.0.0.1 64:ff9b::10.0.0.1
64:ff9b::169.254.169.254 64:ff9b:1::1 64:ff9b:1:ffff:ffff:ffff:8.8.8.8 100::1 100:0:0:1::1 2001::1 2001:0:4136:e378::1
2001:1::1 2001:2::1 2001:3::1 2001:4:112::1 2001:10::1 2001:20::1 2001:30::1 2001:1ff:ffff::1 2001:db8::1
2002:808:808::1 2002:a00:1::1 2620:4f:8000::1 3fff::1 3fff:fff:ffff::1 4000::1 5f00::1 fc00::1 fd00:ec2::254
fe80::1 fe80::a9fe:a9fe febf::1 fec0::1 feff::1 ff02::1 ff0e::1 2606:4700::5efe:10.0.0.1 2606:4700::200:5efe:127.0.0.1
""".split()
PUBLIC = """
1.1.1.1 8.8.8.8 93.184.215.14 9.255.255.255 11.0.0.1 100.63.255.255 100.128.0.1 168.63.129.15 168.63.129.17
172.15.255.255 172.32.0.1 192.0.1.1 192.88.98.1 198.17.255.255 198.20.0.1 223.255.255.255
2606:4700:4700::1111 2001:4860:4860::8888 2001:200::1 2a00:1450::1 2003::1 3ffe::1 64:ff9b::8.8.8.8
2606:4700::5efe:8.8.8.8
""".split()


@pytest.mark.parametrize("address", SPECIAL)
def test_special_addresses_are_refused(address: str) -> None:
    egress = EgressPolicy()
    shown = f"[{address}]" if ":" in address else address
    with pytest.raises(EgressRefused, match="no public address"):
        egress.usable(["93.184.215.14", address], "https")
    with pytest.raises(EgressRefused, match="no public address"):
        egress.check(f"https://{shown}:8443/")


@pytest.mark.parametrize("address", PUBLIC)
def test_their_neighbours_are_not(address: str) -> None:
    assert EgressPolicy().usable([address], "https") == [str(ip_address(address))]


@pytest.mark.parametrize("python_says", [True, False])
def test_pythons_own_list_has_no_say(monkeypatch: pytest.MonkeyPatch, *, python_says: bool) -> None:
    for kind in (IPv4Address, IPv6Address):
        monkeypatch.setattr(kind, "is_global", python_says)
    assert EgressPolicy().usable(["8.8.8.8"], "https") == ["8.8.8.8"]
    with pytest.raises(EgressRefused):
        EgressPolicy().usable(["fec0::1"], "https")


def test_a_network_in_the_settings_is_reached_by_each_spelling_of_its_addresses() -> None:
    egress = EgressPolicy(["10.0.0.0/8", "fd00::/8"])
    for address in ("10.0.0.1", "::ffff:10.0.0.1", "64:ff9b::10.0.0.1", "fd00::1"):
        assert egress.usable([address], "http")
    for address in ("2002:a00:1::1", "::10.0.0.1", "fe80::1"):
        with pytest.raises(EgressRefused):
            egress.usable([address], "https")


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://example.com:443/", True),
        ("https://example.com:1024/", True),
        ("https://example.com:65535/", True),
        ("https://example.com:0/", False),
        ("https://example.com:22/", False),
        ("https://example.com:25/", False),
        ("https://example.com:80/", False),
        ("https://example.com:1023/", False),
        ("https://example.com:65536/", False),
        ("http://10.0.0.1:80/", True),
        ("http://10.0.0.1:443/", False),
        ("http://10.0.0.1:25/", False),
    ],
)
def test_ports(url: str, *, allowed: bool) -> None:
    egress = EgressPolicy(["10.0.0.0/8"])
    if allowed:
        egress.check(url)
    else:
        with pytest.raises(EgressRefused, match=r"port|URL"):
            egress.check(url)


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
