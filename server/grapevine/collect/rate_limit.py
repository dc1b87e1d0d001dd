"""Rate limits: token buckets by network, for everything that needs no key.

A bucket holds one minute's calls and refills evenly. What is kept of it is one number, the time at which it will be
full again (the *theoretical arrival time* of GCRA, ITU-T I.371), so a full bucket is the same as none, and is
forgotten. All buckets are in one block of memory of a fixed size, which the workers of a server share: a call that one
worker takes is spent for all of them.
"""

from __future__ import annotations

import mmap
import os
import tempfile
from collections import Counter
from functools import lru_cache
from hashlib import blake2b
from typing import Final

from grapevine.domain.networks import network_of, wide_network_of
from grapevine.errors import RateLimited
from grapevine.telemetry.bounds import RATES

WIDE_FACTOR: Final = 10
"""How many times the limit one wide network (IPv4 address, IPv6 /48) has over all sites together."""

SITE_FACTOR: Final = 200
"""How many times the limit one site has over all networks: 2,000 calls a second by default, a third of what one
process takes, so that no crowd of attackers at one site uses up the server of all."""

SIGN_INS: Final = 10
"""Sign-ins a minute of a network, and reads with a wrong key."""

WORDS: Final = 30
"""Words after ``/go/`` that lead nowhere, a minute of a network: people mistype a few, and a dictionary takes
days."""

PAGE_CHECKS: Final = 6
"""Checks of its own pages that a site may ask for a minute: each one makes this server send up to a dozen requests."""

WEBMENTIONS: Final = 10
"""Webmentions a minute of a network: each one may make this server send requests to a server that it names."""

SITE_CHANGES: Final = 60
"""Changes of a site through the API a minute: after each one every process reads all sites again, which takes a
tenth of a second where there are thousands."""

ANSWER_CORRECTIONS: Final = 600
"""Corrections of a site's answers a minute: each one is a transaction of its own, whatever it changes."""

SIZE: Final = 4 << 20
"""Bytes of all buckets: 2¹⁸ of them, more than twice as many as one site's limit lets begin in a minute."""

_MINUTE: Final = 60_000_000  # microseconds
_SEED_BYTES: Final = 16
_SET_BYTES: Final = 32
_KEY: Final = (1 << 60) - 1  # two of CPython's digits
_SPREAD: Final = 0x9E3_779B_97F4_A7C1
_NETWORKS_CACHED: Final = 8_192

Memory = mmap.mmap | bytearray


