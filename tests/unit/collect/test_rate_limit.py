"""Token buckets: what they let through, how they refill, who shares one, and how much memory they take."""

from __future__ import annotations

import os

import pytest

from grapevine.collect.rate_limit import (
    SIGN_INS,
    SITE_FACTOR,
    SIZE,
    WIDE_FACTOR,
    RateLimit,
    TokenBuckets,
    attached,
    own_memory,
    shared_memory,
)

NOW = 1_790_000_000_000
MINUTE_MS = 60_000
OFFICE = "192.0.2.1"


def accepted(limit: RateLimit, calls: int, address: str = OFFICE, at: int = NOW, site: int = 1) -> int:
    return sum(not limit.site_call(site, address, at) for _ in range(calls))


def test_a_minute_of_calls_at_once_and_then_as_many_as_come_back() -> None:
    limit = RateLimit(600)
    assert accepted(limit, 1_000) == 600
    assert accepted(limit, 1_000, at=NOW + 1_000) == 10
    assert accepted(limit, 1_000, at=NOW + MINUTE_MS // 2) == 290
    assert accepted(limit, 1_000, at=NOW + 2 * MINUTE_MS) == 600


@pytest.mark.parametrize("per_minute", [1, 7, 10, 600, 1_234])
def test_no_minute_after_a_burst_gives_more_than_what_comes_back_in_it(per_minute: int) -> None:
    limit = RateLimit(per_minute)
    edge = NOW - NOW % MINUTE_MS
    assert accepted(limit, per_minute + 10, at=edge - 1) == per_minute
    assert sum(accepted(limit, 300, at=edge + step) for step in range(0, MINUTE_MS, 5_000)) <= per_minute


def test_the_wait_ends_when_it_says() -> None:
    limit = RateLimit(10)
    assert accepted(limit, 10) == 10
    wait = limit.site_call(1, OFFICE, NOW)
    assert wait == 6
    assert limit.site_call(1, OFFICE, NOW + 1_000 * wait - 1) == 1
    assert limit.site_call(1, OFFICE, NOW + 1_000 * wait) == 0


def test_a_refused_call_spends_nothing() -> None:
    limit = RateLimit(10)
    assert accepted(limit, 5_000, OFFICE) == 10
    others = sum(accepted(limit, 10, f"198.51.100.{number}") for number in range(250))
    assert others == min(10 * 250, 10 * SITE_FACTOR - 10)


def test_networks_and_sites_have_buckets_of_their_own() -> None:
    limit = RateLimit(10)
    assert accepted(limit, 20) == 10
    assert accepted(limit, 20, "192.0.2.2") == 10
    assert accepted(limit, 20, site=2) == 10


@pytest.mark.parametrize("address", ["2001:db8:1:2::{:x}", "::ffff:192.0.2.1"])
def test_an_ipv6_network_and_a_mapped_address_are_one(address: str) -> None:
    limit = RateLimit(10)
    assert sum(accepted(limit, 1, address.format(number)) for number in range(100)) == 10
    if "ffff" in address:
        assert accepted(limit, 1) == 0


@pytest.mark.parametrize(("address", "other"), [("192.0.2.1", "192.0.2.2"), ("2001:db8:1:{:x}::1", "2001:db8:2::1")])
def test_a_wide_network_has_ten_times_the_limit(address: str, other: str) -> None:
    limit = RateLimit(10)
    calls = sum(not limit.network_call(address.format(number), NOW) for number in range(1_000))
    assert calls == 10 * WIDE_FACTOR
    assert limit.network_call(other, NOW) == 0
    assert limit.page_call(address.format(1), NOW) > 0


def test_pages_are_limited_by_network_and_by_wide_network() -> None:
    limit = RateLimit(10)
    assert sum(not limit.page_call(OFFICE, NOW) for _ in range(100)) == 10
    wide = sum(not limit.page_call(f"2001:db8:1:{number:x}::1", NOW) for number in range(1_000))
    assert wide == 10 * WIDE_FACTOR


def test_sign_ins() -> None:
    limit = RateLimit(600)
    assert sum(not limit.sign_in(OFFICE, NOW) for _ in range(100)) == SIGN_INS
    assert limit.sign_in(OFFICE, NOW) == 60 // SIGN_INS
    assert accepted(limit, 1) == 1


def test_nothing_is_refused_without_a_limit() -> None:
    limit = RateLimit(0)
    calls = (limit.network_call, limit.page_call, limit.sign_in, lambda address, at: limit.site_call(1, address, at))
    assert not any(call(OFFICE, NOW) for call in calls for _ in range(5_000))


def test_a_clock_that_is_set_back_empties_no_bucket_for_long() -> None:
    limit = RateLimit(6)
    assert sum(not limit.network_call(OFFICE, NOW) for _ in range(100)) == 60
    earlier = NOW - 3_600_000
    assert limit.network_call(OFFICE, earlier) == 1
    assert sum(not limit.network_call(OFFICE, earlier + 10_000) for _ in range(100)) == 10


def test_servers_divide_the_limits() -> None:
    limit = RateLimit(600)
    limit.divide(3)
    assert accepted(limit, 1_000) == 200
    limit.divide(1)
    assert accepted(limit, 1_000, "192.0.2.2") == 600


def test_processes_share_what_they_give_out() -> None:
    descriptor = shared_memory()
    try:
        one, two = RateLimit(10, attached(descriptor)), RateLimit(10, attached(descriptor))
    finally:
        os.close(descriptor)
    assert (accepted(one, 6), accepted(two, 6), accepted(one, 6)) == (6, 4, 0)
    assert one.server == two.server
    assert RateLimit(10).server != one.server


def test_an_attacker_with_many_networks_empties_no_other_bucket_and_frees_none() -> None:
    limit = RateLimit(600)
    assert sum(not limit.network_call("2001:db8:1::1", NOW) for _ in range(10_000)) == 6_000
    for number in range(20_000):
        limit.network_call(f"2001:db8:{2 + (number >> 16):x}:{number & 0xFFFF:x}::1", NOW)
        limit.site_call(1, f"2001:db8:{2 + (number >> 16):x}:{number & 0xFFFF:x}::1", NOW)
    assert limit.network_call("2001:db8:1::1", NOW) == 1
    assert limit.page_call("203.0.113.1", NOW) == 0


def test_the_memory_of_all_buckets_is_fixed() -> None:
    memory = own_memory()
    buckets = TokenBuckets(memory)
    for key in range(1, 300_000):
        assert buckets.take(key << 20 | key, 1, NOW) == 0
    assert len(memory) == SIZE + 16
