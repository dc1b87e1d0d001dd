"""An answer that is too long to read loses rows, and says how many."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from grapevine.mcp_server.read_only import AnswerTooLarge
from grapevine.mcp_server.results import MOST_BYTES, bounded_result


def rows(number: int, length: int = 90) -> list[str]:
    return [f"{each:0{length}}" for each in range(number)]


def test_a_short_answer_is_whole() -> None:
    answer = {"nodes": rows(100)}
    assert bounded_result(answer) == {"answer": {"nodes": rows(100)}}


@pytest.mark.parametrize(
    ("answer", "left_out"),
    [
        (rows(1_000), {"answer": 500}),
        ({"nodes": rows(4_000), "pages": rows(10)}, {"answer.nodes": 3_500}),
        ({"evidence": {"apps": rows(500)}, "pages": rows(400)}, {"answer.evidence.apps": 250, "answer.pages": 200}),
        ([{"inner": rows(400)}, {"inner": rows(400)}], {"answer": 1}),
        ({"nodes": ["x" * 2 * MOST_BYTES]}, {"answer.nodes": 1}),
    ],
)
def test_the_longest_list_is_cut(answer: Any, left_out: dict[str, int]) -> None:
    result = bounded_result(answer)
    assert result["left_out"] == left_out
    assert len(msgspec.json.encode(result["answer"])) <= MOST_BYTES


def test_an_answer_that_has_no_list() -> None:
    with pytest.raises(AnswerTooLarge):
        bounded_result({"value": {str(each): "0.00" for each in range(MOST_BYTES)}, "nodes": []})
