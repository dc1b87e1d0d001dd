"""The log prints a frequent message rarely, with the number of its repeats."""

from __future__ import annotations

import logging

from grapevine.config.logging import Seldom


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
