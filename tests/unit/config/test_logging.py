"""The log prints a frequent message rarely, with the number of its repeats."""

from __future__ import annotations

import logging

import pytest

from grapevine.config.logging import STRANGERS_WRITE, Seldom, configure


def record(at: float, text: str, *values: object) -> logging.LogRecord:
    made = logging.LogRecord("grapevine", logging.ERROR, __file__, 1, text, values, None)
    made.created = at
    return made


def test_a_message_that_comes_often_is_said_now_and_then_and_how_often_it_came() -> None:
    seldom, said = Seldom(10), []
    for at in (0, 1, 9.9, 10, 11, 30, 100):
        line = record(at, "away: %s", at)
        if seldom.filter(line):
            said.append(line.getMessage())
    assert said == ["away: 0", "away: 10 (and 2 more like this)", "away: 30 (and 1 more like this)", "away: 100"]


def test_other_messages_are_not_held_back() -> None:
    seldom = Seldom(10)
    assert seldom.filter(record(0, "one"))
    assert seldom.filter(record(1, "another"))
    assert not seldom.filter(record(2, "one"))


def test_texts_that_begin_alike_are_of_one_kind() -> None:
    """Libraries put what a client sent into the text, so that each would be a kind of its own."""
    seldom = Seldom(10)
    begin = "Exception in callback ".ljust(100, ".")
    assert [seldom.filter(record(at, f"{begin}{at}")) for at in (0, 1, 2, 30)] == [True, False, False, True]


def test_errors_of_different_types_are_of_different_kinds() -> None:
    seldom, said = Seldom(10), []
    for error in (ValueError("a"), ValueError("b"), KeyError("c")):
        line = record(0, "it failed")
        line.exc_info = (type(error), error, None)
        said.append(seldom.filter(line))
    assert said == [True, False, True]


def test_what_strangers_cause_is_rationed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server's own events are not: each of them is said."""
    monkeypatch.setattr(logging.root, "handlers", [])
    ours, filters = logging.getLogger("grapevine"), {name: logging.getLogger(name).filters for name in STRANGERS_WRITE}
    level = ours.level
    configure("text")
    try:
        for name in STRANGERS_WRITE:
            said = [logging.getLogger(name).filter(record(0, "Invalid HTTP request received.")) for _ in range(3_000)]
            assert sum(map(bool, said)) == 1
        assert all(ours.filter(record(0, "something happened")) for _ in range(3))
    finally:
        ours.setLevel(level)
        for name, before in filters.items():
            logging.getLogger(name).filters = before
