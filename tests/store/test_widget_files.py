"""The kept files of the widget: kept once, found by name, deleted when no server has had them for long."""

from __future__ import annotations

import brotli
import pytest

from grapevine.domain import ids
from grapevine.store.base import Store
from grapevine.store.repositories.widget_files import KEPT_MS, MOST_FILES, KeptFile

pytestmark = pytest.mark.anyio

NOON = ids.day_start(2500) + 12 * ids.HOUR_MS
DAY = ids.DAY_MS


def build(digest: str, *parts: str) -> list[KeptFile]:
    texts = {f"widget.{digest}.{part}.js": f"export default '{part} ü'" for part in parts}
    return [KeptFile(name, text, brotli.compress(text.encode())) for name, text in texts.items()]


async def test_what_is_kept_is_found_as_it_was(store: Store) -> None:
    files = build("0a939553ebf5", "buttons", "panel")
    await store.widget_files.keep(files, NOON)
    await store.widget_files.keep(files, NOON + 1)
    assert await store.widget_files.names() == {file.name for file in files}
    assert [await store.widget_files.file(file.name) for file in files] == files
    assert await store.widget_files.file("widget.0a939553ebf5.nothing.js") is None


async def test_a_build_is_kept_for_more_than_a_year_after_its_last_server(store: Store) -> None:
    old, new = build("aaaaaaaaaaaa", "buttons"), build("bbbbbbbbbbbb", "buttons")
    for day in range(3):  # its server says every day that it still runs
        await store.widget_files.keep(old, NOON + day * DAY)
    await store.widget_files.keep(new, NOON + 2 * DAY + 1)
    await store.widget_files.keep(new, NOON + 2 * DAY + KEPT_MS)
    assert await store.widget_files.names() == {old[0].name, new[0].name}
    await store.widget_files.keep(new, NOON + 2 * DAY + KEPT_MS + 1)
    assert await store.widget_files.names() == {new[0].name}


async def test_of_too_many_files_those_go_that_were_served_the_longest_time_ago(store: Store) -> None:
    names = [f"part{number}" for number in range(MOST_FILES // 2)]
    for number, digest in enumerate(("aaaaaaaaaaaa", "bbbbbbbbbbbb")):
        await store.widget_files.keep(build(digest, *names), NOON + number)
    assert len(await store.widget_files.names()) == MOST_FILES
    await store.widget_files.keep(build("cccccccccccc", "buttons"), NOON + 2)
    kept = await store.widget_files.names()
    assert {name.split(".")[1] for name in kept} == {"bbbbbbbbbbbb", "cccccccccccc"}
    assert len(kept) == MOST_FILES // 2 + 1
