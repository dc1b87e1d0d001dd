"""What is refused of a body, or of a tool's arguments, is said in plain English, whatever came."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec
import pytest

from grapevine.api_schemas.keys import NewKeyRequest
from grapevine.api_schemas.sites import NewSiteRequest, SiteChanges
from grapevine.api_schemas.tokens import ResolveRequest
from grapevine.collect.schemas import KeyedConversionRequest, VisitRequest
from grapevine.domain.json_input import decode
from grapevine.domain.wrong_fields import MOST_NAMED, first_wrong, wrong_fields
from grapevine.errors import FieldError, Invalid, Malformed, Problem
from grapevine.mcp_server.tools import TOOLS
from grapevine.web.openapi.served import described
from tests.support.differences import Differences

ODD: Final[tuple[Any, ...]] = (
    None, True, 0, -1, 1.5, 10**30, "", "a b", "x" * 5_000, [], [None], [5], ["x"] * 5_000, {}, {"a": 1},
)  # fmt: skip
RAW: Final = re.compile(r"Expected|Invalid|Object|matching|RFC3339|`(str|int|float|bool|array|object|null)`|\\$")
"""What msgspec's own messages have, and ours do not."""


def bodies() -> Iterator[type[msgspec.Struct]]:
    for call in described():
        yield from (kind for kind in (call.body.kinds if call.body else ()) if kind is not str)


def refusal(body: bytes, kind: type[msgspec.Struct]) -> Problem | None:
    try:
        decode(body, kind)
    except Problem as problem:
        return problem
    return None


def test_no_refusal_of_a_body_is_one_of_msgspec() -> None:
    differences, seen = Differences(), 0
    for kind in dict.fromkeys(bodies()):
        for name in (*kind.__struct_encode_fields__, "unknown"):
            for value in ODD:
                found = refusal(msgspec.json.encode({name: value}), kind)
                if found is not None:
                    seen += 1
                    differences.compare((kind.__name__, name, str(value)[:20]), RAW.findall(found.detail), [])
    differences.check(seen)


def test_no_refusal_of_arguments_is_one_of_msgspec() -> None:
    differences, seen = Differences(), 0
    for tool in TOOLS.values():
        for name in (*tool.arguments.__struct_encode_fields__, "unknown"):
            for value in ODD:
                try:
                    msgspec.convert({name: value}, tool.arguments)
                except msgspec.ValidationError as error:
                    for each in (first_wrong(error), *wrong_fields({name: value}, tool.arguments)):
                        seen += 1
                        differences.compare((name, str(value)[:20]), RAW.findall(each.detail), [])
    differences.check(seen)


@pytest.mark.parametrize(
    ("kind", "body", "says"),
    [
        (
            NewSiteRequest,
            b'{"name": "x", "origin": "y"}',
            "`origin` is unknown here; there are name, origins, contact; `origins` is needed.",
        ),
        (SiteChanges, b'{"origins": []}', "`origins` must not be empty."),
        (SiteChanges, b'{"name": 5, "place": "x"}', "`name` must be text or null, not a whole number; `place` must be"),
        (NewKeyRequest, b"{}", "`scope` is needed."),
        (ResolveRequest, b'{"tokens": [' + b'"a",' * 1_000 + b'"a"]}', "`tokens` must have at most 1,000 entries."),
        (ResolveRequest, b'{"tokens": ["a", 1]}', "`tokens[1]` must be text, not a whole number."),
        (KeyedConversionRequest, b'{"goal": "a", "value": "x"}', "`value` must be a decimal number such as 49.00."),
        (VisitRequest, b'{"own": "x", "site": ', "`own` must be true or false, not text."),
    ],
)  # fmt: skip
def test_sentences(kind: type[msgspec.Struct], body: bytes, says: str) -> None:
    found = refusal(body, kind)
    assert isinstance(found, Invalid)
    assert found.detail.startswith(says)


def test_what_is_no_object_is_said_to_be_none() -> None:
    for body, says in ((b"[1]", "a list"), (b"5", "a whole number"), (b'"x"', "text"), (b"null", "null")):
        found = refusal(body, NewSiteRequest)
        assert isinstance(found, Malformed)
        assert found.detail == f"The body is no JSON object, but {says}."


def test_a_body_of_unknown_fields_has_a_short_refusal() -> None:
    found = refusal(msgspec.json.encode({f"n{number}": 0 for number in range(5_000)}), NewSiteRequest)
    assert found is not None
    assert len(found.errors) == MOST_NAMED
    assert all(isinstance(each, FieldError) for each in found.errors)
