"""A body with a key is JSON and says so: a form of a page, which needs no preflight, is no request of the API."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

from grapevine.web import operations
from grapevine.web.api.operation import Operation
from grapevine.web.public.conversions import WITH_KEY
from tests.support.in_process_server import Server
from tests.web.api.test_read_api import refused, with_key

pytestmark = pytest.mark.anyio

DOCS: Final = Path(__file__).resolve().parents[3] / "docs"
CALLS: Final = [call for call in (*operations.KEYED, WITH_KEY) if call.body is not None]


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.name)
async def test_a_body_of_another_media_type_is_refused(server: Server, call: Operation) -> None:
    owner = await with_key(server, "owner", scope="admin")
    path = re.sub(r"{\w+}", "x", call.path)
    for given in ("application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/html"):
        answer = await owner.http.request(call.method, path, content=b"{}", headers={"Content-Type": given})
        assert refused(answer)[:2] == (400, "malformed")
        assert answer.json()["detail"].startswith(f"The body is {given.partition(';')[0]!r}; send JSON as ")
    for good in ("application/json", "Application/JSON; charset=utf-8", None):
        headers = {} if good is None else {"Content-Type": good}
        answer = await owner.http.request(call.method, path, content=b"{}", headers=headers)
        assert answer.status_code != 400


def test_no_document_sends_json_as_a_form() -> None:
    """`curl -d` says that it sends a form."""
    lines = [(page.name, line) for page in DOCS.glob("*.md") for line in page.read_text().splitlines()]
    assert [each for each in lines if re.search(r"(^| )(-d|--data) ", each[1])] == []
