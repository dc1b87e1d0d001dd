"""A truth is written to a file and read again; damaged files are refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from grapevine.errors import GrapevineError
from grapevine.simulate.parameters import Parameters
from grapevine.simulate.truth import Truth
from grapevine.simulate.world import World


def test_a_truth_can_be_read_again(tmp_path: Path) -> None:
    world = World(9, Parameters(visits=200))
    list(world.requests())
    path = tmp_path / "truth.ndjson"
    world.truth.write(path)
    read = Truth.read(path)
    assert list(read.lines()) == list(world.truth.lines())
    kinds = [json.loads(line)["kind"] for line in path.read_text("utf-8").splitlines()]
    assert list(dict.fromkeys(kinds)) == ["play", "visit", "share", "end"]

    lines = path.read_text("utf-8").splitlines(keepends=True)
    path.write_text("".join(lines[:-1]), "utf-8")
    with pytest.raises(GrapevineError, match="not a whole truth"):
        Truth.read(path)
    path.write_text("".join([*lines[:2], "{}\n"]), "utf-8")
    with pytest.raises(GrapevineError, match="line 3, is no line of a truth"):
        Truth.read(path)
    with pytest.raises(GrapevineError, match="cannot be read"):
        Truth.read(tmp_path / "nowhere")
    with pytest.raises(GrapevineError, match="cannot be written"):
        world.truth.write(tmp_path / "nowhere" / "truth")
