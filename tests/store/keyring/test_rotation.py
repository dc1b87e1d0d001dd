"""Rotation in two steps, and a running process that follows it: on each backend."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from grapevine.config.settings import Settings
from grapevine.errors import SettingError
from grapevine.keyring.derivation import fingerprint
from grapevine.keyring.rotation import RotationError, accept, sign_with, waiting_key
from grapevine.keyring.watch import EXPIRY_MS, KeyWatch
from grapevine.store.base import Store

pytestmark = pytest.mark.anyio

NOW = 1_800_000_000_000
OLD, OTHER = b"the-old-key-of-several", b"another-key-of-several"


def clock() -> int:
    return NOW


def watch(store: Store, folder: Path, *keys: bytes, process: str = "one") -> KeyWatch:
    settings = Settings(database=f"sqlite:///{folder}/grapevine.sqlite3", secret_keys=keys)
    return KeyWatch(settings, store.fingerprints, clock, process)


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "secret-keys"
    path.write_bytes(OLD + b"\n")
    path.chmod(0o600)
    return path


def stored(file: Path) -> tuple[bytes, ...]:
    """The keys in the file, which is its owner's alone and has no draft beside it."""
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in file.parent.glob("*secret-keys*")] == ["secret-keys"]
    assert file.read_bytes().endswith(b"\n")
    return tuple(file.read_bytes().split())


async def no_pause(_: float) -> None:
    await asyncio.sleep(0)


async def test_a_running_process_takes_a_new_key_from_the_file_and_then_signs_with_it(
    store: Store, key_file: Path, tmp_path: Path
) -> None:
    used: list[Sequence[bytes]] = []
    rotated = asyncio.Event()

    async def use(keys: Sequence[bytes]) -> None:
        assert all(fingerprint(keys[-1]) in each.fingerprints for each in await store.fingerprints.processes(NOW))
        used.append(keys)

    async def on_rotation() -> None:
        rotated.set()

    running = watch(store, tmp_path, OLD)
    async with running.entered() as ring, running.watching(use, on_rotation):
        made = await waiting_key(store, [OLD], key_file, clock)
        new = made.secret_key
        assert made.made
        assert stored(key_file) == (OLD, new) == made.secret_keys
        await sign_with(store.fingerprints, new, clock, 30)
        async with asyncio.timeout(30):
            await rotated.wait()
        assert ring.keys == (OLD, new)
        assert used == [(new, OLD), (OLD, new)]
    assert await store.fingerprints.processes(NOW) == []


async def test_a_key_that_processes_lack_does_not_sign(store: Store, tmp_path: Path) -> None:
    async with watch(store, tmp_path, OLD).entered():
        new = (await waiting_key(store, [OLD], None, clock)).secret_key
        with pytest.raises(RotationError, match=r"^1 of 1 running processes do not accept the key [0-9a-f]{16} yet"):
            await sign_with(store.fingerprints, new, clock, 1, no_pause)
        again = await waiting_key(store, [OLD, new], None, clock)
        assert (again.secret_key, again.made) == (new, False)
        async with watch(store, tmp_path, OLD, new, process="two").entered() as ring:
            assert ring.keys == (new, OLD)
            with pytest.raises(RotationError, match=r"^1 of 2 "):
                await sign_with(store.fingerprints, new, clock, 0)
    await sign_with(store.fingerprints, new, clock, 0)
    async with watch(store, tmp_path, OLD, new).entered() as ring:
        assert ring.keys == (OLD, new)
    with pytest.raises(SettingError, match="which signs, is missing"):
        async with watch(store, tmp_path, OLD).entered():
            pass
    assert await store.fingerprints.processes(NOW) == []


