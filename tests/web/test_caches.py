"""The response caches of the web package: how long an entry is fresh, and how many there are."""

from __future__ import annotations

from starlette.responses import Response

from grapevine.web.caches import RedirectCache


class Now:
    at = 1_800_000_000_000
    version = 1

    def __call__(self) -> int:
        return self.at


def test_a_redirect_is_fresh_for_a_minute_until_a_site_or_its_share_changes() -> None:
    now = Now()
    cache = RedirectCache(now, lambda: now.version)
    response = Response()

    def is_fresh() -> bool:
        return cache.get("token") is response

    assert not is_fresh()
    cache.put("token", response)
    now.at += 59_999
    assert is_fresh()
    now.at += 1
    assert not is_fresh()
    cache.put("token", response)
    now.version += 1
    assert not is_fresh()
    cache.put("token", response)
    cache.invalidate("token")
    assert not is_fresh()


def test_redirects_are_bounded_and_the_oldest_goes() -> None:
    now = Now()
    cache = RedirectCache(now, lambda: now.version)
    for number in range(5_000):
        cache.put(str(number), Response())
    assert cache.get("0") is None
    assert cache.get("4999") is not None
    assert sum(cache.get(str(number)) is not None for number in range(5_000)) == 4_096
