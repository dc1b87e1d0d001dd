"""The client has a method for every call of the API that needs a key, with its parameters and result, and no other."""

from __future__ import annotations

import inspect
import typing
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from grapevine.client import arguments
from grapevine.client.call import Call, Feed, Operated, PagedList, Stream
from grapevine.web import operations
from grapevine.web.api.operation import Operation
from grapevine.web.public import answers, conversions
from tests.support import client_reference

OPERATIONS: dict[tuple[str, str], Operation] = {
    (each.method, each.path): each
    for each in (*operations.KEYED, *operations.LIVE, answers.WITH_KEY, conversions.WITH_KEY)
}


METHODS: dict[str, Operated] = {
    f"{group}.{name}": method
    for group, calls in client_reference.all_groups().items()
    for name, method in client_reference.methods_of(calls)
}
"""The client's methods by name, such as ``tokens.get``."""


def test_each_call_has_a_method_and_each_method_a_call() -> None:
    assert {(method.method, method.path) for method in METHODS.values()} == OPERATIONS.keys()


def described(method: Operated) -> Call[Any]:
    """The call of a method with a value for each of its parameters."""
    signature = inspect.signature(method.describe)
    given: dict[str, Any] = {
        name: datetime(2026, 12, 1, tzinfo=UTC) if parameter.annotation == "datetime" else "1"
        for name, parameter in signature.parameters.items()
        if parameter.kind is not parameter.VAR_KEYWORD
    }
    if len(given) < len(signature.parameters):
        given |= dict.fromkeys(arguments.FilterParams.__annotations__, "1")
    made = method.describe(None, **{name: value for name, value in given.items() if name != "self"})
    if isinstance(made, PagedList | Feed):
        first: Call[Any] = made.at("/?cursor=1")
        return first
    return made.call if isinstance(made, Stream) else made


def fields(struct: Any) -> set[str]:
    """The names of a struct's fields as they are on the wire."""
    return set() if struct is None else {field.encode_name for field in msgspec.structs.fields(struct)}


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=lambda operation: operation.name)
def test_methods_send_what_their_call_reads(operation: Operation) -> None:
    calls = [
        described(each) for each in METHODS.values() if (each.method, each.path) == (operation.method, operation.path)
    ]
    assert {name for call in calls for name in call.query} == fields(operation.query)
    for call in calls:
        assert call.path.keys() == fields(operation.path_params)
        assert call.is_for_server is not operation.of_site
        assert type(call.body) in ((type(None),) if operation.body is None else operation.body.kinds)
        if "Idempotency-Key" in operation.request_headers and operation not in (answers.WITH_KEY, conversions.WITH_KEY):
            again = described(METHODS[f"{operation.tag}.create"])
            assert call.is_repeatable
            assert call.headers["Idempotency-Key"] != again.headers["Idempotency-Key"]


def results(operation: Operation) -> list[Any]:
    """What a call may return: a body of its response, or the only field of that."""
    found: list[Any] = []
    for body in next(iter(operation.responses.values())).kinds or (type(None),):
        found.append(body)
        if isinstance(body, type) and issubclass(body, msgspec.Struct) and len(body.__struct_fields__) == 1:
            found += typing.get_type_hints(body).values()
    return found


def test_a_method_returns_what_its_call_returns() -> None:
    wrong = {}
    for name, method in METHODS.items():
        kind = typing.get_type_hints(method.describe)["return"]
        returned, *_ = typing.get_args(kind)
        expected = results(OPERATIONS[method.method, method.path])
        if typing.get_origin(kind) not in (Stream, Feed) and returned not in expected and name != "tokens.resolve":
            wrong[name] = (returned, expected)
    assert not wrong