async def test_a_process_that_starts_during_a_rotation_reads_the_file_once_more(
    store: Store, key_file: Path, tmp_path: Path
) -> None:
    async with watch(store, tmp_path, OLD).entered():
        pass
    late = watch(store, tmp_path, OLD)
    new = (await waiting_key(store, [OLD], key_file, clock)).secret_key
    await sign_with(store.fingerprints, new, clock, 0)
    async with late.entered() as ring:
        assert ring.keys == (OLD, new)
        ((_, accepted),) = await store.fingerprints.processes(NOW + EXPIRY_MS - 1)
        assert accepted == {fingerprint(OLD), fingerprint(new)}


async def test_what_a_killed_rotation_leaves_is_taken_up_again(store: Store, key_file: Path, tmp_path: Path) -> None:
    async with watch(store, tmp_path, OLD).entered():
        pass
    await store.fingerprints.add("0123456789abcdef")  # killed before the key was written
    async with watch(store, tmp_path, OLD).entered():
        made = await waiting_key(store, [OLD], key_file, clock)
    assert {key.fingerprint for key in await store.fingerprints.known()} == {
        fingerprint(OLD), fingerprint(made.secret_key)
    }  # fmt: skip
    again = await waiting_key(store, [OLD, made.secret_key], key_file, clock)  # killed before it signed
    assert (again.secret_key, again.made) == (made.secret_key, False)


async def test_a_printed_key_is_not_replaced_by_mistake(store: Store, tmp_path: Path) -> None:
    async with watch(store, tmp_path, OLD).entered():
        pass
    first = (await waiting_key(store, [OLD], None, clock)).secret_key
    with pytest.raises(RotationError, match="--start-over"):
        await waiting_key(store, [OLD], None, clock)
    async with watch(store, tmp_path, OLD, first).entered():
        with pytest.raises(RotationError, match="running processes have it, and this command lacks it"):
            await waiting_key(store, [OLD], None, clock, start_over=True)
    second = await waiting_key(store, [OLD], None, clock, start_over=True)
    assert second.secret_key != first
    assert fingerprint(first) not in {key.fingerprint for key in await store.fingerprints.known()}
    assert first.decode() not in repr(second)
    assert second.secret_key.decode() not in repr(second)


async def test_nothing_is_rotated_before_the_first_start(store: Store) -> None:
    with pytest.raises(RotationError, match="start the server first"):
        await waiting_key(store, [OLD], None, clock)


async def test_two_rotations_at_once_make_one_key(store: Store, key_file: Path, tmp_path: Path) -> None:
    async with watch(store, tmp_path, OLD).entered():
        pass
    found = await asyncio.gather(*(waiting_key(store, [OLD], key_file, clock) for _ in range(3)))
    assert len({each.secret_key for each in found}) == 1
    assert [each.made for each in found].count(True) == 1
    assert {each.secret_keys for each in found} == {(OLD, found[0].secret_key)} == {stored(key_file)}


async def test_other_keys_are_accepted_when_that_is_said(store: Store, tmp_path: Path) -> None:
    async with watch(store, tmp_path, OLD).entered():
        with pytest.raises(RotationError, match=r"^1 running processes sign with a key that is not among these"):
            await accept(store.fingerprints, [OTHER], NOW)
    assert [key.fingerprint for key in await accept(store.fingerprints, [OTHER], NOW)] == [fingerprint(OTHER)]
    async with watch(store, tmp_path, OTHER).entered() as ring:
        assert ring.keys == (OTHER,)


async def test_a_process_without_the_key_that_signs_says_so_once(
    store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """One that was suspended for so long that it counted as gone."""

    async def nothing(*_: object) -> None:
        pass

    running = watch(store, tmp_path, OLD)
    async with running.entered() as ring:
        await store.fingerprints.leave("one")
        await store.fingerprints.add(fingerprint(OTHER))
        await sign_with(store.fingerprints, OTHER, clock, 0)
        for _ in range(3):
            await running.look(nothing, nothing)
        assert ring.keys == (OLD,)
    assert caplog.text.count(f"the key {fingerprint(OTHER)} signs, and this process lacks it") == 1
