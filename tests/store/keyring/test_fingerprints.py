"""Fingerprints of keys and running processes, on each backend."""

from __future__ import annotations

import asyncio

import pytest

from grapevine.store.base import Store
from grapevine.store.repositories.fingerprints import KeyProcess, KnownKey

pytestmark = pytest.mark.anyio

NOW = 1_800_000_000_000
LATER = NOW + 60_000


async def test_a_new_database_takes_the_keys_of_its_first_process(store: Store) -> None:
    keys = store.fingerprints
    assert await keys.known() == []
    known = [KnownKey("a", 1), KnownKey("b", 2)]
    assert await keys.enter("one", ["a", "b"], NOW, LATER) == known
    assert await keys.enter("two", ["c"], NOW, LATER) == known
    assert await keys.known() == known


async def test_of_several_that_start_at_once_one_decides(store: Store) -> None:
    found = await asyncio.gather(*(store.fingerprints.enter(f"p{n}", [f"k{n}"], NOW, LATER) for n in range(6)))
    assert len(found[0]) == 1
    assert found == [found[0]] * 6


async def test_processes_count_until_they_leave_or_expire(store: Store) -> None:
    keys = store.fingerprints
    await keys.enter("one", ["a"], NOW, LATER)
    await keys.enter("two", ["a"], NOW, LATER + 1)
    await keys.renew("two", ["a", "b"], LATER + 1)
    both = [KeyProcess("one", frozenset("a")), KeyProcess("two", frozenset("ab"))]
    assert sorted(await keys.processes(NOW)) == both
    assert await keys.processes(LATER) == both[1:]
    await keys.leave("two")
    assert await keys.processes(LATER) == []
    await keys.enter("three", ["a"], LATER, LATER + 1)
    assert await keys.processes(NOW) == [KeyProcess("three", frozenset("a"))]


async def test_a_key_signs_when_every_running_process_accepts_it(store: Store) -> None:
    keys = store.fingerprints
    await keys.enter("one", ["a"], NOW, LATER)
    await keys.enter("two", ["a"], NOW, LATER)
    await keys.add("b")
    waiting = [KnownKey("b", None), KnownKey("a", 1)]
    assert await keys.known() == waiting
    assert sorted(await keys.sign_with("b", NOW)) == ["one", "two"]
    await keys.renew("one", ["a", "b"], LATER)
    assert await keys.sign_with("b", NOW) == ["two"]
    assert await keys.known() == waiting
    await keys.renew("two", ["a", "b"], LATER)
    assert await keys.sign_with("b", NOW) == []
    signing = [KnownKey("a", 1), KnownKey("b", 2)]
    assert await keys.known() == signing
    assert await keys.sign_with("b", NOW) == []
    assert await keys.known() == signing


async def test_a_process_of_an_earlier_version_accepts_no_new_key(store: Store) -> None:
    keys = store.fingerprints
    await keys.enter("new", ["a", "b"], NOW, LATER)
    await store.leases.acquire_lease("slot 0", "new", NOW, LATER)
    await store.leases.acquire_lease("slot 2", "old", NOW, LATER)
    await store.leases.acquire_lease("cleanup", "new", NOW, LATER)
    assert sorted(await keys.processes(NOW)) == [
        KeyProcess("new", frozenset("ab")), KeyProcess("old", frozenset())
    ]  # fmt: skip
    assert await keys.sign_with("b", NOW) == ["old"]


async def test_a_start_and_a_rotation_at_one_moment_never_miss_each_other(store: Store) -> None:
    """Whichever comes first: the process sees the key that signs, or the rotation sees the process."""
    keys = store.fingerprints
    await keys.enter("one", ["k0"], NOW, LATER)
    await keys.leave("one")
    for number in range(1, 20):
        new, process = f"k{number}", f"process {number}"
        await keys.add(new)
        known, lacking = await asyncio.gather(keys.enter(process, ["k0"], NOW, LATER), keys.sign_with(new, NOW))
        signs = known[-1].fingerprint == new
        assert signs != (lacking == [process])
        await keys.leave(process)
        assert await keys.sign_with(new, NOW) == []


async def test_accepted_keys_replace_those_that_were_known(store: Store) -> None:
    keys = store.fingerprints
    await keys.enter("one", ["a", "b"], NOW, LATER)
    assert await keys.replace(["b", "c"], NOW) == []
    assert await keys.known() == [KnownKey("c", None), KnownKey("b", 2)]
    assert await keys.replace(["x", "y"], NOW) == ["one"]
    assert await keys.known() == [KnownKey("c", None), KnownKey("b", 2)]
    await keys.leave("one")
    assert await keys.replace(["x", "y"], NOW) == []
    assert await keys.known() == [KnownKey("x", 1), KnownKey("y", 2)]
    await keys.forget("x")
    await keys.forget("never known")
    assert await keys.known() == [KnownKey("y", 2)]
