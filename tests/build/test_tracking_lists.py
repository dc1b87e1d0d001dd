"""Each row of ``list_overrides.toml`` about parameters is still needed: one that a list has learnt fails here."""

from __future__ import annotations

from functools import cache
from itertools import chain

import msgspec

from grapevine.collect.list_overrides import list_overrides
from tests.support.differences import Differences
from widget.build.tracking_lists import PACKAGES, TrackingNames, corrected, listed_names, package_file

TABLE = list_overrides()
CONTENT = [msgspec.structs.asdict(row) for row in TABLE.content]


@cache
def listed() -> tuple[TrackingNames, ...]:
    files = [(each, package_file(each.module, each.distribution, each.file)) for each in PACKAGES]
    return tuple(listed_names(each, file.read_text("utf-8")) for each, file in files)


def covers(tracking: TrackingNames, name: str) -> bool:
    return name in tracking.names or name.startswith(tuple(tracking.prefixes))


def test_each_added_name_is_missing_in_the_lists() -> None:
    differences = Differences()
    for row in TABLE.tracking:
        with differences.case(row):
            assert (row.name is None) != (row.prefix is None)
            text = row.name or row.prefix or ""
            assert text == text.lower()
            others = [msgspec.structs.asdict(each) for each in TABLE.tracking if each is not row]
            assert not covers(corrected(listed(), {"tracking": others, "content": CONTENT}), text)
    differences.check(len(TABLE.tracking))


def test_each_name_that_is_taken_out_is_in_the_lists() -> None:
    differences = Differences()
    names = [name for row in TABLE.content for name in row.names]
    prefixes = [prefix for row in TABLE.content for prefix in row.prefixes]
    assert len(set(names)) == len(names)
    assert len(set(prefixes)) == len(prefixes)
    for name in names:
        with differences.case(name):
            assert name in chain(*(each.names for each in listed()))
    for prefix in prefixes:
        with differences.case(prefix):
            assert prefix in chain(*(each.prefixes for each in listed()))
    differences.check(len(names) + len(prefixes))
