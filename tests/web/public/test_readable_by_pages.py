"""Whatever a page of any origin gets of a call that is for pages, its script may read."""

from __future__ import annotations

import re
from typing import Final

import pytest

from grapevine.web.api.operation import Operation
from grapevine.web.openapi.served import described
from grapevine.web.public import collect
from tests.support.in_process_server import ORIGIN, Server

pytestmark = pytest.mark.anyio

CALLS: Final = [call for call in described() if call.is_cors]
COUNTS: Final = f"/v1/counts?site=site-a&url={ORIGIN}/"


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.name)
async def test_a_wrong_method_can_be_read(server: Server, call: Operation) -> None:
    path = re.sub(r"{\w+(:\w+)?}", ".js", call.path)
    answer = await server.http.request("PUT", path)
    assert (answer.status_code, answer.json()["code"]) == (405, "method-not-allowed")
    assert {name: answer.headers.get(name) for name in collect.CORS} == collect.CORS
    assert call.method in answer.headers["allow"].split(", ")


async def test_headers_of_counts_can_be_read(server: Server) -> None:
    answer = await server.http.get(COUNTS)
    same = await server.http.get(COUNTS, headers={"If-None-Match": answer.headers["etag"]})
    wrong = await server.http.get("/v1/counts")
    assert [each.status_code for each in (answer, same, wrong)] == [200, 304, 422]
    for each in (answer, same, wrong):
        assert {name: each.headers.get(name) for name in collect.CORS} == collect.CORS


def test_a_fault_of_a_collect_call_can_be_read() -> None:
    answer = collect.failure(ValueError("a fault"))
    assert answer.status_code == 500
    assert {name: answer.headers.get(name) for name in collect.CORS} == collect.CORS
