"""Folders and files that Grapevine makes belong to their owner alone, regardless of the umask."""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from grapevine.config.private_files import make_file, make_folder, open_to_others, tighten


@pytest.fixture(params=[0o000, 0o022, 0o077])
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.usefixtures("umask")
def test_every_folder_that_is_made_is_private_and_others_stay_as_they_are(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    theirs.chmod(0o755)
    make_folder(theirs / "one" / "two")
    assert [mode(path) for path in (theirs, theirs / "one", theirs / "one" / "two")] == [0o755, 0o700, 0o700]
    make_folder(theirs)
    assert mode(theirs) == 0o755


@pytest.mark.usefixtures("umask")
def test_a_file_that_is_made_is_private_and_one_that_exists_keeps_its_content(tmp_path: Path) -> None:
    made, theirs = tmp_path / "made", tmp_path / "theirs"
    make_file(made)
    theirs.write_text("kept")
    theirs.chmod(0o644)
    make_file(theirs)
    assert (mode(made), mode(theirs), theirs.read_text()) == (0o600, 0o644, "kept")
    assert (open_to_others(made), open_to_others(theirs), open_to_others(tmp_path / "none")) == (None, 0o644, None)


def test_a_wider_mode_is_tightened_and_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "file"
    path.touch()
    path.chmod(0o640)
    with caplog.at_level(logging.WARNING):
        tighten(path)
        tighten(path)
        tighten(tmp_path / "none")
    assert mode(path) == 0o600
    assert [record.getMessage() for record in caplog.records] == [
        f"other users of this machine could use {path} (mode 640); its mode is 600 now"
    ]


def test_a_file_that_is_read_only_stays_as_it_is(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "data"
    make_file(path)
    path.chmod(0o444)
    tighten(path)
    assert (mode(path), caplog.records) == (0o444, [])
