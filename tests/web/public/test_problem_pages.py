"""``/problems/{code}``: every problem's ``type`` leads to a page for people."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from grapevine.collect.schemas import MAX_BODY
from grapevine.domain import tokens
from grapevine.errors import Problem, StoreError
from grapevine.serving.fast_path.limits import MAX_HEAD, MAX_HEADERS, MAX_URL
from grapevine.sites.api_keys import hash_secret
from grapevine.store.rows import KeyRow
from grapevine.web.problems import TYPES, problem_kinds, problem_response
from grapevine.web.public.problem_pages import problem_pages
from tests.support.in_process_server import NOON, Server
from tests.web.page_markup import Page

pytestmark = pytest.mark.anyio


async def test_every_code_has_a_page(server: Server) -> None:
    assert set(problem_pages()) == set(problem_kinds())
    assert len(problem_kinds()) > 15
    for code, kind in problem_kinds().items():
        response = await server.http.get(f"{TYPES}/{code}")
        assert response.status_code == 200
        assert response.headers["content-type"] == "text/html; charset=utf-8"
        assert "script-src 'self'" in response.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in response.headers["content-security-policy"]
        page = Page(response.text)
        assert kind.title in page.text
        assert f'"type": "{TYPES}/{code}"' in page.text
        assert f"status {kind.status}" in page.text
        assert "What to do" in page.text
        assert {f"{TYPES}/{other}" for other in problem_kinds()} - set(page.values("a", "href")) == {f"{TYPES}/{code}"}


async def test_another_code_has_none(server: Server) -> None:
    for code in ("nothing", "error", "INVALID", "%3Cscript%3E", "invalid/x", ""):
        response = await server.http.get(f"{TYPES}/{code}", headers={"Accept": "text/html"})
        assert response.status_code == 404, code
        assert "<script>" not in response.text


@pytest.mark.parametrize("kind", Problem.__subclasses__())
def test_each_problem_names_its_page(kind: type[Problem]) -> None:
    content = problem_response(kind("why")).body
    assert f'"type":"{TYPES}/{kind.code}"'.encode() in bytes(content)


async def test_the_servers_own_refusals_have_pages(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("a fault")

    async def away(*_: object) -> None:
        raise StoreError("away")

    refusals = [
        await server.http.get("/v1/nothing"),
        await server.http.put("/v1/visits"),
        await server.http.get("/v1/keys"),
    ]
    for failure in (broken, away):
        monkeypatch.setattr("grapevine.web.api.auth.find_key", failure)
        refusals.append(await server.http.get("/v1/keys", headers={"Authorization": "Bearer x"}))
    for response, code in zip(
        refusals, ("not-found", "method-not-allowed", "unauthorized", "server-error", "busy"), strict=True
    ):
        problem = response.json()
        assert (problem["code"], problem["status"]) == (code, response.status_code)
        assert "RuntimeError" not in response.text
        assert response.headers["content-type"] == "application/problem+json"
        assert (await server.http.get(problem["type"])).status_code == 200
    assert refusals[1].headers["allow"]


def test_the_pages_name_commands_and_settings_that_there_are(project_root: Path) -> None:
    """Commands are those of the documentation, settings those of the table."""
    texts = " ".join(text for page in problem_pages().values() for text in (page.meaning, *page.todo))
    documented = (project_root / "docs/command-line.md").read_text("utf-8")
    for command in set(re.findall(r"grapevine (?:(?:site|key) )?[a-z]+", texts)):
        assert f"`{command}" in documented or f"$ {command}" in documented, command
    settings = (project_root / "docs/settings.md").read_text("utf-8")
    for name in set(re.findall(r"GRAPEVINE_\w+", texts)):
        assert name in settings, name


def test_the_pages_name_the_limits_that_there_are() -> None:
    pages = problem_pages()
    assert pages["url-too-long"].detail == f"A URL may have {MAX_URL} bytes."
    assert pages["head-too-large"].detail == f"A request's head may have {MAX_HEAD} bytes and {MAX_HEADERS} headers."
    assert pages["too-large"].detail == f"It has more than {MAX_BODY:,} bytes."
    assert f": {tokens.LENGTH} letters and digits." in pages["not-a-token"].meaning


async def test_the_examples_about_tokens_say_what_the_server_says(server: Server) -> None:
    row = KeyRow(key_id="own", site_id=1, name="own", scope="read", created_at=NOON, revoked_at=None)
    await server.store.api_keys.add_key(row, hash_secret("gv_own"))
    shared = (await server.visit())["tokens"]["copy"]
    unsigned = shared[:-1] + ("1" if shared.endswith("0") else "0")
    for token, code in (("short", "not-a-token"), (unsigned, "bad-signature")):
        answer = await server.http.get(f"/v1/tokens/{token}", headers={"Authorization": "Bearer gv_own"})
        refused = answer.json()
        assert (refused["code"], refused["detail"]) == (code, problem_pages()[code].detail)
