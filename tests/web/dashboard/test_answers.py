"""The page "Answers": hostile texts are text, and a form corrects a class."""

from __future__ import annotations

import pytest

from tests.support.in_process_server import Server
from tests.web.dashboard.dashboard_browser import page, signed_in
from tests.web.dashboard.test_erase import signed_in_with

pytestmark = pytest.mark.anyio

KEY = {"Authorization": "Bearer gv_secret1"}
HOSTILE = "a friend <script>alert(1)</script>"


async def test_an_answer_is_shown_as_text_and_corrected(server: Server) -> None:
    visit = await server.visit()
    await server.post("answers", session=visit["session"], text=HOSTILE, nonce="n" * 16)
    client = await signed_in(server)
    shown = await page(client, "/answers")
    assert HOSTILE in shown.text
    assert shown.tables["Answers by class and by measured source"][1][:2] == ["A friend", "1"]
    (said,) = (await server.http.get("/v1/answers", headers=KEY)).json()["answers"]
    refused = await client.post("/answers/correct", data={"answer": said["id"], "class": "press"})
    assert refused.status_code == 403  # a key that only reads
    client = await signed_in_with(server, "admin")
    answer = await client.post("/answers/correct", data={"answer": said["id"], "class": "press"})
    assert answer.status_code == 303
    assert "corrected" in (await page(client, answer.headers["location"])).text
    (said,) = (await server.http.get("/v1/answers?class=press", headers=KEY)).json()["answers"]
    assert (said["class_by"], said["text"]) == ("person", HOSTILE)
