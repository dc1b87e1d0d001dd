"""The exceptions of the client: one for each problem that the server knows."""

from __future__ import annotations

import inspect
import pickle

from grapevine import client, errors
from grapevine.client.errors import BY_CODE, BY_STATUS, ApiError, error_class

NO_CALL = {405}
"""Problems that no call of the client can meet."""


def problems() -> list[type[errors.Problem]]:
    return [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.Problem)]


def test_each_problem_has_a_class() -> None:
    found = {kind.code: error_class(kind.status, kind.code) for kind in problems() if kind is not errors.Problem}
    assert {code for code, kind in found.items() if kind is ApiError} == {"method-not-allowed"}
    assert {kind.status for kind in problems()} - NO_CALL == BY_STATUS.keys()
    assert BY_CODE.keys() <= found.keys()


def test_a_code_says_more_than_its_status() -> None:
    status = {kind.code: kind.status for kind in problems()}
    assert all(issubclass(kind, BY_STATUS[status[code]]) for code, kind in BY_CODE.items())


def test_codes_of_a_later_version_have_a_class() -> None:
    assert error_class(404, "of-a-later-version") is client.NotFoundError
    assert error_class(418, "teapot") is ApiError


def test_all_classes_are_exported() -> None:
    here = [kind for kind in vars(client.errors).values() if inspect.isclass(kind)]
    kinds = {kind.__name__ for kind in here if issubclass(kind, client.ClientError)}
    assert kinds <= set(client.__all__)


def test_exceptions_go_through_pools_of_processes() -> None:
    fields = (errors.FieldError("limit", "must be smaller"),)
    refused = client.InvalidError("No.", status=422, code="invalid", detail="No.", errors=fields, retry_after=3)
    for error in (refused, client.TimedOut("late", is_unsent=True), client.ClientSettingError("no key")):
        back = pickle.loads(pickle.dumps(error))  # noqa: S301
        assert (type(back), str(back), vars(back)) == (type(error), str(error), vars(error))