def shared_memory() -> int:
    """Returns the descriptor of new memory for ``attached``, for processes that a parent starts."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("grapevine-rate-limits")
    else:
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    os.truncate(descriptor, _SEED_BYTES + SIZE)
    os.pwrite(descriptor, os.urandom(_SEED_BYTES), 0)
    return descriptor


def attached(descriptor: int) -> Memory:
    """Returns the memory behind a descriptor, which may be closed then."""
    return mmap.mmap(descriptor, _SEED_BYTES + SIZE)


def own_memory() -> Memory:
    """Returns memory for one process."""
    memory = mmap.mmap(-1, _SEED_BYTES + SIZE)
    memory[:_SEED_BYTES] = os.urandom(_SEED_BYTES)
    return memory


class TokenBuckets:
    """Buckets by 60-bit keys, in sets of two: a new key takes the place of the fuller one of its set.

    Processes read and write without a lock. Where two take from one bucket within the same microsecond, one of the two
    calls is not counted.
    """

    def __init__(self, memory: Memory) -> None:
        self._cells = memoryview(memory)[_SEED_BYTES:].cast("q")
        self._last_set = len(memory[_SEED_BYTES:]) // _SET_BYTES - 1

    def take(self, key: int, interval: int, now: int) -> int:
        """Takes a token from a bucket to which one comes back every ``interval``; times are microseconds.

        Returns 0, or how long the bucket stays empty.
        """
        cells, place = self._cells, (key & self._last_set) << 2
        if cells[place] != key:
            place = self._place(place, key)
        full_at: int = cells[place + 1]
        if full_at < now:
            full_at = now
        full_at += interval
        wait = full_at - now - _MINUTE
        if wait <= 0:
            cells[place + 1] = full_at
            return 0
        if wait > interval:  # the clock was set back, which must not keep a bucket empty for as long
            cells[place + 1] = now + _MINUTE
        return min(wait, interval)

    def give_back(self, key: int, interval: int) -> None:
        """Puts a token back that was taken just now."""
        place = (key & self._last_set) << 2
        if self._cells[place] != key:
            place += 2
        if self._cells[place] == key:
            self._cells[place + 1] -= interval

    def _place(self, place: int, key: int) -> int:
        """Returns the place of a key that is not in the first one of its set, with a full bucket where it is new."""
        cells = self._cells
        if cells[place + 2] == key:
            return place + 2
        if cells[place + 1] > cells[place + 3]:
            place += 2
        cells[place], cells[place + 1] = key, 0
        return place


class RateLimit:
    """The limits of a server: ``per_minute`` calls of each network at each site, and the others as they follow from it.

    Each method counts a call and returns 0, or returns the seconds until it may be retried; a refused call spends
    nothing. With 0 a minute nothing is refused.
    """

    def __init__(self, per_minute: int, memory: Memory | None = None) -> None:
        memory = own_memory() if memory is None else memory
        self._per_minute = per_minute
        self.is_on = per_minute > 0
        self._seed = bytes(memory[:_SEED_BYTES])
        buckets = TokenBuckets(memory)
        self._take, self._give_back = buckets.take, buckets.give_back
        self._page_checks = int.from_bytes(self._hash(b"page checks"), "big") & _KEY
        self._webmentions = int.from_bytes(self._hash(b"webmentions"), "big") & _KEY
        self._words = int.from_bytes(self._hash(b"words"), "big") & _KEY
        self._site_changes = int.from_bytes(self._hash(b"site changes"), "big") & _KEY
        self._answer_corrections = int.from_bytes(self._hash(b"answer corrections"), "big") & _KEY
        self._keys = lru_cache(maxsize=_NETWORKS_CACHED)(self._keys_of)
        self.hits = Counter(dict.fromkeys(RATES, 0))
        """Refused calls by the limit's name, since the process started."""
        self.divide(1)

    @property
    def server(self) -> str:
        """The name of the server, which all processes that share its buckets know it by."""
        return self._hash(b"server").hex()

    def divide(self, servers: int) -> None:
        """Gives out the part of one server of ``servers``."""
        self._page_check = servers * _MINUTE // PAGE_CHECKS
        self._webmention = servers * _MINUTE // WEBMENTIONS
        self._wide_webmention = servers * _MINUTE // (WEBMENTIONS * WIDE_FACTOR)
        if self._per_minute:
            share = servers * _MINUTE
            self._call, self._sign_in = share // self._per_minute, share // SIGN_INS
            self._word, self._wide_word = share // WORDS, share // (WORDS * WIDE_FACTOR)
            self._wide_call = share // (self._per_minute * WIDE_FACTOR)
            self._site_call = share // (self._per_minute * SITE_FACTOR)
            self._site_change = share // SITE_CHANGES
            self._answer_correction = share // ANSWER_CORRECTIONS

    def network_call(self, address: str, at: int) -> int:
        """A call at ``at`` (UTC milliseconds), whatever its site is and whatever it says."""
        if not self._per_minute:
            return 0
        wait = self._take(self._keys(address)[1], self._wide_call, at * 1_000)
        return self._refused("rate-wide-network", wait) if wait else 0

    def site_call(self, site_id: int, address: str, at: int) -> int:
        """The same call, once its site is known."""
        if not self._per_minute:
            return 0
        site = site_id * _SPREAD & _KEY
        key = self._keys(address)[0] ^ site
        return self._take_both(key, self._call, site, self._site_call, at, ("rate-site-network", "rate-site"))

    def page_call(self, address: str, at: int) -> int:
        """A request that names no site until it is looked up: a short link, its QR code, a page about a token."""
        if not self._per_minute:
            return 0
        network, wide, _ = self._keys(address)
        return self._take_both(network, self._call, wide, self._wide_call, at, ("rate-network", "rate-wide-network"))

    def word(self, address: str, at: int) -> int:
        """A word after ``/go/``, before it is known whether it leads somewhere."""
        if not self._per_minute:
            return 0
        key, wide = self._word_keys(address)
        return self._take_both(key, self._word, wide, self._wide_word, at, ("rate-words", "rate-words"))

    def word_found(self, address: str) -> None:
        """The word led somewhere: it counts as none of those that lead nowhere."""
        if self._per_minute:
            key, wide = self._word_keys(address)
            self._give_back(key, self._word)
            self._give_back(wide, self._wide_word)

    def sign_in(self, address: str, at: int) -> int:
        """An attempt to sign in, or a read with a wrong key."""
        if not self._per_minute:
            return 0
        wait = self._take(self._keys(address)[2], self._sign_in, at * 1_000)
        return self._refused("rate-sign-ins", wait) if wait else 0

    def site_change(self, site_id: int, at: int) -> int:
        """A change of a site through the API, whatever key asks for it."""
        if not self._per_minute:
            return 0
        key = (site_id * _SPREAD & _KEY) ^ self._site_changes
        wait = self._take(key, self._site_change, at * 1_000)
        return self._refused("rate-site-changes", wait) if wait else 0

    def answer_correction(self, site_id: int, at: int) -> int:
        """A correction of one of a site's answers, by whatever key or page of the dashboard."""
        if not self._per_minute:
            return 0
        key = (site_id * _SPREAD & _KEY) ^ self._answer_corrections
        wait = self._take(key, self._answer_correction, at * 1_000)
        return self._refused("rate-answer-corrections", wait) if wait else 0

    def page_check(self, site_id: int, at: int) -> int:
        """A check of one of the site's own pages. It is counted with ``per_minute`` 0, too: it sends requests."""
        key = (site_id * _SPREAD & _KEY) ^ self._page_checks
        wait = self._take(key, self._page_check, at * 1_000)
        return self._refused("rate-page-checks", wait) if wait else 0

    def webmention(self, address: str, at: int) -> int:
        """A webmention. It is counted with ``per_minute`` 0, too: it may send requests."""
        network, wide, _ = self._keys(address)
        key, wide_key = network ^ self._webmentions, wide ^ self._webmentions
        names = ("rate-webmentions", "rate-webmentions")
        return self._take_both(key, self._webmention, wide_key, self._wide_webmention, at, names)

    def _take_both(
        self, key: int, interval: int, other: int, other_interval: int, at: int, names: tuple[str, str]
    ) -> int:
        now = at * 1_000
        wait = self._take(key, interval, now)
        if not wait:
            wait = self._take(other, other_interval, now)
            if not wait:
                return 0
            self._give_back(key, interval)
            return self._refused(names[1], wait)
        return self._refused(names[0], wait)

    def _word_keys(self, address: str) -> tuple[int, int]:
        network, wide, _ = self._keys(address)
        return network ^ self._words, wide ^ self._words

    def _refused(self, name: str, wait: int) -> int:
        self.hits[name] += 1
        return _seconds(wait)

    def _keys_of(self, address: str) -> tuple[int, int, int]:
        """The keys of an address's buckets: its network's, its wide network's, and that of its attempts to sign in."""
        network, wide = network_of(address).encode(), wide_network_of(address).encode()
        texts = b"network " + network, b"wide " + wide, b"sign-in " + network
        calls, wide_calls, attempts = (int.from_bytes(self._hash(text), "big") & _KEY for text in texts)
        return calls, wide_calls, attempts

    def _hash(self, text: bytes) -> bytes:
        # Keyed: nobody outside can find two networks that share a bucket.
        return blake2b(text, digest_size=8, key=self._seed).digest()


def refuse_excess(wait: int, of: str = "requests") -> None:
    """Raises RateLimited when a call has to wait for so many seconds; no-op for 0."""
    if wait:
        raise RateLimited(f"Too many {of} from one network; go on in {wait} s.", retry_after=wait)


def _seconds(microseconds: int) -> int:
    return -(-microseconds // 1_000_000)
