"""What a stranger wrote is one printable line of the log, in both formats."""

from __future__ import annotations

import json
import logging
import re
import sys

import pytest

from grapevine.config.logging import JsonLines, TextLines

HOSTILE = "\x1b[31m\x9b0m\x7f\u202e\u2066\u200f\u061c\u2028\r\n2026-11-30 10:00:00 ERROR grapevine: forged\x00"
DANGER = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def record(*, failed: bool = False, **more: object) -> logging.LogRecord:
    """A record with hostile text wherever text may be."""
    info = None
    if failed:
        try:
            raise ValueError(HOSTILE)
        except ValueError:
            info = sys.exc_info()
    found = logging.LogRecord("grapevine.x", logging.ERROR, "x.py", 1, "said %s", (HOSTILE,), info)
    vars(found).update(more)
    return found


@pytest.mark.parametrize("formatter", [TextLines(), JsonLines()])
def test_a_record_is_one_printable_line(formatter: logging.Formatter) -> None:
    line = formatter.format(record(agent=HOSTILE))
    assert not DANGER.search(line)
    assert "\\u001b[31m\\u009b0m\\u007f\\u202e\\u2066\\u200f\\u061c\\u2028\\r\\n2026" in line


def test_json_means_what_was_said() -> None:
    line = json.loads(JsonLines().format(record(failed=True, agent=HOSTILE)))
    assert line["message"] == f"said {HOSTILE}"
    assert line["agent"] == HOSTILE
    assert HOSTILE in line["error"]


def test_a_traceback_cannot_look_like_a_record() -> None:
    first, *rest = TextLines().format(record(failed=True)).split("\n")
    assert "said \\u001b" in first
    assert rest[0] == "  Traceback (most recent call last):"
    assert [line for line in rest if not line.startswith("  ") or DANGER.search(line)] == []
