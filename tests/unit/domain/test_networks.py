"""Networks: IPv4 addresses, IPv6 /64 and /48, and addresses that nobody can read."""

from __future__ import annotations

import pytest

from grapevine.domain.networks import network_of, wide_network_of


@pytest.mark.parametrize(
    ("address", "network", "wide"),
    [
        ("203.0.113.7", "203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::", "2001:db8:1::"),
        ("2001:DB8:1:3::1", "2001:db8:1:3::", "2001:db8:1::"),
        ("fe80::1%eth0", "fe80::", "fe80::"),
        ("", "", ""),
        ("unix:", "unix:", "unix:"),
    ],
)
def test_networks_of_addresses(address: str, network: str, wide: str) -> None:
    assert (network_of(address), wide_network_of(address)) == (network, wide)
